"""Results on disk: Markdown, JSON, cut pictures, tables, and pictures for people to check them by.

Every name is made of the name that the caller gives the page and of numbers; none comes from an answer.
"""

import contextlib
import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

from PIL import Image

from dsocr_jax.answers.table_forms import to_csv, to_records
from dsocr_jax.answers.tables import write_table
from dsocr_jax.answers.understand import Result, relinked
from dsocr_jax.errors import UserError
from dsocr_jax.reading.results.overlay import overlay
from dsocr_jax.reading.results.redraw import beside, redraw

#: Folder of the pictures that are cut out of pages, beside the Markdown that links them.
IMAGES = "images"
_QUALITY = 92
#: The longest side that JPEG files can have, in pixels; a longer figure is made smaller.
_MAX_SIDE = 65_500


def describe(result: Result) -> dict[str, Any]:
    """Return the result as plain values for JSON; boxes as lists, tables as HTML and rows, no pictures."""
    figure = result.figure
    return {
        "kind": result.kind,
        "text": result.text,
        "width": result.size[0],
        "height": result.size[1],
        "regions": [
            {"label": region.label, "box": list(region.box), "pixels": list(region.pixels), "figure": region.figure}
            for region in result.regions
        ],
        "tables": [
            {
                "caption": found.caption,
                "whole": found.whole,
                "html": write_table(found.table),
                "records": to_records(found.table),
            }
            for found in result.tables
        ],
        "molecule": result.molecule or None,
        "geometry": None
        if figure is None
        else {
            "segments": [[*segment.start, *segment.end, segment.dashed] for segment in figure.segments],
            "points": {label: list(point) for label, point in figure.points},
            "circles": [{"label": c.label, "center": list(c.center), "radius": c.radius} for c in figure.circles],
        },
        "warnings": list(result.warnings),
    }


def write_result(
    result: Result,
    picture: Image.Image,
    folder: Path,
    name: str,
    more: Mapping[str, Any] | None = None,
    drawings: bool = True,
) -> list[Path]:
    """Write one page's result; each file appears whole or not at all, and those written before stay as they are.

    - ``NAME.md``: the Markdown; ``images/NAME_0.jpg`` ...: what it links;
    - ``NAME_table_0.csv`` ...: its tables, safe to open in a spreadsheet;
    - ``NAME_boxes.jpg``: the page with its regions, ``NAME_redrawn.png``: a chart's table, a molecule or a figure
      drawn beside the picture; each only where there is something to draw;
    - ``NAME.json``, written last: `describe` and ``more``.

    Args:
        result: what was understood.
        picture: the upright picture, of the size that the result was made for.
        folder: made if it is not there.
        name: a file name without suffix.
        more: further entries of the JSON (source, mode, tokens); they come first and win over equal names.
        drawings: whether the two pictures for people are made.

    Returns:
        The files, the Markdown first.

    Raises:
        UserError: the name is not a plain file name, or the folder cannot be written.
        ValueError: the picture has another size.
    """
    if not name or Path(name).name != name or name == ".." or "\0" in name:
        raise UserError(f"{name!a} cannot name files; give a plain name, without folders")
    if picture.size != result.size:
        raise ValueError(f"the result is for a picture of {result.size}, this one has {picture.size}")
    files: dict[str, bytes] = {}
    files[f"{name}.md"] = _encode(relinked(result, f"{IMAGES}/{quote(name, safe='')}_") + "\n")
    for region in result.regions:
        if region.figure is not None:
            files[f"{IMAGES}/{name}_{region.figure}.jpg"] = _picture(picture.crop(region.pixels), "JPEG")
    for number, found in enumerate(result.tables):
        files[f"{name}_table_{number}.csv"] = _encode(to_csv(found.table))
    if drawings and result.regions:
        files[f"{name}_boxes.jpg"] = _picture(overlay(picture, result.regions), "JPEG")
    if drawings and (drawing := redraw(result)) is not None:
        files[f"{name}_redrawn.png"] = _picture(beside(picture, drawing), "PNG")
    entries = {**dict(more or {}), **{k: v for k, v in describe(result).items() if k not in (more or {})}}
    files[f"{name}.json"] = _encode(json.dumps(entries, ensure_ascii=False, indent=1) + "\n")
    return [_replace(folder / place, content) for place, content in files.items()]


def _encode(text: str) -> bytes:
    # An answer may hold lone surrogates, which no file can.
    return text.encode("utf-8", errors="replace")


def _picture(image: Image.Image, kind: str) -> bytes:
    file = io.BytesIO()
    if max(image.size) > _MAX_SIDE:
        image = image.copy()
        image.thumbnail((_MAX_SIDE, _MAX_SIDE))
    image.convert("RGB").save(file, kind, quality=_QUALITY)
    return file.getvalue()


def _replace(file: Path, content: bytes) -> Path:
    part = file.with_name(file.name + ".partial")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        part.write_bytes(content)
        part.replace(file)
    except OSError as error:
        with contextlib.suppress(OSError):
            part.unlink()
        raise UserError(f"{file}: cannot be written ({error.strerror}); what is there already is intact") from error
    return file
