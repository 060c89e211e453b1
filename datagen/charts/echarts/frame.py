"""What stands around a chart of ECharts: title, legend, source and note; what is left is the chart's room."""

import math
from typing import Any

from datagen.charts import outlines, reasons
from datagen.charts.echarts.options import opts, plain, text_style
from datagen.charts.echarts.styles import css
from datagen.charts.look import Look
from datagen.charts.manners import dice
from datagen.charts.own.frame import MAX_LINES, MAX_SIDE, MAX_STACK, Room
from datagen.charts.palettes import Colour
from datagen.charts.plan import DoesNotFitError, Plan

#: Height of a line in sizes of its text.
LEADING = 1.28
#: A legend's symbol, the gap to its name and the gap between entries, in sizes of its text.
SYMBOL, NAME_GAP, ENTRY_GAP, ROW = 2.0, 0.42, 0.85, 1.17
ICONS = (None, None, None, "roundRect", "circle", "rect")


class Frame:
    """The options that stand around a chart, and where texts were put."""

    def __init__(self, look: Look) -> None:
        pad = look.pad + 2
        self.look = look
        self.room = Room(pad, pad, look.width - pad, look.height - pad)
        self.titles: list[dict[str, Any]] = []
        self.legend: dict[str, Any] = {"show": False}
        #: Every text that must be found in the picture.
        self.expected: list[tuple[str, str]] = []

    def write(
        self, x: float, top: float, lines: list[str], face: tuple[str, int], colour: Colour, align: str, why: str
    ) -> None:  # fmt: skip
        """Put lines on the page, the first one's top at ``top``; ``align`` says what ``x`` is of them."""
        # pyecharts makes a list of titles of each one.
        self.titles.extend(
            plain(
                opts.TitleOpts(
                    title="\n".join(lines), pos_left=x, pos_top=top, padding=0, text_align=align, title_target=None,
                    subtitle_target=None, item_gap=0, text_vertical_align="top",
                    title_textstyle_opts=text_style(*face, colour, line_height=round(LEADING * face[1])),
                )
            )
        )  # fmt: skip
        self.expected += [(line, why) for line in lines]


