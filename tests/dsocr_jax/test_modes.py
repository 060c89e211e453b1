"""Grids, counts and layouts, against numbers of the original and by their own rules."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from dsocr_jax.errors import UserError
from dsocr_jax.modes import (
    MODES,
    NEWLINE,
    NEWLINE_ROW,
    SEPARATOR_ROW,
    Mode,
    choose_grid,
    count_tokens,
    find_mode,
    picture_layout,
    tiles_layout,
    valid_tokens_by_code,
    valid_tokens_by_paper,
    view_layout,
    view_side,
)

FIXTURES = Path(__file__).parents[1] / "fixtures"
STRIDE = 64
CASES = json.loads((FIXTURES / "preprocess.json").read_text())["meta"]["cases"]
#: The original's grids without the rule that small pictures have no tiles.
ALWAYS_TILED = replace(MODES["gundam"], tile_threshold=0)

grids = st.tuples(st.integers(1, 5), st.integers(1, 5))
sides = st.integers(1, 6)
#: Pixels of a picture's side: any, and those at which rules change.
lengths = st.one_of(
    st.integers(1, 10_000),
    st.integers(630, 650),
    st.builds(lambda n, unit: n * unit, st.integers(1, 9), st.sampled_from([64, 320, 452, 512, 640, 1024])),
)
TILED = [replace(MODES[name], max_tiles=most) for name in ("gundam", "gundam-m") for most in (9, 6)]


def original_grid(width: int, height: int, tile: int, most: int) -> tuple[int, int]:
    """The original's rule: of all rectangles of 2 to ``most`` tiles that with the nearest aspect ratio.

    Among equally near ones the first, by rising area, stands, until the picture fills more than half of a later one.
    """
    if width <= 640 and height <= 640:
        return 1, 1
    rectangles = [
        (area // rows, rows) for area in range(2, most + 1) for rows in range(1, area + 1) if area % rows == 0
    ]
    distances = np.array([abs(width / height - columns / rows) for columns, rows in rectangles])
    nearest = [rectangles[i] for i in np.flatnonzero(distances == distances.min())]
    filled = [(columns, rows) for columns, rows in nearest[1:] if 2 * width * height > tile * tile * columns * rows]
    return (nearest[:1] + filled)[-1]


def cases() -> list:
    return [
        pytest.param(case["width"], case["height"], name, facts, id=f"{case['width']}x{case['height']}-{name}")
        for case in CASES
        for name, facts in case["modes"].items()
    ]


@pytest.mark.parametrize(("width", "height", "name", "facts"), cases())
def test_the_grid_is_the_originals(width: int, height: int, name: str, facts: dict) -> None:
    assert choose_grid(width, height, MODES[name]) == tuple(facts["grid_w_h"])


@pytest.mark.parametrize(("width", "height", "name", "facts"), cases())
def test_the_count_is_the_originals(width: int, height: int, name: str, facts: dict) -> None:
    assert count_tokens(MODES[name], tuple(facts["grid_w_h"]), STRIDE) == facts["image_tokens"]


@pytest.mark.parametrize(("column", "tile_size", "max_tiles"), [(2, 640, 9), (4, 1024, 9), (6, 640, 6), (8, 1024, 6)])
def test_grids_of_many_sizes(column: int, tile_size: int, max_tiles: int) -> None:
    rows = np.load(FIXTURES / "preprocess.npz")["grids"].tolist()
    mode = replace(ALWAYS_TILED, tile_size=tile_size, max_tiles=max_tiles)
    wrong = [row for row in rows if choose_grid(row[0], row[1], mode) != tuple(row[column : column + 2])]
    assert not wrong


def test_exact_ties_go_the_originals_way() -> None:
    rows = np.load(FIXTURES / "preprocess.npz")["ties"].tolist()
    wrong = [
        (limit, w, h)
        for limit, w, h, *grid in rows
        if choose_grid(w, h, replace(ALWAYS_TILED, max_tiles=limit)) != (*grid,)
    ]
    assert not wrong


@pytest.mark.parametrize(("width", "height", "tiled"), [(640, 640, False), (641, 640, True), (640, 641, True)])
def test_gundam_m_keeps_the_threshold_of_640(width: int, height: int, tiled: bool) -> None:
    assert (choose_grid(width, height, MODES["gundam-m"]) != (1, 1)) is tiled


def test_gundam_m_counts_tiles_of_1024() -> None:
    assert count_tokens(MODES["gundam-m"], (3, 2), STRIDE) == 49 * 32 + 421


@given(lengths, lengths, st.sampled_from(TILED))
@example(1, 1, TILED[0])
@example(10_000, 50, TILED[0])
@example(50, 10_000, TILED[2])
@example(640, 641, TILED[0])
def test_any_picture_gets_the_originals_grid(width: int, height: int, mode: Mode) -> None:
    assert choose_grid(width, height, mode) == original_grid(width, height, mode.tile_size, mode.max_tiles)


@given(st.integers(1, 6), st.integers(1, 6), st.integers(100, 1600), st.sampled_from(TILED))
def test_pictures_of_exactly_a_grids_shape(columns: int, rows: int, unit: int, mode: Mode) -> None:
    """Here several grids are equally near, such as 1x2 and 2x4, and the picture's area decides."""
    width, height = columns * unit, rows * unit
    assert choose_grid(width, height, mode) == original_grid(width, height, mode.tile_size, mode.max_tiles)


