"""What ECharts draws, measured in the picture and in its SVG, and what is refused."""

import dataclasses
import importlib.metadata
import importlib.util
import os
import subprocess
import sys

import numpy as np
import pytest

from datagen.charts import reasons
from datagen.charts.data import ChartData, NumberFormat, Series
from datagen.charts.look import Look
from datagen.charts.own.page import Page
from datagen.charts.plan import DoesNotFitError, make_plan
from dsocr_jax.errors import UserError
from tests.datagen.charts.samples import BLUE, COLOURS, chart, look, runs

_NEEDED = ("py_mini_racer", "pyecharts", "resvg_py", "vizly")
if not all(importlib.util.find_spec(name) for name in _NEEDED):
    pytest.skip("the optional extra `echarts` is not installed", allow_module_level=True)

from datagen.charts.echarts import engine, renderer, styles, texts  # noqa: E402


@pytest.fixture(autouse=True)
def _own_colours(monkeypatch: pytest.MonkeyPatch) -> None:
    """Draw looks as they are, without ECharts' house styles."""
    monkeypatch.setattr(renderer, "SHARE", 0.0)


def draw(data: ChartData, style: Look) -> np.ndarray:
    return renderer.draw(data, dataclasses.replace(style, palette=COLOURS), make_plan(data, style))


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


