"""``python -m train.failures EVIDENCE --out DIR``: what a model reads wrongly, as a page of pictures.

EVIDENCE is the folder of `train.evidence`. Of each set that was evaluated the page shows the sample with the lowest
score, and some from between that one and the perfect ones, so that it is not of curiosities alone. Why they fail is not
for a program to say: ``DIR/causes.json`` maps ``SET/ID`` to what somebody thinks, and the page repeats it.
"""

import dataclasses
import html
import io
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, NamedTuple

import tyro
from PIL import Image

from datagen.shards import SampleSet
from dsocr_jax.console import console, run_door
from dsocr_jax.errors import UserError
from dsocr_jax.evaluate.result import Scored, read, write_file
from dsocr_jax.weights.strict_json import read_json
from train.evidence import SETS
from train.misread import MAX_BYTES, read_answers

PAGE, CAUSES = "README.md", "causes.json"

#: What a sample is judged by.
SCORES = {
    "pages": "word_set_precision",
    "charts": "number_accuracy",
    "molecules": "tanimoto",
    "geometry": "f1_0.75_fixed",
}

HEAD = """# What the small model reads wrongly

Written by `python -m train.failures`, from held-out samples that `python -m train.evidence` had read: of each set the
sample with the lowest score, and some from between that one and the perfect ones. The causes are guesses of somebody
who looked at the pictures.
"""

#: Characters of a truth or an answer that the page shows.
SHOWN = 500


@dataclasses.dataclass(frozen=True)
class Options:
    """What is shown."""

    #: The folder of `train.evidence`.
    evidence: Annotated[Path, tyro.conf.Positional]
    #: Folder of the page and its pictures.
    out: Path = Path("docs/failures")
    #: Mode whose answers are shown.
    mode: str = "small"
    #: Samples of each set.
    each: int = 3
    #: Pixels of a picture's longer side.
    side: int = 320


class Failure(NamedTuple):
    """A sample that was not read perfectly."""

    name: str
    score: float
    image: bytes
    truth: str
    answer: str


def failures(options: Options) -> int:
    """Write the page.

    Raises:
        UserError: nothing was evaluated there, or a file is damaged.
    """
    causes = read_json(options.out / CAUSES, MAX_BYTES) if (options.out / CAUSES).is_file() else {}
    parts = []
    for name, each in SETS.items():
        kind, folder = each.kind, options.evidence / (each.study or name)
        if not (folder / "evaluation.json").is_file():
            continue
        label = {"mode": options.mode} | ({"set": each.called} if kind == "pages" else {})
        items = [item for item in read(folder).items if label.items() <= item.labels.items()]
        if not items:
            continue
        wrong, samples = chosen(items, SCORES[kind], options.each), options.evidence / "sets" / name
        try:
            found = list(_open(samples, folder, kind, wrong, label))
        except (OSError, ValueError, KeyError) as error:
            raise UserError(f"{folder}: answers and samples do not fit its evaluation ({error!r})") from None
        parts.append(f"## {name} ({each.level})\n\n" + _part(name, kind, items, found, options, causes))
    if not parts:
        raise UserError(f"{options.evidence}: no evaluation of `python -m train.evidence` is in it")
    text = "\n".join([HEAD, *parts])
    console.print(f"written {write_file(options.out / PAGE, text)}", markup=False)
    return 0


def chosen(items: Sequence[Scored], metric: str, count: int) -> list[Scored]:
    """Return ``count`` of those that are not perfect, evenly spread over them from the lowest score on."""
    wrong = sorted(
        (item for item in items if (item.metrics[metric] or 0.0) < 1), key=lambda item: item.metrics[metric] or 0.0
    )
    places = dict.fromkeys(len(wrong) * i // count for i in range(count))
    return [wrong[place] for place in places if place < len(wrong)]


def _open(
    samples: Path, folder: Path, kind: str, items: Sequence[Scored], label: Mapping[str, str]
) -> Iterator[Failure]:
    """Find the picture, the truth and the answer of every item."""
    said = {line["id"]: line["prediction"] for line in read_answers(folder) if label.items() <= line.items()}
    data = SampleSet.open(samples)
    records = {f"{kind}-{record.id:08d}": record for record in (data[i] for i in data.indices(kind))}
    for item in items:
        record = records[item.id]
        yield Failure(item.id, item.metrics[SCORES[kind]] or 0.0, record.image, record.label, said[item.id])


def _part(
    name: str,
    kind: str,
    items: Sequence[Scored],
    found: Sequence[Failure],
    options: Options,
    causes: Mapping[str, str],
) -> str:
    """The section of one set; its pictures are written beside the page."""
    metric = SCORES[kind]
    right = sum((item.metrics[metric] or 0.0) == 1 for item in items)
    lines = [f"{right} of {len(items)} have a perfect `{metric}`.", ""]
    for one in found:
        file = options.out / f"{name}-{one.name.rpartition('-')[2].lstrip('0') or 0}.png"
        _write_picture(file, one.image, options.side)
        lines += [f"![{one.name}]({file.name})", "", f"`{metric}` {one.score:.2f}", ""]
        lines += [f"- truth: {_quoted(one.truth)}", f"- answer: {_quoted(one.answer)}"]
        if cause := causes.get(f"{name}/{one.name}"):
            lines.append(f"- cause, by guess: {cause}")
        lines.append("")
    return "\n".join(lines)


def _write_picture(file: Path, image: bytes, side: int) -> None:
    picture = Image.open(io.BytesIO(image)).convert("L")
    picture.thumbnail((side, side), Image.Resampling.LANCZOS)
    stream = io.BytesIO()
    picture.quantize(16).save(stream, "PNG", optimize=True)
    write_file(file, stream.getvalue())


def _quoted(text: str) -> str:
    """As code in one line; what is too long is cut."""
    shown = " ".join(text.split())
    return f"<code>{html.escape(shown[:SHOWN])}</code>" + (" ..." if len(shown) > SHOWN else "")


def main() -> None:
    """Entry point of ``python -m train.failures``."""
    run_door(lambda: failures(tyro.cli(Options, prog="python -m train.failures", description=__doc__)))


if __name__ == "__main__":
    main()