@given(st.integers(1, 5000), st.integers(1, 5000))
def test_grids_stay_within_the_limits(width: int, height: int) -> None:
    w, h = choose_grid(width, height, MODES["gundam"])
    assert (w, h) == (1, 1) if max(width, height) <= 640 else 2 <= w * h <= 9


@pytest.mark.parametrize("name", ["tiny", "small", "base", "large"])
@given(lengths, lengths)
def test_modes_without_crop_have_no_tiles(name: str, width: int, height: int) -> None:
    assert choose_grid(width, height, MODES[name]) == (1, 1)


@pytest.mark.parametrize(("width", "height", "name", "facts"), cases())
def test_valid_tokens_by_the_code(width: int, height: int, name: str, facts: dict) -> None:
    assert valid_tokens_by_code(width, height, MODES[name], STRIDE) == facts["valid_tokens"]


@pytest.mark.parametrize(("width", "height", "name", "facts"), [c for c in cases() if MODES[c.values[2]].fit == "pad"])
def test_valid_tokens_by_the_paper(width: int, height: int, name: str, facts: dict) -> None:
    tiles = facts["valid_tokens"] - facts["valid_global_int_rule"]
    assert valid_tokens_by_paper(width, height, MODES[name], STRIDE) == facts["valid_global_ceil_rule"] + tiles


@pytest.mark.parametrize(("name", "count"), [("tiny", 64), ("small", 100)])
@given(lengths, lengths)
def test_all_tokens_of_a_stretched_picture_are_valid(name: str, count: int, width: int, height: int) -> None:
    mode = MODES[name]
    assert valid_tokens_by_code(width, height, mode, STRIDE) == count
    assert valid_tokens_by_paper(width, height, mode, STRIDE) == count


@pytest.mark.parametrize("name", ["base", "large", "gundam", "gundam-m"])
@given(lengths, lengths)
@example(10_000, 50)
def test_the_rules_differ_by_one_token_at_most(name: str, width: int, height: int) -> None:
    mode = MODES[name]
    grid = choose_grid(width, height, mode)
    code, paper = (rule(width, height, mode, STRIDE) for rule in (valid_tokens_by_code, valid_tokens_by_paper))
    assert 0 <= paper - code <= 1
    # Newlines and the separator are no pictures.
    assert 0 <= code <= paper < count_tokens(mode, grid, STRIDE)


def test_thin_pictures_may_count_no_valid_token() -> None:
    assert valid_tokens_by_code(1000, 1, MODES["base"], STRIDE) == 0
    assert valid_tokens_by_paper(1000, 1, MODES["base"], STRIDE) == 1


