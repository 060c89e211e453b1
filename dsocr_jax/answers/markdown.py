"""The answer of a page with grounding → Markdown without it, as the released scripts save it.

A part labelled ``image`` becomes a link to the picture that is cut out there, every other part goes away and leaves the
text that follows it. A page that is nothing but parts was read line by line ("OCR this image", "Locate"): there the
labels are the text.
"""

import re
from collections.abc import Mapping

from dsocr_jax.answers.grounding import Scan
from dsocr_jax.answers.text import remove_invisible

#: The label of a part that is cut out and linked.
IMAGE = "image"
#: Labels that name a region's kind rather than repeat its text; the released model writes these, perhaps more.
LAYOUT = frozenset(
    {
        *("title", "sub_title", "text", "list", "abstract", "references", "reference", "code", "aside_text"),
        *("table", "table_caption", "table_footnote", "equation", "formula", "chart", "caption", "figure_title"),
        *(IMAGE, "image_caption", "image_footnote", "figure", "header", "footer", "footnote"),
        *("page_number", "page_header", "page_footer"),
    }
)

_LATEX = re.compile(r"\\(?:coloneqq|eqqcolon)")
_PLAIN = {r"\coloneqq": ":=", r"\eqqcolon": "=:"}
_GAP = re.compile(r"\n{3,}")


def to_markdown(text: str, scan: Scan, links: Mapping[int, list[str]]) -> str:
    """Return the Markdown of a page's answer.

    Differences from the released scripts: parts are replaced where they stand, so that two equal parts have a link
    each; a part with two boxes has two links; broken parts leave no tags behind; controls and direction marks go.

    Args:
        text: the answer.
        scan: what `scan_grounding` found in it.
        links: number of a part in ``scan.parts`` → addresses of the pictures that were cut out there.
    """
    pieces: list[tuple[tuple[int, int], str]] = [(broken.span, "") for broken in scan.broken]
    for number, part in enumerate(scan.parts):
        pieces.append((part.span, "".join(f"![]({link})\n" for link in links.get(number, []))))
    kept: list[str] = []
    at = 0
    for (start, end), new in sorted(pieces):
        kept += [text[at:start], new]
        at = end
    kept.append(text[at:])
    markdown = "".join(kept)
    if not markdown.strip() and any(part.label not in LAYOUT for part in scan.parts):
        markdown = "\n".join(part.label for part in scan.parts)
    if any(part.label != IMAGE for part in scan.parts):
        markdown = _GAP.sub("\n\n", _LATEX.sub(lambda found: _PLAIN[found[0]], markdown))
    return remove_invisible(markdown).strip()
