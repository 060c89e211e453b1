"""Pixels and statistics, against the original's for the same pictures."""

import hashlib
import json
from functools import cache
from pathlib import Path

import ml_dtypes
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from dsocr_jax.modes import MODES, Mode
from dsocr_jax.preprocess import NORMALISED, PAD_VALUE, Views, normalise, preprocess
from tests.reference import golden, weights

FIXTURES = Path(__file__).parents[1] / "fixtures"
CASES = json.loads((FIXTURES / "preprocess.json").read_text())["meta"]["cases"]
IDS = {f"{case['width']}x{case['height']}": case for case in CASES}
PAIRS = [pytest.param(size, name, id=f"{size}-{name}") for size, case in IDS.items() for name in case["modes"]]


def digest(array: np.ndarray) -> str:
    return hashlib.sha256(np.ascontiguousarray(array).tobytes()).hexdigest()[:32]


def picture(size: str) -> Image.Image:
    case = IDS[size]
    pixels = weights.image(case["key"], case["height"], case["width"])
    assert digest(pixels) == case["source_sha256"], "the test picture itself is wrong"
    return Image.fromarray(pixels)


@cache
def stored() -> dict[str, golden.Entry]:
    return golden.load("preprocess", FIXTURES)[1]


def made(size: str, name: str) -> Views:
    return preprocess(picture(size), MODES[name])


@pytest.mark.parametrize(("size", "name"), PAIRS)
def test_views_are_the_originals(size: str, name: str) -> None:
    """Every byte by its hash, the bfloat16 input by its hash, and the stored float values one by one."""
    facts, views = IDS[size]["modes"][name], made(size, name)
    floats = normalise(views.global_view).transpose(2, 0, 1)
    assert digest(views.global_view) == facts["global_uint8_sha256"]
    assert digest(floats.astype(ml_dtypes.bfloat16)) == facts["global_bf16_sha256"]
    assert [digest(tile) for tile in views.tiles] == facts["tiles_uint8_sha256"]
    arrays = {"global": floats} | {f"tile{i}": normalise(tile).transpose(2, 0, 1) for i, tile in enumerate(views.tiles)}
    for part, array in arrays.items():
        if entry := stored().get(f"{size}/{name}/{part}"):
            assert np.array_equal(array.reshape(-1)[:: entry.stride], entry.sample.reshape(-1)), part
            entry.check(array, rtol=1e-9)


@pytest.mark.parametrize("rows", IDS)
def test_padding_stands_where_the_original_puts_it(rows: str) -> None:
    case = IDS[rows]
    (width, height), (left, top) = case["contain_1024"], case["pad_offset_1024"]
    view = preprocess(Image.new("RGB", (case["width"], case["height"])), MODES["base"]).global_view
    inside = np.zeros((1024, 1024), bool)
    inside[top : top + height, left : left + width] = True
    assert np.array_equal(view, np.where(inside, 0, PAD_VALUE)[..., None].repeat(3, -1))


def test_the_table_is_the_formula_in_float32() -> None:
    v = np.arange(256, dtype=np.float32)
    v /= np.float32(255)
    v -= np.float32(0.5)
    v /= np.float32(0.5)
    assert (NORMALISED.dtype, NORMALISED.tolist()) == (np.float32, v.tolist())


def test_padding_is_not_zero_for_the_model() -> None:
    assert NORMALISED[PAD_VALUE] == pytest.approx(-0.00392, abs=1e-5)


@given(st.integers(1, 300), st.integers(1, 300))
@settings(max_examples=40, deadline=None)
def test_shapes_fit_the_mode(width: int, height: int) -> None:
    mode = Mode("m", 32, 16, crop=True, fit="pad", tile_threshold=20)
    views = preprocess(Image.new("RGB", (width, height)), mode)
    w, h = views.grid
    tiles = w * h if (w, h) != (1, 1) else 0
    assert (views.global_view.shape, views.tiles.shape) == ((32, 32, 3), (tiles, 16, 16, 3))


@pytest.mark.parametrize("size", [(4000, 1), (1, 4000)])
def test_a_line_of_pixels_keeps_one_row(size: tuple[int, int]) -> None:
    view = preprocess(Image.new("RGB", size), MODES["base"]).global_view
    assert int((view == 0).all(-1).sum()) == 1024


def test_tiles_are_cut_row_by_row() -> None:
    mode = Mode("m", 8, 2, crop=True, fit="pad", tile_threshold=0)
    pixels = np.arange(4 * 6 * 3, dtype=np.uint8).reshape(4, 6, 3)
    tiles = preprocess(Image.fromarray(pixels), mode).tiles
    assert np.array_equal(tiles[4], pixels[2:4, 2:4])


@given(st.integers(1, 80), st.integers(1, 80), st.sampled_from(["stretch", "pad", "tiles"]))
@settings(max_examples=40, deadline=None)
def test_a_grey_picture_gives_one_of_three_equal_channels(width: int, height: int, kind: str) -> None:
    fit = "stretch" if kind == "stretch" else "pad"
    mode = Mode("m", 32, 16, crop=kind == "tiles", fit=fit, tile_threshold=20)  # type: ignore[arg-type]
    grey = Image.fromarray(np.random.default_rng(width * 81 + height).integers(0, 256, (height, width), np.uint8))
    one, three = preprocess(grey, mode, grey=True), preprocess(grey.convert("RGB"), mode)
    assert np.array_equal(np.repeat(one.global_view, 3, -1), three.global_view)
    assert np.array_equal(np.repeat(one.tiles, 3, -1), three.tiles)


def test_only_rgb_is_taken() -> None:
    with pytest.raises(ValueError, match="not L"):
        preprocess(Image.new("L", (4, 4)), MODES["tiny"])


def test_only_bytes_are_normalised() -> None:
    with pytest.raises(ValueError, match="float32"):
        normalise(np.zeros(3, np.float32))
