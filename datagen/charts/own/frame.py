"""What stands around a plot: title, subtitle, legend, source, note; what is left is the plot's room."""

from datagen.charts import reasons
from datagen.charts.look import Look
from datagen.charts.own.page import LEGEND, TITLE, Page
from datagen.charts.own.text import cap, measure
from datagen.charts.plan import DoesNotFitError, Plan

#: A title has at most so many lines.
MAX_LINES = 3
#: A legend at the side may take this share of the page's width; one above or below, of its height.
MAX_SIDE, MAX_STACK = 0.34, 0.24
#: A legend's swatch, the gap to its name, and the gap between entries, in text sizes.
SWATCH, NAME_GAP, ENTRY_GAP = 1.3, 0.45, 1.1
#: Height of a legend's row in text sizes.
ROW = 1.5


Box = tuple[float, float, float, float]


class Room:
    """What is left of the page; parts of the chart take from its edges. Also where the legend's swatches stand.

    ``swatches`` are (left, middle, index): a swatch `SWATCH` text sizes wide and one high begins at ``left``.
    ``frame`` is the box of the legend's frame.
    """

    __slots__ = ("bottom", "frame", "left", "right", "swatches", "top")

    def __init__(self, left: float, top: float, right: float, bottom: float) -> None:
        self.left, self.top, self.right, self.bottom = left, top, right, bottom
        self.swatches: list[tuple[float, float, int]] = []
        self.frame: tuple[int, int, int, int] | None = None


