"""Blank pages are told from pages with next to nothing on them."""

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFilter

from dsocr_jax.reading.blank import is_blank

SIZE = (800, 1100)


def grain(seed: int = 0, level: float = 225, spread: float = 2.5) -> Image.Image:
    """Paper as scanners see it: grain, and one corner darker than the other."""
    rng = np.random.default_rng(seed)
    shade = np.linspace(0, 30, SIZE[1])[:, None, None] + np.linspace(0, 20, SIZE[0])[None, :, None]
    values = level - shade + rng.normal(0, spread, (SIZE[1], SIZE[0], 3))
    return Image.fromarray(values.clip(0, 255).astype(np.uint8)).filter(ImageFilter.GaussianBlur(0.7))


@pytest.mark.parametrize("colour", ["white", "black", (250, 240, 200)])
@pytest.mark.parametrize("size", [(1, 1), (80, 60), SIZE])
def test_one_colour_is_blank(colour: object, size: tuple[int, int]) -> None:
    assert is_blank(Image.new("RGB", size, colour))


def test_scanned_paper_is_blank() -> None:
    assert is_blank(grain())


def test_specks_of_dust_are_no_text() -> None:
    page = grain(1)
    draw = ImageDraw.Draw(page)
    for x, y in ((100, 200), (500, 640), (0, 900)):
        draw.rectangle((x, y, x + 3, y + 2), fill=(90, 80, 70))
    assert is_blank(page)


@pytest.mark.parametrize("colour", [(0, 0, 0), (150, 150, 150), (225, 190, 225)], ids=["black", "grey", "pale"])
@pytest.mark.parametrize("paper", ["clean", "grain"])
def test_a_page_number_alone_is_text(colour: tuple[int, int, int], paper: str) -> None:
    page = Image.new("RGB", SIZE, (225, 225, 225)) if paper == "clean" else grain()
    ImageDraw.Draw(page).text((390, 1060), "17", fill=colour, font_size=14)
    assert not is_blank(page)


def test_full_pages_and_photographs_are_not_blank() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (60, 80, 3), np.uint8)
    assert not is_blank(Image.fromarray(noise))
    assert not is_blank(Image.fromarray(noise).resize(SIZE))


def test_one_dark_pixel_of_a_small_picture_counts() -> None:
    picture = Image.new("RGB", (40, 30), "white")
    picture.putpixel((20, 10), (0, 0, 0))
    assert not is_blank(picture)
