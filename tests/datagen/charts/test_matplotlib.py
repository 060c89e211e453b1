"""What matplotlib draws, measured in the picture, and what it refuses."""

import dataclasses
import itertools

import matplotlib
import numpy as np
import pytest

from datagen.charts import matplotlib_renderer, reasons
from datagen.charts.data import ChartData, NumberFormat, Series
from datagen.charts.look import Look
from datagen.charts.mpl import canvas, styles
from datagen.charts.plan import DoesNotFitError, make_plan
from tests.datagen.charts.samples import BLUE, COLOURS, RED, chart, look, runs


@pytest.fixture(autouse=True)
def _own_colours(monkeypatch: pytest.MonkeyPatch) -> None:
    """Draw looks as they are, without matplotlib's house styles."""
    monkeypatch.setattr(matplotlib_renderer, "SHARE", 0.0)


def draw(data: ChartData, style: Look) -> np.ndarray:
    return matplotlib_renderer.draw(data, dataclasses.replace(style, palette=COLOURS), make_plan(data, style))


def test_the_picture_is_as_large_as_the_look_says():
    data = chart("bar")
    image = draw(data, look(data, width=501, height=403))
    assert image.shape == (403, 501, 3)
    assert image.dtype == np.uint8


@pytest.mark.parametrize("horizontal", [False, True])
def test_bars_are_as_long_as_their_values(horizontal: bool):
    data = chart("bar", (8.0, 2.0, 5.0, 1.0))
    lengths = runs(draw(data, look(data, horizontal=horizontal)), BLUE, 1 if horizontal else 0)
    unit = lengths[0] / 8
    assert lengths == pytest.approx([8 * unit, 2 * unit, 5 * unit, unit], abs=2)


def test_stacks_to_a_hundred_per_cent_are_equally_high():
    data = chart("bar", (8.0, 2.0, 5.0), (4.0, 4.0, 1.0), stacking="percent")
    image = draw(data, look(data))
    first, second = (runs(image, COLOURS[number], 0) for number in (0, 1))
    whole = first[0] + second[0]
    assert [a + b for a, b in zip(first, second, strict=True)] == pytest.approx([whole] * 3, abs=2)
    assert first[1] == pytest.approx(whole / 3, abs=2)


def test_bars_on_a_logarithmic_axis_grow_by_decades():
    data = chart("bar", (10.0, 100.0, 1000.0, 9999.0), log=True)
    steps = np.diff([0, *runs(draw(data, look(data)), BLUE, 0)])
    assert steps == pytest.approx([steps[0]] * len(steps), abs=2)


def test_slices_are_as_large_as_their_values():
    data = chart("pie", (50.0, 20.0, 30.0))
    style = dataclasses.replace(look(data, slice_names="outside", legend="none"), palette=COLOURS)
    image = draw(data, style)
    areas = np.array([(image == colour).all(-1).sum() for colour in COLOURS], float)
    assert areas / areas.sum() == pytest.approx([0.5, 0.2, 0.3], abs=0.01)


def test_a_missing_point_leaves_a_gap():
    known, gap = (chart("line", (3.0, 3.0, middle, 3.0, 3.0)) for middle in (3.0, None))
    style = {"dashes": ("solid",), "line_width": 3.0, "smooth": False}
    ink = [(draw(data, look(data, **style)) == BLUE).all(-1).any(0).sum() for data in (known, gap)]
    assert ink[1] == pytest.approx(ink[0] / 2, rel=0.1)


def test_what_legends_show_does_not_cover_data():
    # Bars as high as the plot leave no corner.
    data = chart("bar", *[(9.9,) * 3] * 2)
    with pytest.raises(DoesNotFitError, match=reasons.COVERED):
        draw(data, look(data, legend="inside", bar_share=0.9))


def test_texts_that_meet_are_refused():
    data = chart("bar", (3.0, 4.0) * 8)
    forms = tuple(dataclasses.replace(one, form=NumberFormat(6)) for one in data.series)
    wide = dataclasses.replace(data, series=forms)
    with pytest.raises(DoesNotFitError, match=reasons.VALUES):
        draw(wide, look(wide, value_labels=True, value_place="outside", value_size=24, width=320, size=10))


def test_long_names_are_turned_and_longer_ones_refused():
    names = tuple(f"{letter * 12}" for letter in "ABCDEFGH")
    data = dataclasses.replace(chart("bar", tuple(range(1, 9))), categories=names)
    assert draw(data, look(data)).any()
    longer = dataclasses.replace(data, categories=tuple(name * 6 for name in names))
    with pytest.raises(DoesNotFitError, match=reasons.CATEGORIES):
        draw(longer, look(longer))


def test_dollars_are_no_formulas():
    data = chart("bar", (8.0, 2.0, 5.0))
    data = dataclasses.replace(data, categories=("$1 to $2", "$3 to $4", "$5"))
    plain = dataclasses.replace(data, categories=("S1 to S2", "S3 to S4", "S5"))
    pictures = [draw(one, look(one)) for one in (data, plain)]
    # Were it a formula, spaces would be lost, and the names much narrower.
    inks = [np.flatnonzero((image[440:] < 128).all(-1).any(0)) for image in pictures]
    assert np.ptp(inks[0]) == pytest.approx(np.ptp(inks[1]), abs=6)


def test_two_axes_have_their_own_ranges():
    left = Series("Sales", (800.0, 200.0), "bar", NumberFormat())
    right = Series("Share", (3.0, 6.0), "line", NumberFormat(), right=True)
    data = chart("composite", series=(left, right))
    image = draw(data, look(data, dashes=("solid", "solid"), line_width=3.0))
    bars = runs(image, BLUE, 0)
    assert max(bars) == pytest.approx(4 * min(bars), rel=0.2)
    rows = [np.nonzero((image[:, columns] == RED).all(-1).any(1))[0] for columns in (slice(0, 320), slice(320, 640))]
    assert rows[0].mean() > rows[1].mean()


def test_settings_of_matplotlib_do_not_matter():
    data = chart("line", (3.0, 1.0, 2.0), (1.0, 2.0, 3.0))
    style = look(data, legend="top", grid="both", spines="box", tick_marks="out", dashes=("solid", "dashed"))
    before = draw(data, style)
    with matplotlib.rc_context({"axes.linewidth": 5, "xtick.major.size": 9, "legend.frameon": True, "font.size": 30,
                                "lines.linewidth": 7, "axes.grid": True, "legend.handlelength": 9}):  # fmt: skip
        assert np.array_equal(draw(data, style), before)


def test_variable_fonts_are_drawn_at_their_weight():
    inks = []
    for face in ("NotoSans", "NotoSans-Bold", "NotoSansCJKsc", "NotoSansCJKsc-Bold"):
        figure, page = canvas.new_figure(look(chart("bar")))
        figure.text(0.1, 0.5, "Hamburg 2019", fontproperties=canvas.font(face, 40))
        page.draw()
        inks.append((255 - np.asarray(page.buffer_rgba())[..., :3].astype(int)).sum())
    assert inks[1] > 1.3 * inks[0]
    assert inks[3] > 1.3 * inks[2]


@pytest.mark.parametrize("style", styles.STYLES, ids=lambda style: style.name)
def test_colours_of_house_styles_can_be_told_apart(style, monkeypatch: pytest.MonkeyPatch):
    data = chart("bar", *[(3.0, 1.0, 2.0)] * 4)
    dressed, manner = matplotlib_renderer.dress(look(data), data, (style,), 1.0)
    assert manner is style
    assert all(a != b for a, b in itertools.combinations(dressed.palette, 2))
    assert dressed.theme.plot not in dressed.palette
