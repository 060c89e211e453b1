"""Kinds of pages: functions that put a page's elements together, and how much text each kind holds."""

from collections.abc import Callable

from datagen.pages.document import Document
from datagen.pages.layouts import prints, sheets
from datagen.pages.maker import Maker

#: Layout → what composes it, and the fewest and most characters of its text (of a language with letters).
LAYOUTS: dict[str, tuple[Callable[[Maker, int], Document], tuple[int, int]]] = {
    "plain": (prints.plain, (400, 3600)),
    "book": (prints.book, (900, 3200)),
    "report": (prints.report, (700, 2600)),
    "paper": (prints.paper, (1500, 5000)),
    "newspaper": (prints.newspaper, (2800, 7000)),
    "slide": (sheets.slide, (80, 500)),
    "exam": (sheets.exam, (500, 2000)),
    "note": (sheets.note, (150, 900)),
    "receipt": (sheets.receipt, (100, 500)),
    "form": (sheets.form, (300, 1000)),
}