def lay_frame(look: Look, plan: Plan, entries: tuple[str, ...]) -> Frame:
    """Place title, subtitle, source, note and the legend of ``entries``.

    Raises:
        DoesNotFitError: a title or the legend is too large.
    """
    frame = Frame(look)
    room, theme = frame.room, look.theme
    if look.accent != "none":
        room.top += max(3, look.size // 4) + 2
    bold = look.bold if look.title_bold else look.font
    below = [(plan.note, look.font, look.small, theme.faint), (plan.source, look.font, look.small, theme.faint)]
    if look.title_bottom:
        below.append((plan.title, bold, look.title_size, theme.ink))
    for text, face, size, colour in below:
        lines = wrapped(text, face, size, room.right - room.left)
        if lines:
            room.bottom -= LEADING * size * len(lines)
            align = look.title_align if size != look.small else "left"
            frame.write(_at(room, align), room.bottom, lines, (face, size), colour, align, reasons.TITLE)
    if any(text for text, *_ in below):
        room.bottom -= 0.5 * look.size
    title = "" if look.title_bottom else plan.title
    beside = _beside(look, plan, entries, room)
    for text, face, size, colour in ((title, bold, look.title_size, theme.ink),
                                     (plan.subtitle, look.font, look.small + 1, theme.faint)):  # fmt: skip
        lines = wrapped(text, face, size, room.right - room.left)
        if lines:
            frame.write(_at(room, look.title_align), room.top, lines, (face, size), colour, look.title_align,
                        reasons.TITLE)  # fmt: skip
            room.top += LEADING * size * len(lines)
    if title:
        room.top += 0.45 * look.size
    if entries:
        _legend(frame, entries, beside)
    return frame


def wrapped(text: str, face: str, size: float, width: float) -> list[str]:
    """Return a text in lines no wider than ``width``; none for an empty one."""
    if not text:
        return []
    lines = broken(text, face, size, width, MAX_LINES)
    if lines is None:
        raise DoesNotFitError(reasons.TITLE)
    return lines


def broken(text: str, face: str, size: float, width: float, most: int) -> list[str] | None:
    """Return a text in at most ``most`` lines no wider than ``width``; None if there is no way."""
    # Texts without spaces (Chinese, Japanese) break anywhere.
    glue = " " if " " in text or ord(text[0]) < 0x2E00 else ""
    if not glue:
        # No character is left alone in the last line.
        whole = outlines.width(face, text) * size
        width = min(width, whole / math.ceil(whole / width) + size)
    lines: list[str] = []
    for word in text.split(" ") if glue else list(text):
        longer = f"{lines[-1]}{glue}{word}" if lines else word
        if lines and outlines.width(face, longer) * size <= width:
            lines[-1] = longer
        else:
            lines.append(word)
    fits = all(outlines.width(face, line) * size <= width for line in lines)
    return lines if fits and len(lines) <= most else None


def _at(room: Room, align: str) -> float:
    return room.left + {"left": 0.0, "center": 0.5, "right": 1.0}[align] * (room.right - room.left)


def _beside(look: Look, plan: Plan, entries: tuple[str, ...], room: Room) -> bool:
    """Whether the legend stands in the title's row, as it does in ECharts' own examples."""
    if look.legend not in ("top", "inside") or not entries or look.title_align != "left" or plan.subtitle:
        return False
    if not plan.title or look.title_bottom or dice(look, 1)[0] < 0.4:
        return False
    face = look.bold if look.title_bold else look.font
    wide = outlines.width(face, plan.title) * look.title_size + 2.5 * look.size
    return wide + sum(_widths(look, entries)) < room.right - room.left


def _widths(look: Look, entries: tuple[str, ...]) -> list[float]:
    extra = (SYMBOL + NAME_GAP + ENTRY_GAP) * look.size
    return [outlines.width(look.font, name) * look.size + extra for name in entries]


def _legend(frame: Frame, entries: tuple[str, ...], beside: bool) -> None:
    look, room, size = frame.look, frame.room, frame.look.size
    widths, row, gap = _widths(look, entries), ROW * size, ENTRY_GAP * size
    side = look.legend in ("left", "right")
    inset = 0.5 * size if look.legend_frame else 0.0
    place: dict[str, Any] = {}
    wide = room.right - room.left
    if side:
        taken = max(widths) - gap + 2 * inset
        high = row * len(entries) + gap * (len(entries) - 1)
        if taken > MAX_SIDE * look.width or high > room.bottom - room.top:
            raise DoesNotFitError(reasons.LEGEND)
        place[f"pos_{look.legend}"] = (room.left if look.legend == "left" else look.width - room.right) + inset
        place["pos_top"] = room.top + ((room.bottom - room.top - high) / 2 if dice(look, 1)[0] < 0.5 else inset)
        if look.legend == "left":
            room.left += taken + size
        else:
            room.right -= taken + size
    elif beside:
        place |= {"pos_right": look.width - room.right, "pos_top": look.pad + 2 + 0.1 * look.title_size}
    else:
        rows = _rows(widths, gap, wide)
        high = row * rows + gap * (rows - 1)
        if high > MAX_STACK * look.height or max(widths) > wide:
            raise DoesNotFitError(reasons.LEGEND)
        place["pos_left"] = room.left if look.legend_align == "left" else "center"
        if look.legend == "bottom":
            room.bottom -= high
            place["pos_top"] = room.bottom
            room.bottom -= 0.6 * size
        else:
            place["pos_top"] = room.top
            room.top += high + 0.5 * size
    icon = dice(look, 2)[1]
    frame.legend = plain(
        opts.LegendOpts(
            orient="vertical" if side else "horizontal", padding=0, item_gap=gap, item_width=SYMBOL * size,
            item_height=ROW * size, align="left", legend_icon=ICONS[int(icon * len(ICONS))], border_width=0,
            width=None if side or beside else wide, textstyle_opts=text_style(look.font, size, look.theme.ink),
            **place,
        )
    )  # fmt: skip
    frame.legend["data"] = list(entries)
    if look.legend_frame:
        frame.legend |= {"borderWidth": 1, "borderColor": css(look.theme.grid), "padding": inset, "borderRadius": 3}
    frame.expected += [(name, reasons.LEGEND) for name in entries]


def _rows(widths: list[float], gap: float, wide: float) -> int:
    rows, used = 1, 0.0
    for width in widths:
        if used and used + width - gap > wide:
            rows, used = rows + 1, 0.0
        used += width
    return rows
