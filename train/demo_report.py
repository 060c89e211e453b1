"""The report of the demonstration: one HTML file with its pictures inside."""

import base64
import io
import json
import platform
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import jinja2

from dsocr_jax.evaluate.report import LOWER_IS_BETTER, score
from dsocr_jax.reading.documents import open_strictly

Pictures = Mapping[str, Sequence[tuple[Path, str]]]

#: Predictions that the report shows of each kind.
SHOWN = 8


def write_report(
    out: Path, first: Pictures, truths: Pictures, real: Sequence[Path], steps: Sequence[tuple[str, float]]
) -> Path:
    """Score the answers and write ``report.html`` and ``metrics.json``.

    Args:
        out: folder of the demonstration.
        first: (picture, true label) by kind that the model of the package read, if there is one; the answers lie in
            ``answers/first/KIND``.
        truths: those that nano read; the answers lie in ``answers/KIND``.
        real: documents that have no truth; their answers lie in ``answers/real``.
        steps: what was done, and how many seconds it took.
    """
    answers = _answers(out / "answers", truths)
    scores = {
        kind: score(kind, [answer["text"] for answer in answers[kind]], [truth for _, truth in pairs])
        for kind, pairs in truths.items()
    }
    (out / "metrics.json").write_text(json.dumps(scores, indent=1) + "\n")
    read = [
        {"name": file.name, "picture": _thumbnail(file), **_answer(out / "answers" / "real" / f"{file.stem}.json")}
        for file in real
        if file.is_file()
    ]
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("train", "templates"), autoescape=True, undefined=jinja2.StrictUndefined
    )
    page = environment.get_template("report.html.jinja").render(
        heldout=json.loads((out / "heldout.json").read_text()),
        metrics=_last_metrics(out / "run" / "metrics.jsonl"),
        scores=scores,
        lower=LOWER_IS_BETTER,
        first=_examples(first, _answers(out / "answers" / "first", first)),
        examples=_examples(truths, answers),
        real=read,
        sheet=_embed((out / "contact-sheet.png").read_bytes()),
        curve=_embed((out / "run" / "loss.png").read_bytes()),
        steps=steps,
        versions={
            "Python": platform.python_version(),
            **{name: version(name) for name in ("jax", "flax", "dsocr-jax")},
        },
    )
    report = out / "report.html"
    report.write_text(page, encoding="utf-8")
    return report


def _answers(folder: Path, truths: Pictures) -> dict[str, list[dict[str, Any]]]:
    return {kind: [_answer(folder / kind / f"{file.stem}.json") for file, _ in pairs] for kind, pairs in truths.items()}


def _examples(truths: Pictures, answers: Mapping[str, list[dict[str, Any]]]) -> dict[str, list[dict[str, str]]]:
    """Return the first pictures of each kind, embedded, with their truths and answers."""
    return {
        kind: [
            {"picture": _embed(file.read_bytes()), "truth": truth, "answer": answer["text"]}
            for (file, truth), answer in list(zip(pairs, answers[kind], strict=True))[:SHOWN]
        ]
        for kind, pairs in truths.items()
    }


def _answer(file: Path) -> dict[str, Any]:
    return json.loads(file.read_text(encoding="utf-8"))


def _last_metrics(file: Path) -> dict[str, Any]:
    return json.loads(file.read_text().splitlines()[-1])


def _embed(png: bytes) -> str:
    return "data:image/png;base64," + base64.b64encode(png).decode()


def _thumbnail(file: Path) -> str:
    """The first page of a document, small."""
    image = next(iter(open_strictly(file))).image
    image.thumbnail((256, 256))
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return _embed(buffer.getvalue())
