import io

import hypothesis.extra.numpy as hnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from datagen import png

sides = st.integers(1, 40)
pictures = st.one_of(
    hnp.arrays(np.uint8, st.tuples(sides, sides)), hnp.arrays(np.uint8, st.tuples(sides, sides, st.just(3)))
)


@settings(max_examples=60, deadline=None)
@given(pictures)
def test_pillow_reads_the_same_pixels(image: np.ndarray) -> None:
    read = Image.open(io.BytesIO(png.encode(image)))
    read.load()
    expected = image if image.ndim == 3 else np.repeat(image[..., None], 3, axis=2)
    assert np.array_equal(np.asarray(read.convert("RGB")), expected)


def test_colourless_rgb_is_written_gray() -> None:
    image = np.repeat(np.arange(12, dtype=np.uint8).reshape(3, 4, 1), 3, axis=2)
    assert Image.open(io.BytesIO(png.encode(image))).mode == "L"


def test_one_coloured_pixel_keeps_the_colour() -> None:
    image = np.full((9, 9, 3), 200, np.uint8)
    image[0, 8, 2] = 201
    assert Image.open(io.BytesIO(png.encode(image))).mode == "RGB"


def test_a_view_is_written_as_it_looks() -> None:
    image = np.arange(60, dtype=np.uint8).reshape(6, 10)[::-1, ::2]
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(png.encode(image)))), image)


@pytest.mark.parametrize(
    "image", [np.zeros((4, 4), np.float32), np.zeros((4, 4, 4), np.uint8), np.zeros((0, 4), np.uint8)]
)
def test_other_arrays_are_refused(image: np.ndarray) -> None:
    with pytest.raises(ValueError, match="a picture is"):
        png.encode(image)
