"""How a page looks: paper, margins, type, colours. Nothing here decides what the page says."""

from dataclasses import dataclass, replace

from datagen.family import Rejected
from datagen.pages import typefaces
from datagen.pages.document import Document, Element, elements_of
from datagen.pages.settings import PageSettings
from datagen.pages.typefaces import Typeface
from datagen.pages.words import Dice

#: Height / width of papers: ISO, letter, legal, books, squares; and of landscape ones.
_PORTRAIT = (1.414, 1.414, 1.414, 1.294, 1.294, 1.5, 1.6, 1.25)
_SLIDES = (0.5625, 0.5625, 0.75, 0.7071)

#: Papers and inks as RGB.
_PAPERS = ((252, 247, 232), (246, 236, 214), (238, 244, 250), (240, 248, 238), (253, 240, 240), (244, 244, 240))
_INKS = ((0, 0, 0), (0, 0, 0), (20, 20, 24), (40, 40, 44), (25, 30, 75), (60, 30, 20), (10, 50, 40))
_ACCENTS = ((0, 0, 0), (0, 0, 0), (150, 20, 20), (20, 60, 140), (0, 100, 80), (110, 50, 130), (180, 90, 0))
_DARK = (((24, 28, 40), (235, 236, 240)), ((18, 52, 86), (250, 250, 250)), ((30, 30, 30), (230, 226, 210)))

#: Width of a character on average, in em, by script; 0.5 elsewhere. Only used to guess what fits.
_ADVANCE = {
    "Latn": 0.47,
    "Cyrl": 0.53,
    "Grek": 0.52,
    "Hans": 1.0,
    "Hant": 1.0,
    "Jpan": 1.0,
    "Kore": 0.75,
    "Arab": 0.44,
    "Hebr": 0.5,
    "Deva": 0.47,
    "Taml": 0.66,
    "Mlym": 0.68,
    "Mymr": 0.6,
    "Khmr": 0.5,
    "Sinh": 0.58,
    "Cans": 0.68,
    "Thai": 0.45,
    "Armn": 0.58,
    "Geor": 0.58,
    "Ethi": 0.72,
    "Tfng": 0.62,
    "Java": 0.8,
}

#: Scripts with marks far above and below their letters: their lines stand farther apart.
TALL = frozenset(
    [
        "Arab",
        "Thai",
        "Laoo",
        "Khmr",
        "Mymr",
        "Tibt",
        "Deva",
        "Telu",
        "Knda",
        "Taml",
        "Syrc",
        "Beng",
        "Gujr",
        "Guru",
        "Mlym",
        "Sinh",
    ]
)

#: Share of a page that a figure is high at most.
_TALLEST = 0.36

#: Measures of a line, in em of its column's type, below which text would look torn.
_NARROWEST = 11.0


@dataclass(frozen=True)
class Look:
    """A page's form; lengths in pixels unless they say em.

    Attributes:
        width, height: of the page; the height is None where the text decides it (receipts).
        margins: left, right, top, bottom.
        columns, gutter: of text.
        size: of the body's type, pixels per em.
        leading, spacing: between lines and between paragraphs, em.
        indent: of paragraphs' first lines, em.
        justify: whether lines reach both edges.
        faces: families in the order in which signs are looked for.
        heading_faces: likewise for headings.
        weight: of the body's type.
        paper, ink, accent: RGB; accent is for headings.
        centred: whether titles and headings stand in the middle.
        rule: whether a line parts header and footer from the body.
        column_rule: whether a line parts columns.
        lined: whether the paper is ruled.
    """

    width: int
    height: int | None
    margins: tuple[int, int, int, int]
    columns: int
    gutter: int
    size: float
    leading: float
    spacing: float
    indent: float
    justify: bool
    faces: tuple[str, ...]
    heading_faces: tuple[str, ...]
    weight: int
    paper: tuple[int, int, int]
    ink: tuple[int, int, int]
    accent: tuple[int, int, int]
    centred: bool
    rule: bool
    column_rule: bool
    lined: bool

    @property
    def column(self) -> float:
        """Width of a column."""
        inside = self.width - self.margins[0] - self.margins[1]
        return (inside - (self.columns - 1) * self.gutter) / self.columns

    @property
    def coloured(self) -> bool:
        """Whether paper or ink have a colour."""
        return any(len(set(colour)) > 1 for colour in (self.paper, self.ink, self.accent))


