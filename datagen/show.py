"""Contact sheets: samples of a set, each picture beside what its label says."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from datagen.records import Record
from datagen.redraw import Redrawn, data_uri, redraw
from datagen.shards import SampleSet
from dsocr_jax.errors import UserError

#: More samples make a page that no browser shows with pleasure.
MAX_COUNT = 2000


def write_sheet(directory: Path, count: int, out: Path) -> int:
    """Write a contact sheet of ``count`` samples of the set in ``directory``, evenly from its kinds.

    Args:
        directory: the set's folder.
        count: how many samples.
        out: a ``.html`` or ``.png`` file.

    Returns:
        How many samples are on it: fewer than ``count`` when a kind has fewer.

    Raises:
        UserError: the set cannot be read, or the file cannot be written.
    """
    if out.suffix.lower() not in (".html", ".png"):
        raise UserError(f"--out must end in .html or .png, not {out.name!r}.")
    if count > MAX_COUNT:
        raise UserError(f"--count must be at most {MAX_COUNT}, not {count}.")
    samples = SampleSet.open(directory)
    records = [samples[index] for index in choose(samples, count)]
    try:
        if out.suffix.lower() == ".html":
            out.write_text(html(records, samples), encoding="utf-8")
        else:
            from datagen.sheet import draw_sheet

            draw_sheet(records).save(out)
    except OSError as error:
        raise UserError(f"cannot write {out}: {error.strerror or error}") from None
    return len(records)


def choose(samples: SampleSet, count: int) -> list[int]:
    """Return the indices of ``count`` samples, as many of each kind as there can be, evenly spaced in each kind."""
    chosen: list[int] = []
    kinds = [kind for kind in samples.kinds if len(samples.indices(kind))]
    for place, kind in enumerate(kinds):
        indices = samples.indices(kind)
        number = min(count // len(kinds) + (place < count % len(kinds)), len(indices))
        chosen += [indices[(2 * turn + 1) * len(indices) // (2 * number)] for turn in range(number)]
    return chosen


@dataclass(frozen=True)
class Card:
    """What the page's template shows of one sample."""

    record: Record
    picture: str
    redrawn: Redrawn
    meta: str


def html(records: Sequence[Record], samples: SampleSet) -> str:
    """Return a page with the pictures inside it; everything that records say is escaped."""
    import jinja2

    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True)
    template = environment.from_string(resources.files("datagen").joinpath("show.html.jinja").read_text("utf-8"))
    cards = [
        Card(
            record,
            data_uri(record.image, f"image/{record.format}"),
            redraw(record.kind, record.label),
            json.dumps(record.meta, ensure_ascii=False, indent=1),
        )
        for record in records
    ]
    return template.render(name=samples.directory.resolve().name, config=samples.manifest.config, cards=cards)
