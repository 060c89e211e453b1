"""What our own renderer paints, measured in the picture."""

import dataclasses
import itertools

import numpy as np
import pytest

from datagen.charts import reasons
from datagen.charts.data import ChartData, NumberFormat, Series
from datagen.charts.look import Look
from datagen.charts.own import renderer
from datagen.charts.own.page import NAME, TICK, TITLE, VALUE, Page
from datagen.charts.own.text import Ink, cap, ink, measure, turned
from datagen.charts.plan import DoesNotFitError, make_plan
from tests.datagen.charts.samples import BLUE, COLOURS, chart, look, runs

FONT = ("DejaVuSans", 14)
BLACK, WHITE = (0, 0, 0), (255, 255, 255)


def draw(data: ChartData, style: Look) -> np.ndarray:
    return renderer.draw(data, dataclasses.replace(style, palette=COLOURS), make_plan(data, style))


@pytest.mark.parametrize("horizontal", [False, True])
def test_bars_are_as_long_as_their_values(horizontal: bool):
    data = chart("bar", (8.0, 2.0, 5.0, 1.0))
    lengths = runs(draw(data, look(data, horizontal=horizontal)), BLUE, 1 if horizontal else 0)
    unit = lengths[0] / 8
    assert lengths == pytest.approx([8 * unit, 2 * unit, 5 * unit, unit], abs=1)


def test_bars_of_losses_hang():
    data = chart("bar", (4.0, -2.0, 4.0))
    image = (draw(data, look(data)) == BLUE).all(-1)
    columns = np.nonzero(image.any(0))[0]
    left, middle = columns[2], (columns[0] + columns[-1]) // 2
    up, down = np.nonzero(image[:, left])[0], np.nonzero(image[:, middle])[0]
    assert abs(down[0] - up[-1]) <= 2
    # The line of zero covers a hanging bar's first row; both ends are rounded to pixels.
    assert len(up) / 2 == pytest.approx(len(down) + 1, abs=1)


def test_stacks_are_as_long_as_their_values():
    data = chart("bar", (8.0, 2.0, 5.0), (4.0, 4.0, 1.0), stacking="stacked")
    image = draw(data, look(data, legend="right"))
    # The last run is the legend's.
    first, second = (runs(image, COLOURS[number], 0)[:3] for number in (0, 1))
    unit = first[0] / 8
    assert [*first, *second] == pytest.approx([value * unit for value in (8, 2, 5, 4, 4, 1)], abs=1)


def test_stacks_to_a_hundred_per_cent_are_equally_high():
    data = chart("bar", (8.0, 2.0, 5.0), (4.0, 4.0, 1.0), stacking="percent")
    image = draw(data, look(data, legend="right"))
    first, second = (runs(image, COLOURS[number], 0)[:3] for number in (0, 1))
    whole = first[0] + second[0]
    assert [a + b for a, b in zip(first, second, strict=True)] == pytest.approx([whole] * 3, abs=1)
    assert first[1] == pytest.approx(whole / 3, abs=1)


def test_bars_on_a_logarithmic_axis_grow_by_decades():
    data = chart("bar", (10.0, 100.0, 1000.0, 9999.0), log=True)
    lengths = runs(draw(data, look(data)), BLUE, 0)
    # The first one stands at the axis' low end.
    steps = np.diff([0, *lengths])
    assert steps == pytest.approx([steps[0]] * len(steps), abs=1)


def test_slices_are_as_large_as_their_values():
    data = chart("pie", (50.0, 20.0, 30.0))
    image = draw(data, look(data, slice_names="outside"))
    areas = np.array([(image == colour).all(-1).sum() for colour in COLOURS])
    assert areas / areas.sum() == pytest.approx([0.5, 0.2, 0.3], abs=0.01)


@pytest.mark.parametrize("kind", ["line", "step", "area"])
def test_a_line_goes_through_its_points(kind: str):
    data = chart(kind, (2.0, 10.0, 6.0))
    plan = make_plan(data, look(data))
    image = draw(data, look(data, markers=("square",), marker_size=4.0, hollow=False, area_alpha=0.0))
    ink_at = np.abs(image.astype(int) - BLUE).sum(-1) < 60
    columns = np.nonzero(ink_at.any(0))[0]
    middle = (columns[0] + columns[-1]) / 2
    slot = (columns[-1] - columns[0]) / 2
    heights = [np.nonzero(ink_at[:, round(middle + shift * slot * 0.985)])[0].mean() for shift in (-1, 0, 1)]
    assert plan.value is not None
    assert (heights[0] - heights[2]) / (heights[0] - heights[1]) == pytest.approx(0.5, abs=0.05)


