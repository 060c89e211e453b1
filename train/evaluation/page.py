"""Evaluations as HTML: a page for each step, and an index with curves; every file has its pictures inside."""

import base64
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import jinja2

from dsocr_jax.answers.errors import AnswerError
from dsocr_jax.answers.tables import parse_table
from dsocr_jax.evaluate.report import LOWER_IS_BETTER
from train.evaluation.curves import draw_curves
from train.evaluation.result import MAIN, Case, Result
from train.manifest import replace_file

#: Where less than this share of the longer text is in both, their differences say nothing, and are not marked.
ALIKE = 0.5
#: Side of a shown picture, in pixels, and the longest text that is shown of a truth or an answer.
PICTURE, TEXT = 240, 1200
#: Rows and columns of a table that is drawn as one.
ROWS, COLUMNS = 14, 8

INDEX = "index.html"


def page_name(step: int) -> str:
    """File of one step's page."""
    return f"step-{step:06}.html"


def write_page(folder: Path, run: str, result: Result, steps: Sequence[int]) -> Path:
    """Write the page of one evaluation.

    Args:
        folder: of the evaluations.
        run: name of the run.
        result: what was found.
        steps: of all evaluations so far; the one before is linked.
    """
    before = max((step for step in steps if step < result.step), default=None)
    file = folder / page_name(result.step)
    replace_file(
        file,
        _template("evaluation.html.jinja").render(
            run=run,
            result=result,
            before=None if before is None else page_name(before),
            index=INDEX,
            lower=LOWER_IS_BETTER,
            shown=_shown,
            kinds=[{"kind": kind, "cases": [_case(case) for case in kind.cases]} for kind in result.kinds],
        ),
    )
    return file


def write_index(folder: Path, run: str, lines: Sequence[Mapping[str, Any]]) -> Path:
    """Write ``index.html``: curves over the steps, and a table of the evaluations, the newest first."""
    file = folder / INDEX
    columns = [(kind, name) for kind in lines[-1]["kinds"] for name in MAIN.get(kind, ("exact",))[:2]]
    replace_file(
        file,
        _template("evaluations.html.jinja").render(
            run=run,
            curves="data:image/png;base64," + base64.b64encode(draw_curves(lines)).decode(),
            columns=columns,
            lines=[{"page": page_name(line["step"]), **line} for line in reversed(lines)],
            lower=LOWER_IS_BETTER,
            shown=_shown,
        ),
    )
    return file


def _template(name: str) -> jinja2.Template:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("train", "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(name)


def _shown(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


def _case(case: Case) -> dict[str, Any]:
    kind, truth = case.record.kind, case.record.label.strip()
    text = case.said.text.strip() if case.said else ""
    metrics = [(name, case.scores[name]) for name in MAIN.get(kind, ()) if case.scores.get(name) is not None]
    return {
        "id": case.record.id,
        "picture": _picture(case),
        "losses": case.losses,
        "metrics": [(name.replace("_", " "), f"{value:.3g}") for name, value in metrics if name != "exact"],
        "right": bool(case.scores.get("exact")),
        "finish": case.said.finish if case.said else None,
        "truth": _cut(truth),
        "answer": _cut(text),
        "pieces": pieces(_cut(text), _cut(truth)) if case.said else None,
        "tables": (_cells(truth), _cells(text)) if kind == "charts" else None,
    }


def _picture(case: Case) -> str:
    from PIL import Image

    image = case.record.pil()
    image.thumbnail((2 * PICTURE, 2 * PICTURE), Image.Resampling.LANCZOS)
    buffer = io.BytesIO()
    image.save(buffer, "WEBP", quality=80)
    return "data:image/webp;base64," + base64.b64encode(buffer.getvalue()).decode()


def _cut(text: str) -> str:
    return text if len(text) <= TEXT else f"{text[:TEXT]} … ({len(text) - TEXT:,} characters more)"


def pieces(answer: str, truth: str) -> list[tuple[str, str]]:
    """Return the answer in pieces, each with its kind: ``same``, ``new`` (not in the truth) or ``gone`` (only there).

    An answer that has little in common with the truth is one piece, ``other``.

    >>> pieces("CCO", "CCN")
    [('CC', 'same'), ('O', 'new'), ('N', 'gone')]
    """
    from rapidfuzz.distance import Levenshtein

    codes = Levenshtein.opcodes(answer, truth)
    common = sum(code.src_end - code.src_start for code in codes if code.tag == "equal")
    if common < ALIKE * max(len(answer), len(truth)):
        return [(answer, "other")]
    found: list[tuple[str, str]] = []
    for code in codes:
        mine, theirs = answer[code.src_start : code.src_end], truth[code.dest_start : code.dest_end]
        if code.tag == "equal":
            found.append((mine, "same"))
            continue
        found += [(mine, "new")] if mine else []
        found += [(theirs, "gone")] if theirs else []
    return found


def _cells(text: str) -> list[list[str]] | None:
    """The first rows and columns of a table; None where the text is none."""
    try:
        rows = parse_table(text).rows
    except AnswerError:
        return None
    return [list(row[:COLUMNS]) for row in rows[:ROWS]]
