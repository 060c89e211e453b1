"""Contact sheets as one picture: cards in two columns, each with a picture and its label in readable lines."""

from collections.abc import Sequence

from PIL import Image, ImageDraw, ImageFont

from datagen import fonts
from datagen.records import Record
from datagen.shaped import draw_lines, needs_shaping
from dsocr_jax.answers.errors import AnswerError
from dsocr_jax.answers.geometry import parse_figure
from dsocr_jax.answers.tables import parse_table

#: Lengths in pixels.
_COLUMNS, _PICTURE, _TEXT, _PAD = 2, 340, 380, 14
_CARD = _PICTURE + _TEXT + 3 * _PAD
_LINE = 18
_CAPTION = 26
_MOST_LINES = 22

_BACKGROUND, _PAPER, _INK, _FAINT, _EDGE = (
    (233, 235, 238),
    (255, 255, 255),
    (25, 28, 33),
    (110, 116, 125),
    (200, 204, 210),
)


def draw_sheet(records: Sequence[Record]) -> Image.Image:
    """Return a picture with a card for every record, row by row."""
    cards = [_draw_card(record) for record in records]
    rows = [cards[first : first + _COLUMNS] for first in range(0, len(cards), _COLUMNS)]
    heights = [max(card.height for card in row) for row in rows]
    columns = min(_COLUMNS, len(cards))
    size = (columns * (_CARD + _PAD) + _PAD, sum(heights) + _PAD * (len(rows) + 1))
    sheet = Image.new("RGB", size, _BACKGROUND)
    y = _PAD
    for row, height in zip(rows, heights, strict=True):
        for place, card in enumerate(row):
            x = _PAD + place * (_CARD + _PAD)
            sheet.paste(_PAPER, (x, y, x + _CARD, y + height))
            sheet.paste(card, (x, y))
        y += height + _PAD
    return sheet


def _draw_card(record: Record) -> Image.Image:
    picture = record.pil()
    picture.thumbnail((_PICTURE, _PICTURE), Image.Resampling.LANCZOS)
    label = draw_label(record, _TEXT, _MOST_LINES, 12, _LINE)
    height = _CAPTION + 2 * _PAD + max(picture.height, label.height)
    card = Image.new("RGB", (_CARD, height), _PAPER)
    draw = ImageDraw.Draw(card)
    draw.text((_PAD, _PAD - 4), f"{record.kind} {record.id}", fill=_INK, font=fonts.load("DejaVuSans-Bold", 14))
    draw.text(
        (_CARD - _PAD, _PAD - 2),
        f"{record.width} × {record.height} pixels, {len(record.label)} characters",
        fill=_FAINT,
        font=fonts.load("DejaVuSans", 12),
        anchor="ra",
    )
    top = _PAD + _CAPTION
    card.paste(picture, (_PAD, top))
    draw.rectangle((_PAD - 1, top - 1, _PAD + picture.width, top + picture.height), outline=_EDGE)
    card.paste(label, (_PICTURE + 2 * _PAD, top))
    return card


def draw_label(record: Record, width: int, most: int, size: int, line: int) -> Image.Image:
    """Return a record's label on white paper, in letters of any script.

    Args:
        record: whose label it is.
        width: of the picture, in pixels.
        most: the most lines; the last one says how many more there are.
        size: of the type, pixels per em.
        line: from one line to the next, in pixels.
    """
    if needs_shaping(record.label) or _face(record) is None:
        text = readable(record.kind, record.label, columns=False)
        drawn = Image.fromarray(draw_lines(text, width, size, line, _INK, str(record.meta.get("language"))))
        count = round(drawn.height / line)
        if count <= most:
            return drawn
        drawn = drawn.crop((0, 0, width, most * line))
        drawn.paste(_PAPER, (0, (most - 1) * line, width, most * line))
        draw, font = ImageDraw.Draw(drawn), fonts.load("DejaVuSans", size)
        draw.text((0, (most - 1) * line), _more(count - most + 1), fill=_INK, font=font)
        return drawn
    lines, font = label_lines(record, width, most, size)
    drawn = Image.new("RGB", (width, max(len(lines), 1) * line), _PAPER)
    draw = ImageDraw.Draw(drawn)
    for place, text in enumerate(lines):
        draw.text((0, place * line), text, fill=_INK, font=font)
    return drawn


