"""A document and a look as source of typst.

Every element stands on a block whose fill is fully transparent: nothing of it is seen, but its colour, which holds the
element's number, stands in the PDF before what the element draws. That is how `datagen.pages.typeset` knows what
belongs to which element and where it is, in every column.
"""

from collections.abc import Mapping

from datagen.pages.document import Document, Element
from datagen.pages.languages import Language
from datagen.pages.look import TALL, Look, figure_size
from datagen.pages.rich import quote
from datagen.pages.typefaces import MONO

#: The red of marks; green and blue hold the number.
MARK = 90
#: Width of a character of the listings' face, in em, and its size in that of the text around it: as high as letters.
_MONO_ADVANCE, _MONO_SIZE = 0.602, 1.1
#: Formulas are made smaller where their column is too narrow, but not below this share of their size.
_LEAST = 0.7
#: A syllable of Myanmar script. typst breaks lines where Burmese has its words; in other languages that is amid
#: syllables, so there every syllable is kept together.
_SYLLABLE = (
    r"[\u{1000}-\u{102a}\u{103f}\u{104e}\u{1050}-\u{1055}\u{105a}-\u{105d}\u{1061}\u{1065}\u{1066}\u{106e}-\u{1070}"
    r"\u{1075}-\u{1081}\u{108e}](?:\u{1039}[\u{1000}-\u{102a}]|\p{M}|[\u{1000}-\u{102a}\u{1075}-\u{1081}]\u{103a})*"
)
#: What typst is told to say of a formula that is still too wide.
TOO_WIDE = "formula too wide"
#: The number of what belongs to no element: lines and frames.
DECORATION = 0