def lay_frame(page: Page, look: Look, plan: Plan, entries: tuple[str, ...]) -> Room:
    """Place title, subtitle, source, note and legend, and return the room that is left.

    Args:
        page: the page.
        look: how.
        plan: the texts.
        entries: names in the legend; a legend inside the plot or at the ends of lines is left to others.

    Raises:
        DoesNotFitError: a title or the legend is too large.
    """
    pad = look.pad
    room = Room(pad, pad, page.width - pad, page.height - pad)
    if look.accent != "none":
        room.top += max(3, look.size // 4) + (4 if look.accent == "bar" else 2)
    ink_colour, faint = look.theme.ink, look.theme.faint
    for text, size, face in (
        (plan.note, look.small, look.font),
        (plan.source, look.small, look.font),
        (plan.title if look.title_bottom else "", look.title_size, look.bold if look.title_bold else look.font),
    ):
        if text:
            align = look.title_align if size == look.title_size else "left"
            _lines(page, room, text, (face, size), align, faint if size == look.small else ink_colour, below=True)
            room.bottom -= size * 0.3
    if plan.title and not look.title_bottom:
        font = (look.bold if look.title_bold else look.font, look.title_size)
        _lines(page, room, plan.title, font, look.title_align, ink_colour)
    if plan.subtitle:
        room.top += look.small * 0.15
        _lines(page, room, plan.subtitle, (look.font, look.small + 1), look.title_align, faint)
    if plan.title or plan.subtitle:
        room.top += look.size * 0.45
    if entries:
        _lay_legend(page, room, look, entries)
    return room


def wrap(text: str, font: tuple[str, int], width: float, most: int) -> list[str] | None:
    """Return ``text`` in at most ``most`` lines no wider than ``width``; None if there is no way."""
    if measure(*font, text) <= width:
        return [text]
    # Texts without spaces (Chinese, Japanese, Thai) break anywhere.
    words = text.split(" ")
    glue = " "
    if len(words) < 2 and text and ord(text[0]) > 0x2E00:
        words, glue = list(text), ""
    wide = [measure(*font, word) for word in words]
    if max(wide) > width:
        return None
    between = measure(*font, glue) if glue else 0
    lines, used = [words[0]], wide[0]
    for word, more in zip(words[1:], wide[1:], strict=True):
        used += between + more
        if used <= width:
            lines[-1] += glue + word
        else:
            lines.append(word)
            used = more
    return lines if len(lines) <= most else None


def _lines(
    page: Page,
    room: Room,
    text: str,
    font: tuple[str, int],
    align: str,
    colour: tuple[int, int, int],
    *,
    below: bool = False,
) -> None:
    """Place a text in as many lines as it takes at the room's top (or bottom)."""
    lines = wrap(text, font, room.right - room.left, MAX_LINES)
    if lines is None:
        raise DoesNotFitError(reasons.TITLE)
    share = {"left": 0.0, "center": 0.5, "right": 1.0}[align]
    x = room.left + share * (room.right - room.left)
    tall, step = cap(*font), font[1] * 1.3
    if below:
        room.bottom -= step * len(lines)
    first = room.bottom + (step - tall) / 2 if below else room.top + (step - tall) / 3
    for number, line in enumerate(lines):
        page.level(x, first + number * step, line, font, colour, share, "t", TITLE)
    if not below:
        room.top += step * len(lines)


def _lay_legend(page: Page, room: Room, look: Look, entries: tuple[str, ...]) -> None:
    widths = [measure(look.font, look.size, name) for name in entries]
    (_legend_beside if look.legend in ("right", "left") else _legend_in_rows)(page, room, look, entries, widths)


def _legend_beside(page: Page, room: Room, look: Look, entries: tuple[str, ...], widths: list[int]) -> None:
    size, font = look.size, (look.font, look.size)
    row = round(ROW * size)
    wide = max(widths) + (SWATCH + NAME_GAP) * size
    high = row * len(entries)
    if wide > MAX_SIDE * page.width or high > room.bottom - room.top:
        raise DoesNotFitError(reasons.LEGEND)
    inset = 0.4 * size if look.legend_frame else 0.0
    x = room.right - wide - inset if look.legend == "right" else room.left + inset
    start = room.top + max(inset, (room.bottom - room.top - high) * 0.4)
    for number, name in enumerate(entries):
        _entry(page, room, look, (x, start + row * (number + 0.5)), (name, number), font)
    if look.legend_frame:
        room.frame = (int(x - inset), int(start - inset), int(x + wide + inset), int(start + high + inset))
    if look.legend == "right":
        room.right = x - size - inset
    else:
        room.left = x + wide + size + inset


def _legend_in_rows(page: Page, room: Room, look: Look, entries: tuple[str, ...], widths: list[int]) -> None:
    size, font = look.size, (look.font, look.size)
    row, extra = round(ROW * size), (SWATCH + NAME_GAP) * size
    rows: list[list[int]] = [[]]
    used, wide = 0.0, room.right - room.left
    gap = ENTRY_GAP * size
    for number, width in enumerate(widths):
        if rows[-1] and used + width + extra > wide:
            rows.append([])
            used = 0.0
        rows[-1].append(number)
        used += width + extra + gap
    if row * len(rows) > MAX_STACK * page.height or max(widths) + extra > wide:
        raise DoesNotFitError(reasons.LEGEND)
    if look.legend == "top":
        first = room.top
        room.top += row * len(rows) + size * 0.4
    else:
        room.bottom -= row * len(rows)
        first = room.bottom
        room.bottom -= size * 0.4
    for line, numbers in enumerate(rows):
        total = sum(widths[number] + extra for number in numbers) + gap * (len(numbers) - 1)
        x = room.left + (0.0 if look.legend_align == "left" else (wide - total) / 2)
        for number in numbers:
            _entry(page, room, look, (x, first + row * (line + 0.5)), (entries[number], number), font)
            x += widths[number] + extra + gap


def _entry(
    page: Page, room: Room, look: Look, place: tuple[float, float], entry: tuple[str, int], font: tuple[str, int]
) -> None:
    x, y = place
    room.swatches.append((x, y, entry[1]))
    page.level(x + (SWATCH + NAME_GAP) * look.size, y, entry[0], font, look.theme.ink, 0.0, "m", LEGEND)


def lay_inside(
    page: Page, room: Room, look: Look, entries: tuple[str, ...], box: tuple[int, int, int, int], busy: list[Box]
) -> None:
    """Place the legend in a corner of the plot ``box`` that holds none of the ``busy`` boxes.

    Raises:
        DoesNotFitError: there is no such corner.
    """
    size, font = look.size, (look.font, look.size)
    row, inset = round(ROW * size), round(0.4 * size)
    wide = round(max(measure(look.font, size, name) for name in entries) + (SWATCH + NAME_GAP) * size) + 2 * inset
    tall = row * len(entries) + 2 * inset
    left, top, right, bottom = box
    margin = round(0.5 * size)
    if wide > (right - left) * 0.6 or tall > (bottom - top) * 0.6:
        raise DoesNotFitError(reasons.LEGEND)
    xs, ys = (right - margin - wide, left + margin), (top + margin, bottom - margin - tall)
    for x, y in [(x, y) for y in ys for x in xs]:
        if all(b[0] >= x + wide + 4 or b[2] <= x - 4 or b[1] >= y + tall + 4 or b[3] <= y - 4 for b in busy):
            for number, name in enumerate(entries):
                place = x + inset, y + inset + row * (number + 0.5)
                room.swatches.append((*place, number))
                at = place[0] + (SWATCH + NAME_GAP) * size
                page.level(at, place[1], name, font, look.theme.ink, 0.0, "m", LEGEND, on_paper=False)
            room.frame = (x, y, x + wide, y + tall)
            return
    raise DoesNotFitError(reasons.COVERED)
