"""One answer, of any kind, read into typed parts; the strict parsers of this package do the work."""

import re
from dataclasses import dataclass
from typing import Literal

from dsocr_jax.answers.errors import AnswerError
from dsocr_jax.answers.geometry import Figure, parse_figure
from dsocr_jax.answers.grounding import Box, Scan, scan_grounding, to_pixels
from dsocr_jax.answers.html_tables import FoundTable, find_tables
from dsocr_jax.answers.markdown import IMAGE, to_markdown
from dsocr_jax.answers.smiles import parse_smiles, write_smiles
from dsocr_jax.answers.tables import parse_table
from dsocr_jax.answers.text import remove_invisible
from dsocr_jax.prompts import PROMPTS

#: Pictures that are cut out of one page; a page of thousands of "images" would fill a disk.
MAX_FIGURES = 100
#: Warnings kept for one answer.
MAX_WARNINGS = 20

Kind = Literal["blank", "charts", "geometry", "molecules", "pages"]

#: One word of letters, digits and signs as SMILES has them; whether it is a molecule, the parser says.
_LIKE_SMILES = re.compile(r"[A-Za-z0-9@+\-\[\]()=#$:/\\%.<>]+")


@dataclass(frozen=True)
class Region:
    """A box of the answer's grounding.

    Attributes:
        label: the kind of what is there (``title``, ``image``), or what is written there.
        box: x1, y1, x2, y2 in 0..999.
        pixels: x1, y1, x2, y2 in pixels of the picture as it was given, upright.
        figure: number of the picture that is cut out there; None where none is.
    """

    label: str
    box: Box
    pixels: Box
    figure: int | None = None


@dataclass(frozen=True)
class Result:
    """What an answer says.

    Attributes:
        kind: what the answer is, judged by its form: a chart's table, a figure's dictionary, a molecule, a page's
            text (a description counts as text), or nothing.
        text: the answer as it came.
        markdown: for people: the page without grounding, a chart's or figure's text as it is. Pictures cut out of the
            page are linked as ``images/0.jpg``, ``images/1.jpg`` ...
        size: width and height of the picture, in pixels.
        regions: boxes, in the order of the answer.
        tables: HTML tables, in the order of the answer.
        molecule: canonical isomeric SMILES; empty where there is none.
        figure: segments, points and circles.
        warnings: what could not be read, and why.
    """

    kind: Kind
    text: str
    markdown: str
    size: tuple[int, int]
    regions: tuple[Region, ...] = ()
    tables: tuple[FoundTable, ...] = ()
    molecule: str = ""
    figure: Figure | None = None
    warnings: tuple[str, ...] = ()


def understand(text: str, prompt: str, size: tuple[int, int]) -> Result:
    """Read an answer; no text makes this raise, what cannot be read becomes a warning. The time is linear.

    Boxes do not depend on the mode: see `dsocr_jax.answers.grounding`.

    Args:
        text: the answer without its end mark.
        prompt: what was asked (the full text). A single word is only taken for a molecule when a figure was to be
            parsed.
        size: width and height of the upright picture, in pixels.
    """
    warnings: list[str] = []
    stripped = text.strip()
    kind = _guess(stripped, prompt)
    if kind == "geometry":
        figure = _figure(stripped, warnings)
        return Result(kind, text, remove_invisible(stripped), size, figure=figure, warnings=tuple(warnings))
    if kind == "molecules":
        molecule = _molecule(stripped, warnings)
        return Result(kind, text, remove_invisible(stripped), size, molecule=molecule, warnings=tuple(warnings))
    scan = _scan(text, warnings)
    regions = _regions(scan, size, warnings)
    tables = _tables(text, warnings)
    if len(warnings) > MAX_WARNINGS:
        warnings[MAX_WARNINGS - 1 :] = [f"and {len(warnings) - MAX_WARNINGS + 1} more warnings"]
    markdown = _markdown(text, scan, regions, "images/")
    return Result(kind, text, markdown, size, regions, tables, warnings=tuple(warnings))


def relinked(result: Result, prefix: str) -> str:
    """Return the result's Markdown with its cut pictures linked as ``prefix`` + number + ``.jpg``."""
    if not any(region.figure is not None for region in result.regions):
        return result.markdown
    return _markdown(result.text, _scan(result.text, []), result.regions, prefix)


def _guess(stripped: str, prompt: str) -> Kind:
    if not remove_invisible(stripped).strip():
        return "blank"
    if stripped.startswith("{") and "line_type" in stripped:
        return "geometry"
    if stripped.startswith("<table") and stripped.endswith("</table>") and stripped.count("<table") == 1:
        return "charts"
    if PROMPTS["figure"].strip() == prompt.strip() and _LIKE_SMILES.fullmatch(stripped):
        return "molecules"
    return "pages"


def _figure(stripped: str, warnings: list[str]) -> Figure | None:
    try:
        return parse_figure(stripped)
    except AnswerError as error:
        warnings.append(str(error))
        return None


def _molecule(stripped: str, warnings: list[str]) -> str:
    try:
        return write_smiles(parse_smiles(stripped))
    except AnswerError as error:
        warnings.append(str(error))
        return ""


def _scan(text: str, warnings: list[str]) -> Scan:
    try:
        scan = scan_grounding(text)
    except AnswerError as error:
        warnings.append(str(error))
        return Scan((), ())
    warnings += [broken.message for broken in scan.broken]
    if scan.clipped:
        warnings.append(f"grounding: {scan.clipped} boxes left 0..999 and were cut")
    return scan


def _regions(scan: Scan, size: tuple[int, int], warnings: list[str]) -> tuple[Region, ...]:
    regions: list[Region] = []
    figures = unseen = 0
    for part in scan.parts:
        for box in part.boxes:
            pixels = to_pixels(box, *size)
            number = None
            if part.label == IMAGE and figures < MAX_FIGURES and pixels[0] < pixels[2] and pixels[1] < pixels[3]:
                number, figures = figures, figures + 1
            elif part.label == IMAGE:
                unseen += 1
            regions.append(Region(part.label, box, pixels, number))
    if unseen:
        warnings.append(f"{unseen} pictures are not cut out: they have no area, or are beyond {MAX_FIGURES}")
    return tuple(regions)


def _tables(text: str, warnings: list[str]) -> tuple[FoundTable, ...]:
    # A chart's label is read as evaluation reads it; only other tables need the wider form.
    try:
        return (FoundTable(parse_table(text.strip()), (0, len(text))),)
    except AnswerError:
        pass
    try:
        tables, problems = find_tables(text)
    except AnswerError as error:
        warnings.append(str(error))
        return ()
    warnings += problems
    ragged = sum(not table.whole for table in tables)
    if ragged:
        warnings.append(f"tables: {ragged} with rows of different length, or cut off")
    return tables


def _markdown(text: str, scan: Scan, regions: tuple[Region, ...], prefix: str) -> str:
    links: dict[int, list[str]] = {}
    at = 0
    for number, part in enumerate(scan.parts):
        here = regions[at : at + len(part.boxes)]
        links[number] = [f"{prefix}{region.figure}.jpg" for region in here if region.figure is not None]
        at += len(part.boxes)
    return to_markdown(text, scan, links)