_FUNCTIONS = """
#let mark(n) = rgb({mark}, calc.quo(n, 256), calc.rem(n, 256), 0)
#let put(n, body, ..o) = block(width: 100%, fill: mark(n), ..o, body)
#let deco(body, ..o) = block(width: 100%, fill: mark(0), ..o, body)
#let i(n, body) = box(fill: mark(n), body)
#let bare(body) = {{ set par(first-line-indent: 0pt, justify: false); body }}
#let head(n, size, body, above: 1.3em, below: 0.75em, side: start) = put(n, above: above,
  below: below + tight - 0.45em, sticky: true, bare({{ set align(side)
  set text(size: size, weight: "bold", fill: accent, font: heading-fonts)
  set par(leading: tight); body }}))
#let title(n, body) = head(n, 1.7em, body, above: 0.4em, below: 0.55em, side: title-side)
#let subtitle(n, body) = head(n, 1.15em, body, above: 0.5em, below: 0.5em, side: title-side)
#let masthead(n, body) = head(n, 2.9em, body, above: 0.1em, below: 0.3em, side: center)
#let headline(n, body) = head(n, 1.75em, body, above: 0.7em, below: 0.45em)
#let h1(n, body) = head(n, 1.35em, body, side: heading-side)
#let h2(n, body) = head(n, 1.15em, body, above: 1.1em, below: 0.65em, side: heading-side)
#let text-block(n, body) = put(n, par(body))
#let small(n, body) = put(n, bare({{ set text(size: 0.85em); par(body) }}))
#let centred(n, body) = put(n, bare({{ set align(center); par(body) }}))
#let flush(n, body) = put(n, bare(par(body)))
#let ending(n, body) = put(n, bare({{ set align(end); par(body) }}))
#let quoted(n, body) = put(n, bare({{ pad(x: 1.8em, {{ set text(style: quote-style); par(body) }}) }}))
#let abstract(n, body) = put(n, bare({{ pad(x: 2em, {{ set text(size: 0.9em); set par(justify: true); par(body) }}) }}))
#let list-block(n, body) = put(n, bare(body))
#let table-block(n, body) = put(n, breakable: false, bare({{ set text(size: 0.88em); set par(leading: tight)
  align(table-side, body) }}))
#let code(n, body) = put(n, breakable: false, above: 1em, below: 1em, bare({{ set text(size: code-size)
  block(width: 100%, fill: code-fill, stroke: code-stroke, inset: code-inset, radius: 2pt, body) }}))
#let plain-block(n, body) = put(n, breakable: false, above: 0.9em, below: 0.9em, bare(body))
#let caption(n, body) = put(n, bare({{ set text(size: 0.85em); set align(center); par(body) }}))
#let note(n, body) = put(n, above: tight + 0.1em, below: tight, bare({{ set text(size: 0.8em); set par(leading: tight)
  par(body) }}))
#let figure-block(n, w, h) = deco(above: 0.9em, below: 0.6em, breakable: false, align(center,
  block(width: w, height: h, fill: mark(n))))
#let equation(body, number) = layout(size => {{
  let side = if number == "" {{ 0pt }} else {{ measure(number).width + 0.6em.to-absolute() }}
  let wide = measure(body).width
  if wide + 2 * side <= size.width {{
    return grid(columns: (1fr, auto, 1fr), align: horizon, [], body, align(end, number)) }}
  let part = calc.min(1, (size.width - side) / wide)
  assert(part > {least}, message: "{too_wide}")
  grid(columns: (1fr, auto), align: horizon, align(center, scale(part * 100%, reflow: true, body)), number)
}})
#let keep(body) = block(width: 100%, breakable: false, above: 1.5em, below: 1.5em, body)
#let foot(body) = place(bottom, float: true, clearance: 0.8em, block(width: 100%, {{
  deco(below: 0.4em, height: 0.6pt, line(length: 30%, stroke: 0.5pt + ink)); body }}))
#let wide(body) = place(top, float: true, scope: "parent", clearance: 1.4em,
  block(width: 100%, {{ body; [#metadata(0)<wide-end>] }}))
#let rule-line = deco(above: 0.6em, below: 0.6em, height: 0.6pt, line(length: 100%, stroke: 0.6pt + ink))
#let thick-line = deco(above: 0.8em, below: 0.35em, height: 1.6pt, line(length: 100%, stroke: 1.6pt + ink))
#let dashed-line = deco(above: 0.7em, below: 0.7em, height: 0.7pt, line(length: 100%,
  stroke: (paint: ink, thickness: 0.7pt, dash: "dashed")))
#let blank(w) = box(width: w, height: 0.9em, stroke: (bottom: 0.6pt + ink))
#let frame(body) = deco(above: 1em, below: 1em, block(width: 100%, stroke: 0.8pt + ink, inset: 0.9em, body))
#let answer-lines(n) = for _ in range(n) {{ deco(above: 1.7em, below: 0.4em, height: 0.5pt, line(length: 100%,
  stroke: 0.4pt + ink.lighten(40%))) }}
#let pair(a, b) = grid(columns: (1fr, 1fr), column-gutter: 1.5em, a, b)
"""

#: Style → function of the template.
_STYLES = {
    "text": "text-block",
    "list": "list-block",
    "table": "table-block",
    "block": "plain-block",
}


def source(document: Document, look: Look, figures: Mapping[int, float], dice_look: Mapping[str, str]) -> str:
    """Return the page as source of typst; lengths of one point are one pixel.

    Args:
        document: what the page says.
        look: its form.
        figures: number of a figure → its height / width.
        dice_look: names of small manners → code of typst (`manners`).
    """
    numbers = {id(element): number for number, element in enumerate(document.elements(), 1)}
    parts = [_preamble(document, look, dice_look, numbers)]
    # Notes come last in the order of reading, but first in the source: their room at the foot of the first column is
    # set aside before the text fills it.
    start = document.body.index("#foot[") if "#foot[" in document.body else len(document.body)
    for part in (*document.body[start:], *document.body[:start]):
        parts.append(part if isinstance(part, str) else _element(part, numbers[id(part)], look, figures))
    return "\n\n".join(parts)