def choose(document: Document, dice: Dice, settings: PageSettings, heights: dict[int, float]) -> Look:
    """Choose a look on which the document should more or less fit.

    Args:
        document: what the page says.
        dice: where chance comes from.
        settings: the level's.
        heights: number of a figure → its height / width.

    Raises:
        Rejected: no typeface has every character.
    """
    layout = document.layout
    face, heading = _faces(document, dice, settings.faces)
    width = settings.width[0] + dice.below(settings.width[1] - settings.width[0] + 1)
    height: int | None
    if layout == "slide":
        width = max(width, 800)
        height = round(width * dice.pick(_SLIDES))
        margin_x, margin_y = dice.between(0.05, 0.1), dice.between(0.05, 0.1)
    elif layout == "note":
        width = 400 + dice.below(400)
        height = round(width * dice.between(1.0, 1.5))
        margin_x, margin_y = dice.between(0.06, 0.12), dice.between(0.06, 0.12)
    elif layout == "receipt":
        width = 300 + dice.below(220)
        height = None
        margin_x, margin_y = dice.between(0.05, 0.1), dice.between(0.06, 0.12)
    else:
        height = round(width * dice.pick(_PORTRAIT))
        if layout == "newspaper":
            width = max(width, 820)
            height = round(width * dice.between(1.25, 1.5))
        margin_x, margin_y = dice.between(0.05, 0.13), dice.between(0.06, 0.12)
    if layout == "newspaper":
        margin_x, margin_y = dice.between(0.03, 0.06), dice.between(0.03, 0.06)
    left = round(width * margin_x)
    right = round(left * dice.between(0.8, 1.25)) if dice.chance(0.3) else left
    top = round((height or width) * margin_y) + (14 if document.header else 0)
    bottom = round((height or width) * margin_y * dice.between(0.9, 1.2)) + (14 if document.footer else 0)
    paper, ink, accent = _colours(dice, settings, layout)
    indented = layout in ("book", "paper", "newspaper") and dice.chance(0.65)
    base = Look(
        width=width,
        height=height,
        margins=(left, right, top, bottom),
        columns=document.columns,
        gutter=round(width * dice.between(0.025, 0.045)),
        size=0.0,
        leading=dice.between(0.55, 0.95) + _more_leading(document.language.script),
        spacing=0.0,
        indent=dice.between(1.0, 2.0) if indented else 0.0,
        justify=dice.chance(0.7 if document.columns > 1 or layout == "book" else 0.35),
        faces=face,
        heading_faces=heading,
        weight=dice.pick((300, 400, 400, 400, 450, 500)) if face[0].startswith("Noto Sans") else 400,
        paper=paper,
        ink=ink,
        accent=accent,
        centred=dice.chance(0.3),
        rule=dice.chance(0.5),
        column_rule=document.columns > 1 and dice.chance(0.3),
        lined=layout == "note" and dice.chance(0.4),
    )
    spacing = base.leading if indented and dice.chance(0.8) else base.leading + dice.between(0.3, 0.8)
    size = _size(document, base, spacing, settings, heights, dice)
    return replace(base, size=size, spacing=spacing)


def _more_leading(script: str) -> float:
    """Return what lines of a script stand farther apart than those of Latin letters, in em."""
    return 0.3 if script in ("Mymr", "Khmr", "Tibt", "Java") else 0.15 if script in TALL else 0.0


def roomier(look: Look, factor: float, least: float, widest: int) -> Look:
    """Return a look on which more fits: smaller type down to ``least`` pixels, a larger page, then closer lines."""
    if look.size > least:
        return replace(look, size=max(round(look.size * factor, 2), least))
    if look.width / factor <= widest and look.height:
        left, right, top, bottom = (round(side / factor) for side in look.margins)
        width, height = round(look.width / factor), round(look.height / factor)
        return replace(look, width=width, height=height, margins=(left, right, top, bottom))
    return replace(look, leading=max(look.leading * factor, 0.5), spacing=max(look.spacing * factor, 0.55))