def test_valid_tokens_are_computed_in_the_released_order_of_operations() -> None:
    # 400 * (1 - 18 / 20) is 39.99... in floating point, 400 * (2 / 20) is 40.
    assert valid_tokens_by_code(20, 2, MODES["large"], STRIDE) == 39


def test_a_picture_without_pixels_has_no_grid() -> None:
    with pytest.raises(ValueError, match="0x5"):
        choose_grid(0, 5, MODES["gundam"])


@pytest.mark.parametrize(("size", "stride", "side"), [(512, 64, 8), (1280, 64, 20), (128, 32, 4), (65, 64, 2)])
def test_view_side(size: int, stride: int, side: int) -> None:
    assert view_side(size, stride) == side


def test_view_layout_of_two_rows() -> None:
    assert view_layout(2).tolist() == [0, 1, NEWLINE, 2, 3, NEWLINE]


def test_tiles_layout_of_a_row_of_two() -> None:
    assert tiles_layout((2, 1), 2).tolist() == [0, 1, 4, 5, NEWLINE, 2, 3, 6, 7, NEWLINE]


def test_tiles_layout_of_a_column_of_two() -> None:
    assert tiles_layout((1, 2), 2).tolist() == [0, 1, NEWLINE, 2, 3, NEWLINE, 4, 5, NEWLINE, 6, 7, NEWLINE]


@given(grids, sides)
def test_tiles_layout_uses_every_token_once(grid: tuple[int, int], m: int) -> None:
    layout = tiles_layout(grid, m)
    assert sorted(layout[layout != NEWLINE].tolist()) == list(range(grid[0] * grid[1] * m * m))


@given(grids, sides)
def test_tiles_layout_closes_every_row_of_the_large_map(grid: tuple[int, int], m: int) -> None:
    (newlines,) = np.nonzero(tiles_layout(grid, m) == NEWLINE)
    width = grid[0] * m + 1
    assert newlines.tolist() == [row * width + width - 1 for row in range(grid[1] * m)]


@given(sides)
def test_one_tile_is_laid_out_like_a_view(m: int) -> None:
    assert np.array_equal(tiles_layout((1, 1), m), view_layout(m))


@given(grids, sides, sides, st.integers(2, 50), st.integers(2, 50))
def test_picture_layout_is_local_then_global_then_separator(
    grid: tuple[int, int], base: int, tile: int, local_start: int, global_start: int
) -> None:
    mode = Mode("m", base * 8, tile * 8, crop=True, fit="pad")
    layout = picture_layout(mode, grid, 8, local_start, global_start)
    view = [NEWLINE_ROW if row == NEWLINE else row + global_start for row in view_layout(base)]
    local = [NEWLINE_ROW if row == NEWLINE else row + local_start for row in tiles_layout(grid, tile)]
    assert layout.tolist() == (local if grid != (1, 1) else []) + view + [SEPARATOR_ROW]


@given(grids, sides, sides)
def test_count_is_the_length_of_the_layout(grid: tuple[int, int], base: int, tile: int) -> None:
    mode = Mode("m", base * 8, tile * 8, crop=True, fit="pad")
    layout = picture_layout(mode, grid, 8, 2, 2)
    assert (layout.dtype, len(layout)) == (np.int32, count_tokens(mode, grid, 8))


def test_find_mode_ignores_case() -> None:
    assert find_mode("Gundam", MODES) is MODES["gundam"]


def test_find_mode_suggests_the_nearest() -> None:
    with pytest.raises(UserError, match=r"'gundm'.*'gundam'.*tiny, small, base, large, gundam, gundam-m"):
        find_mode("gundm", MODES)


def test_find_mode_makes_no_wild_guess() -> None:
    with pytest.raises(UserError, match=r"'xyzzy' \(known"):
        find_mode("xyzzy", MODES)


@pytest.mark.parametrize(
    "change",
    [{"base_size": 0}, {"tile_size": 0}, {"fit": "zoom"}, {"fit": "stretch"}, {"min_tiles": 0}, {"max_tiles": 1}],
)
def test_senseless_modes_are_refused(change: dict) -> None:
    with pytest.raises(UserError, match="mode gundam"):
        replace(MODES["gundam"], **change)