def manners(look: Look, roll: float) -> dict[str, str]:
    """Return small manners of a look; ``roll`` is a number of [0, 1) that chooses among them."""
    boxed = roll < 0.5
    return {
        "code-fill": _colour(_mixed(look.paper, look.ink, 0.06)) if boxed else "none",
        "code-stroke": "none" if boxed and roll < 0.3 else f"0.5pt + {_colour(_mixed(look.paper, look.ink, 0.5))}",
        "code-inset": "0.6em",
        "cell-inset": ("(x: 0.5em, y: 0.32em)", "(x: 0.7em, y: 0.45em)")[roll < 0.6],
        "shade": _colour(_mixed(look.paper, look.ink, 0.1)),
        "title-side": "center" if look.centred else "start",
        "heading-side": "center" if look.centred and roll < 0.4 else "start",
        "table-side": "center" if roll < 0.7 else "start",
        "quote-style": '"italic"' if look.faces[0] in _ITALIC else '"normal"',
    }


#: Families with italics.
_ITALIC = frozenset({"Libertinus Serif", "New Computer Modern", "STIXGeneral", "Noto Sans"})


def _mixed(one: tuple[int, int, int], two: tuple[int, int, int], share: float) -> tuple[int, int, int]:
    a, b, c = (round(x + (y - x) * share) for x, y in zip(one, two, strict=True))
    return a, b, c


def _colour(colour: tuple[int, int, int]) -> str:
    return f"rgb({colour[0]}, {colour[1]}, {colour[2]})"


def _fonts(families: tuple[str, ...]) -> str:
    return f"({', '.join(map(quote, families))},)"


def _preamble(document: Document, look: Look, manner: Mapping[str, str], numbers: Mapping[int, int]) -> str:
    left, right, top, bottom = look.margins
    height = f"{look.height}pt" if look.height else "auto"
    lets = {
        "ink": _colour(look.ink),
        "accent": _colour(look.accent),
        "tight": "0.75em" if document.language.script in TALL else "0.45em",
        "heading-fonts": _fonts(look.heading_faces),
        "code-size": f"{_code_size(document, look):.3f}em",
        **manner,
    }
    lines = [f"#let {name} = {value}" for name, value in lets.items()]
    lines.append(_FUNCTIONS.format(mark=MARK, least=_LEAST, too_wide=TOO_WIDE))
    background = _background(look)
    lines.append(
        f"#set page(width: {look.width}pt, height: {height}, columns: {look.columns}, "
        f"margin: (left: {left}pt, right: {right}pt, top: {top}pt, bottom: {bottom}pt), fill: {_colour(look.paper)}, "
        f"header-ascent: 40%, footer-descent: 40%, background: {background}, "
        f"header: {_running(document.header, look, numbers, below=True)}, "
        f"footer: {_running(document.footer, look, numbers, below=False)})"
    )
    lines.append(f"#set columns(gutter: {look.gutter}pt)")
    base, region = _language(document.language)
    lines.append(
        f"#set text(font: {_fonts(look.faces)}, size: {look.size}pt, weight: {look.weight}, fill: ink, "
        f"lang: {quote(base)}{region}, dir: {document.language.direction}, hyphenate: false, fallback: false)"
    )
    lines.append(
        f"#set par(justify: {str(look.justify).lower()}, leading: {look.leading:.2f}em, spacing: {look.spacing:.2f}em, "
        f"first-line-indent: (amount: {look.indent:.2f}em, all: true))"
    )
    lines.append(f"#set block(spacing: {look.spacing:.2f}em)")
    lines.append(f"#show raw: set text(font: {_fonts((MONO.family, *look.faces[1:]))}, dir: ltr, size: {_MONO_SIZE}em)")
    lines.append('#show math.equation: set text(font: ("New Computer Modern Math", "DejaVu Sans"), dir: ltr)')
    if document.language.script == "Mymr" and document.language.tag != "my":
        lines.append(f'#show regex("{_SYLLABLE}"): it => box(it)')
    items = max(look.leading, 0.6)
    lines.append(f"#set enum(spacing: {items:.2f}em)\n#set list(spacing: {items:.2f}em)")
    return "\n".join(lines)