def test_a_missing_point_is_a_gap():
    data = chart("line", (5.0, 5.0, None, 5.0, 5.0))
    columns = np.nonzero((draw(data, look(data, line_width=2.0)) == BLUE).all(-1).any(0))[0]
    gaps = np.diff(columns)
    assert gaps.max() > 80 and (gaps > 1).sum() == 1


def test_error_bars_reach_as_far_as_they_say():
    series = Series("", (50.0, 50.0), "bar", NumberFormat(), errors=(25.0, 10.0))
    data = chart(series=(series,))
    image = draw(data, look(data))
    heights = runs(image, BLUE, 0)
    tops = [np.nonzero((image[:, x] != WHITE).any(-1))[0][0] for x in _middles(image)]
    edge = np.nonzero((image == BLUE).all(-1).any(1))[0][0]
    unit = heights[0] / 50
    assert [edge - top for top in tops] == pytest.approx([25 * unit, 10 * unit], abs=1.5)


def _middles(image: np.ndarray) -> list[int]:
    columns = np.nonzero((image == BLUE).all(-1).any(0))[0]
    groups = np.split(columns, np.nonzero(np.diff(columns) > 20)[0] + 1)
    return [int((group[0] + group[-1]) / 2) for group in groups]


def test_points_stand_at_their_values():
    data = chart("scatter", (1.0, 9.0, 5.0), (1.0, 9.0, 5.0))
    image = draw(data, look(data, marker_size=4.0, markers=("circle",)))
    rows, columns = np.nonzero((image == BLUE).all(-1))
    middle = (np.abs(columns - columns.mean()) < 12) & (np.abs(rows - rows.mean()) < 12)
    assert rows[middle].mean() == pytest.approx((rows.min() + rows.max()) / 2, abs=1)
    assert columns[middle].mean() == pytest.approx((columns.min() + columns.max()) / 2, abs=1)


_THIN_PART = chart("bar", (1000.0, 1.0), (1000.0, 1000.0), stacking="stacked")


@pytest.mark.parametrize(
    ("data", "changes", "reason"),
    [
        (chart("line", (1.0, 2.0), (1.0, 2.0)), {"legend": "top"}, reasons.LINES),
        (chart("scatter", (1.0, 1.001, 9.0), (2.0, 2.001, 9.0)), {}, reasons.HIDDEN),
        (chart("pie", (1.0, 400.0)), {}, reasons.SLICES),
        (chart("bar", *[(1.0, 2.0, 3.0)] * 3), {"legend": "top", "width": 640}, None),
        (chart("bar", tuple(range(1, 27))), {"width": 90, "height": 300, "value_axis": False}, reasons.CATEGORIES),
        (_THIN_PART, {"value_labels": True, "legend": "top"}, reasons.NO_ROOM),
        (chart("bar", categories=("Word " * 20, "B", "C")), {"horizontal": True}, reasons.CATEGORIES),
        (chart("bar", title="An endless title " * 40), {"title": True}, reasons.TITLE),
        (chart("bar", title="\U0001f600"), {"title": True}, reasons.UNDRAWABLE),
    ],
)  # fmt: skip
def test_what_cannot_be_shown_is_refused(data: ChartData, changes: dict[str, object], reason: str | None):
    if reason is None:
        assert draw(data, look(data, **changes)).std() > 0
    else:
        with pytest.raises(DoesNotFitError, match=reason):
            draw(data, look(data, **changes))


def test_too_few_colours_are_refused():
    data = chart("bar", (1.0, 2.0), (2.0, 1.0))
    style = look(data, legend="top")
    with pytest.raises(DoesNotFitError, match=reasons.COLOURS):
        renderer.draw(data, dataclasses.replace(style, palette=(BLUE,)), make_plan(data, style))


def test_a_legend_inside_covers_no_data():
    data = chart("line", (1.0, 1.2, 1.1, 9.0), (2.0, 2.2, 2.1, 9.5))
    assert draw(data, look(data, legend="inside")).std() > 0
    full = chart("bar", (9.0,) * 6, (9.5,) * 6)
    with pytest.raises(DoesNotFitError, match=reasons.COVERED):
        draw(full, look(full, legend="inside", bar_share=1.0))


# The page