def _more(count: int) -> str:
    return f"… and {count} line{'s' if count > 1 else ''} more"


def label_lines(record: Record, width: int, most: int, size: int) -> tuple[list[str], ImageFont.FreeTypeFont]:
    """Return a record's label in lines, and the font to draw them with, which may lack some of their letters.

    Args:
        record: whose label it is.
        width: the widest line, in pixels.
        most: the most lines; the last one says how many more there are.
        size: of the font.
    """
    name = _face(record) or "DejaVuSans"
    mono, font = name == "DejaVuSansMono", fonts.load(name, size)
    text = readable(record.kind, record.label, columns=mono)
    if record.kind == "charts" and any(font.getlength(line) > width for line in text.split("\n")):
        text = readable(record.kind, record.label, columns=False)
    lines = wrapped(text, font, width, anywhere=record.kind != "pages")
    if len(lines) > most:
        lines = [*lines[: most - 1], _more(len(lines) - most + 1)]
    return lines, font


def _face(record: Record) -> str | None:
    """Return the first face that has every character of the label, if one has."""
    return next((name for name in _faces(mono=record.kind != "pages") if fonts.covers(name, record.label)), None)


def _faces(*, mono: bool) -> tuple[str, ...]:
    """Return faces in the order in which they are tried."""
    return ("DejaVuSansMono" if mono else "DejaVuSans", "NotoSans", *fonts.names("sans", script="hans"))


def readable(kind: str, label: str, *, columns: bool = True) -> str:
    """Return a label in lines that people can read; as it is, when it cannot be parsed.

    Args:
        kind: the kind of the sample.
        label: the label.
        columns: whether all characters of the font are equally wide, so that tables can have columns.
    """
    try:
        if kind == "charts":
            rows = parse_table(label).rows
            return _table(rows) if columns else "\n".join(" | ".join(row) for row in rows)
        if kind == "geometry":
            figure = parse_figure(label)
            strokes = [f"{'- -' if s.dashed else '---'} {_point(s.start)} to {_point(s.end)}" for s in figure.segments]
            circles = [f"circle {c.label} {_point(c.center)} radius {c.radius}" for c in figure.circles]
            return "\n".join([*strokes, *circles, *(f"{name} {_point(point)}" for name, point in figure.points)])
    except AnswerError as error:
        return f"{label}\n\n{error}"
    return label


def _table(rows: tuple[tuple[str, ...], ...]) -> str:
    """Return cells in columns: names to the left, values to the right."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return "\n".join(
        "  ".join(
            [row[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True))]
        )
        for row in rows
    )


def _point(point: tuple[float, float]) -> str:
    return f"({point[0]}, {point[1]})"


def wrapped(text: str, font: ImageFont.FreeTypeFont, width: int, *, anywhere: bool) -> list[str]:
    """Break ``text`` into lines of at most ``width`` pixels, between words or (``anywhere``) between characters."""
    lines = []
    for paragraph in text.split("\n"):
        line = ""
        for piece in paragraph if anywhere else _pieces(paragraph, font, width):
            if line and font.getlength(line + piece.rstrip()) > width:
                lines.append(line.rstrip())
                line = ""
            line += piece
        lines.append(line.rstrip())
    return lines


def _pieces(paragraph: str, font: ImageFont.FreeTypeFont, width: int) -> list[str]:
    """Return words with the spaces after them; a word wider than the line comes in characters."""
    pieces: list[str] = []
    for word in paragraph.split(" "):
        pieces += [f"{word} "] if font.getlength(word) <= width else [*word, " "]
    return pieces