def _code_size(document: Document, look: Look) -> float:
    """Return the size of listings' type, in that of the body, at which their lines need not be broken."""
    lines = [line for part in document.elements() if part.style == "code" for line in part.rich.plain.split("\n")]
    room = look.column / look.size - 2
    return min(0.88, room / (_MONO_ADVANCE * _MONO_SIZE * max(map(len, lines), default=1)))


def _background(look: Look) -> str:
    """Return the lines of ruled paper and those between columns."""
    strokes = []
    left, _, top, bottom = look.margins
    pale = _colour(_mixed(look.paper, (90, 130, 200), 0.35))
    if look.lined and look.height:
        pitch = max((0.7 + look.leading) * look.size, 8)
        count = int((look.height - top) / pitch)
        strokes.append(
            f"for n in range({count}) {{ place(top + left, dy: {top}pt + (n + 1) * {pitch:.2f}pt, "
            f"line(length: 100%, stroke: 0.5pt + {pale})) }}"
        )
    if look.column_rule and look.height:
        # Below what goes over all columns.
        strokes.append(
            "let over = query(<wide-end>).filter(end => end.location().page() == here().page()); "
            f"let start = if over.len() > 0 {{ over.last().location().position().y + 0.7em.to-absolute() }} "
            f"else {{ {top}pt }}"
        )
        for place in range(1, look.columns):
            x = left + place * (look.column + look.gutter) - look.gutter / 2
            strokes.append(
                f"place(top + left, dx: {x:.1f}pt, dy: start, "
                f"line(angle: 90deg, length: {look.height - bottom}pt - start, stroke: 0.5pt + ink))"
            )
    code = "context" if look.column_rule else ""
    return f"{code} {{ {'; '.join(strokes)} }}" if strokes else "none"


def _running(parts: tuple[Element, ...], look: Look, numbers: Mapping[int, int], *, below: bool) -> str:
    if not parts:
        return "none"
    inside = " #h(1fr) ".join(f"#i({numbers[id(part)]})[{part.rich.typst}]" for part in parts)
    if len(parts) == 1:
        inside = f"#h(1fr) {inside} #h(1fr)"
    line = (
        "#deco(above: 0.5em, below: 0.45em, height: 0.5pt, line(length: 100%, stroke: 0.5pt + ink))"
        if look.rule
        else ""
    )
    text = f"#block(width: 100%, spacing: 0.3em)[{inside}]"
    both = f"{text}{line}" if below else f"{line}{text}"
    size = running_size(look)
    return f"[#set text(size: {size:.2f}pt); #set par(first-line-indent: 0pt, justify: false); {both}]"


def running_size(look: Look) -> float:
    """Return the size of type, in pixels per em, of headers and footers: margins must have room for a line of them."""
    return min(0.85 * look.size, 0.3 * min(look.margins[2:]))


def _language(language: Language) -> tuple[str, str]:
    base, _, rest = language.tag.partition("-")
    region = f", region: {quote(rest)}" if len(rest) == 2 and rest.isupper() else ""
    if language.script in ("Hans", "Hant"):
        base, region = "zh", f", region: {quote('CN' if language.script == 'Hans' else 'TW')}"
    return base, region


def _element(element: Element, number: int, look: Look, figures: Mapping[int, float]) -> str:
    if element.figure:
        width, height = figure_size(look, element, figures[number])
        return f"#figure-block({number}, {width:.2f}pt, {height:.2f}pt)"
    return f"#{_STYLES.get(element.style, element.style)}({number})[{element.rich.typst}]"