def test_texts_that_overlap_are_refused():
    page = Page(200, 100, WHITE)
    page.level(100, 50, "Orders", FONT, BLACK, 0.5, "m", TITLE)
    page.level(110, 55, "Sales", FONT, BLACK, 0.5, "m", TICK)
    with pytest.raises(DoesNotFitError, match=reasons.OVERLAP):
        page.check()


@pytest.mark.parametrize(("group", "reason"), [(VALUE, reasons.VALUES), (NAME, reasons.POINTS)])
def test_an_overlap_is_called_after_what_it_belongs_to(group: int, reason: str):
    page = Page(200, 100, WHITE)
    page.level(100, 50, "12", FONT, BLACK, 0.5, "m", TICK)
    page.level(104, 52, "34", FONT, BLACK, 0.5, "m", group)
    with pytest.raises(DoesNotFitError, match=reason):
        page.check()


def test_every_overlap_is_found():
    rng = np.random.default_rng(0)
    for _ in range(50):
        page = Page(400, 300, WHITE)
        for _ in range(6):
            page.level(rng.uniform(60, 340), rng.uniform(30, 270), "Text", FONT, BLACK, 0.5, "m", TICK)
        touching = any(
            a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]
            for a, b in itertools.combinations(page.boxes, 2)
        )
        try:
            page.check()
        except DoesNotFitError:
            continue
        assert not touching


@pytest.mark.parametrize("place", [(5, 50), (195, 50), (100, 2), (100, 99)])
def test_texts_that_leave_the_page_are_refused(place: tuple[int, int]):
    page = Page(200, 100, WHITE)
    page.level(*place, "Orders", FONT, BLACK, 0.5, "m", TITLE)
    with pytest.raises(DoesNotFitError, match="leaves"):
        page.check()


def test_a_slanted_text_that_leaves_the_page_is_refused():
    with pytest.raises(DoesNotFitError, match="leaves"):
        Page(200, 100, WHITE).turned(20, 50, "Orders and sales", FONT, BLACK, 45, TICK, 1.0, 0.0)


@pytest.mark.parametrize("on_paper", [True, False])
@pytest.mark.parametrize(("across", "edge"), [(0.0, 0), (1.0, 1)])
def test_texts_stand_where_their_anchor_says(across: float, edge: int, on_paper: bool):
    page = Page(200, 100, WHITE)
    box = page.level(100, 50, "HEH", FONT, BLACK, across, "b", TITLE, on_paper=on_paper)
    canvas = np.full((100, 200, 3), 255, np.uint8)
    page.paint(canvas)
    rows, columns = np.nonzero(canvas.min(-1) < 128)
    assert (rows.min(), rows.max() + 1) == pytest.approx((box[1], box[3]), abs=1) and box[3] == 50
    assert (columns.min(), columns.max() + 1)[edge] == pytest.approx(100, abs=2)


def test_a_halo_clears_what_is_below_a_text():
    page = Page(200, 100, WHITE)
    page.level(100, 50, "HH", FONT, BLACK, 0.5, "m", VALUE, on_paper=False, halo=WHITE)
    canvas = np.zeros((100, 200, 3), np.uint8)
    page.paint(canvas)
    assert (canvas == 255).all(-1).any() and (canvas[:30] == 0).all()


# Ink


@pytest.mark.parametrize("text", ["Jahr", "fjord", "Äpfel", "12,345.6", "中文标题", "W"])
def test_glyphs_set_beside_each_other_are_as_wide_as_the_text(text: str):
    face = "NotoSansCJKsc" if ord(text[0]) > 0x2E00 else "NotoSans"
    from datagen import fonts

    drawn = ink(face, 16, text)
    assert isinstance(drawn, Ink) and drawn.mask.shape == (drawn.height, drawn.width)
    assert measure(face, 16, text) == drawn.width
    assert drawn.width == pytest.approx(fonts.load(face, 16).getlength(text), abs=1 + len(text) * 0.7)
    assert drawn.mask.max() > 200


def test_capitals_stand_on_the_baseline():
    drawn = ink(*FONT, "H")
    assert drawn.base == drawn.height == cap(*FONT)
    assert ink(*FONT, "g").height > ink(*FONT, "g").base


@pytest.mark.parametrize("angle", [30, 45, 60, 90])
def test_a_turned_text_keeps_its_ink(angle: int):
    level, turn = ink(*FONT, "Orders").mask, turned(*FONT, "Orders", angle).mask
    assert turn.astype(float).sum() == pytest.approx(level.astype(float).sum(), rel=0.03)