def _faces(document: Document, dice: Dice, wanted: tuple[str, ...]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    characters = frozenset("".join(element.rich.plain for element in document.elements())) - {"\n", " "}
    usable = typefaces.faces(document.language, characters | frozenset("0123456789.,()"))
    if wanted:
        usable = tuple(face for face in usable if face.family in wanted)
    if not usable:
        raise Rejected("no typeface has every character")
    spare = [typefaces.LATIN.family, typefaces.SIGNS.family]
    body = dice.pick(usable)
    if document.layout == "note" and dice.chance(0.5) and typefaces.covered(typefaces.HAND, "".join(characters)):
        body = typefaces.HAND
    if document.layout == "receipt" and dice.chance(0.5) and typefaces.covered(typefaces.MONO, "".join(characters)):
        body = typefaces.MONO
    other: Typeface = dice.pick(usable) if dice.chance(0.35) else body
    return (body.family, *spare), (other.family, *spare)


Colour = tuple[int, int, int]


def _colours(dice: Dice, settings: PageSettings, layout: str) -> tuple[Colour, Colour, Colour]:
    if layout == "slide" and dice.chance(0.25):
        paper, ink = dice.pick(_DARK)
        return paper, ink, ink
    if not dice.chance(settings.tinted):
        gray = 0 if dice.chance(0.6) else dice.below(70)
        light = 255 if dice.chance(0.7) else 238 + dice.below(18)
        return (light, light, light), (gray, gray, gray), (gray, gray, gray)
    paper = dice.pick(_PAPERS) if dice.chance(0.5) and layout != "receipt" else (255, 255, 255)
    return paper, dice.pick(_INKS), dice.pick(_ACCENTS)


def _size(
    document: Document, look: Look, spacing: float, settings: PageSettings, heights: dict[int, float], dice: Dice
) -> float:
    """Return the size of type at which the text fills the page by some share, or the nearest allowed one."""
    low, high = map(float, settings.size)
    if look.height is None:
        return dice.between(low + 1, min(high, 18))
    if document.layout == "slide":
        low, high = max(low, look.height / 34), max(high, look.height / 14)
    room = (look.height - look.margins[2] - look.margins[3]) * look.columns * dice.between(0.7, 1.0)
    widest = look.column / _NARROWEST
    high = max(low, min(high, widest))
    for _ in range(12):
        middle = (low + high) / 2
        low, high = (middle, high) if _needed(document, look, spacing, middle, heights) < room else (low, middle)
    return round(low, 2)


def figure_size(look: Look, element: Element, shape: float) -> tuple[float, float]:
    """Return width and height of a figure whose height / width is ``shape``, in pixels."""
    assert element.figure
    width = look.column * element.figure.share
    most = _TALLEST * (look.height or look.width)
    return (width, width * shape) if width * shape <= most else (most / shape, most)


def _needed(document: Document, look: Look, spacing: float, size: float, heights: dict[int, float]) -> float:
    """Return about how high the body would be in one column of the look, in pixels."""
    advance = _ADVANCE.get(document.language.script, 0.5) * size
    line = (0.7 + look.leading) * size
    total = 0.0
    start = len(document.header) + 1
    for number, element in enumerate(elements_of(document.body), start):
        if element.figure:
            total += figure_size(look, element, heights.get(number, 0.75))[1] + 2 * line
        elif element.height:
            total += element.height * size + 2 * spacing * size
        else:
            pieces = element.rich.plain.split("\n")
            scale = _SCALE.get(element.style, 1.0)
            lines = sum(1 + int(len(piece) * advance * scale / look.column) for piece in pieces)
            total += lines * line * scale + _GAPS.get(element.style, spacing) * size
    return total * (_SINGLE if look.columns == 1 else 1.0)


#: What the guess comes to in wide columns, whose lines are fuller.
_SINGLE = 0.8

#: Size of the type of styles, in that of the body, and the room around them in em.
_SCALE = {"title": 1.7, "h1": 1.35, "h2": 1.15, "masthead": 3.0, "headline": 1.8, "small": 0.85, "note": 0.85}
_GAPS = {"title": 2.5, "h1": 2.2, "h2": 1.8, "masthead": 2.0, "headline": 1.5}