def test_bars_of_losses_hang():
    data = chart("bar", (4.0, -2.0, 4.0))
    image = (draw(data, look(data)) == BLUE).all(-1)
    columns = np.nonzero(image.any(0))[0]
    up, down = (np.nonzero(image[:, at])[0] for at in (columns[2], (columns[0] + columns[-1]) // 2))
    assert abs(int(down[0]) - int(up[-1])) <= 3
    assert len(up) == pytest.approx(2 * len(down), abs=3)


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


def test_a_single_decade_has_its_ticks():
    data = chart("bar", (12.0, 35.0, 80.0), log=True)
    # Every tick's text must be in the picture, else the chart is refused.
    assert make_plan(data, look(data)).value.texts == ("10", "20", "50", "100")
    assert draw(data, look(data)).any()


def test_slices_are_as_large_as_their_values():
    data = chart("pie", (50.0, 20.0, 30.0))
    image = draw(data, look(data, slice_names="outside", legend="none"))
    # Lines to the texts have the slices' colours, too.
    areas = np.array([(image == colour).all(-1).sum() for colour in COLOURS], float)
    assert areas / areas.sum() == pytest.approx([0.5, 0.2, 0.3], abs=0.01)


def test_a_missing_point_leaves_a_gap():
    known, gap = (chart("line", (3.0, 3.0, middle, 3.0, 3.0)) for middle in (3.0, None))
    style = {"dashes": ("solid",), "line_width": 3.0, "smooth": False}
    ink = [(draw(data, look(data, **style)) == BLUE).all(-1).any(0).sum() for data in (known, gap)]
    assert ink[1] == pytest.approx(ink[0] / 2, rel=0.1)


def test_error_bars_are_as_long_as_their_errors():
    errors = (1.0, 2.0)
    series = (Series("", (5.0, 5.0), "line", NumberFormat(), errors=errors),)
    data = chart("line", series=series)
    image = draw(data, look(data, dashes=("solid",), line_width=1.0, error_cap=3.0))
    tall = (np.abs(image.astype(int) - BLUE).sum(-1) < 400).sum(0)
    first, second = tall[:320].max(), tall[320:].max()
    assert second == pytest.approx(2 * first, rel=0.1)


def test_names_of_points_are_in_the_picture():
    x, y = (Series(name, values, "point", NumberFormat()) for name, values in (("X", (1.0, 5.0)), ("Y", (2.0, 9.0))))
    data = chart("scatter", series=(x, y))
    assert draw(data, look(data, markers=("circle",))).any()


def test_a_text_that_is_lost_is_refused():
    lines = texts.lines_of('<text style="font-size:12px;font-family:DejaVuSans;" transform="translate(50 50)">a</text>')
    with pytest.raises(DoesNotFitError, match=reasons.LEGEND):
        texts.check(lines, [("a", reasons.TITLE), ("b", reasons.LEGEND)], Page(100, 100, BLUE), [])
    with pytest.raises(DoesNotFitError, match=reasons.TITLE):
        texts.check(lines, [("a", reasons.TITLE)] * 2, Page(100, 100, BLUE), [])


@pytest.mark.parametrize(
    ("x", "reason"), [(62, reasons.VALUES), (99, reasons.LEAVES), (80, "")], ids=["meet", "leaves", "apart"]
)  # fmt: skip
def test_texts_that_meet_or_leave_are_refused(x: int, reason: str):
    one = '<text style="font-size:12px;font-family:DejaVuSans;" transform="translate({} 50)">{}</text>'
    lines = texts.lines_of(one.format(50, "abc") + one.format(x, "de"))
    expected = [("abc", reasons.VALUES), ("de", reasons.TITLE)]
    if not reason:
        texts.check(lines, expected, Page(100, 100, BLUE), [])
        return
    with pytest.raises(DoesNotFitError, match=reason):
        texts.check(lines, expected, Page(100, 100, BLUE), [])


def test_turned_texts_are_where_their_matrix_puts_them():
    svg = (
        '<text dominant-baseline="central" text-anchor="end" style="font-size:20px;font-family:DejaVuSans;" '
        'transform="matrix(0,-1,1,0,50,60)">&lt;b&gt;</text>'
    )
    (line,) = texts.lines_of(svg)
    assert line.text == "<b>"
    left, top, right, bottom = line.box
    assert (left + right) / 2 == pytest.approx(50)
    # It ends at the place, and runs upwards to it.
    assert top == pytest.approx(60, abs=0.1)
    assert bottom > top + 20


def test_pictures_do_not_depend_on_what_was_drawn_before():
    data = chart("line", (3.0, 1.0, 2.0), (1.0, 2.0, 3.0))
    style = look(data, legend="top", grid="both", gradient=0.3, dashes=("solid", "dashed"))
    before = draw(data, style)
    engine.ENGINE.close()
    bars = chart("bar")
    draw(bars, look(bars, gradient=0.4))
    assert np.array_equal(draw(data, style), before)


def test_v8_starts_afresh_after_many_charts(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(engine, "CHARTS_PER_CONTEXT", 2)
    one = engine.Engine()
    try:
        pictures = [one.svg({"title": {"text": "T"}}, 100, 80, {}) for _ in range(3)]
    finally:
        one.close()
    assert pictures[0] == pictures[2] != pictures[1]  # names of styles count from 0 in a fresh V8


def test_time_and_chance_do_not_reach_the_script():
    one = engine.Engine()
    try:
        one.svg({}, 10, 10, {})
        assert one._context.eval("[Math.random(), Math.random(), Date.now()].join()") == "0.5,0.5,0"
    finally:
        one.close()


def test_a_process_that_has_drawn_ends():
    program = "from datagen.charts.echarts.engine import ENGINE; ENGINE.svg({}, 10, 10, {})"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    subprocess.run([sys.executable, "-c", program], check=True, timeout=120, env=environment)


def test_without_the_package_users_are_told_what_to_install(monkeypatch: pytest.MonkeyPatch):
    def missing(name: str) -> None:
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(importlib.metadata, "files", missing)
    with pytest.raises(UserError, match=r"pip install 'dsocr-jax\[echarts\]'"):
        engine.Engine().svg({}, 10, 10, {})


@pytest.mark.parametrize("style", styles.STYLES, ids=lambda style: style.name)
def test_house_styles_have_colours_for_several_lines(style):
    data = chart("line", *[(3.0, 1.0, 2.0)] * 4)
    dressed, manner = renderer.dress(look(data), data, (style,), 1.0)
    assert manner is style
    assert len(set(dressed.palette)) == 4
