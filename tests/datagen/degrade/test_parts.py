from itertools import pairwise

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from datagen.degrade import PARTS, PRESETS, degrade, only
from datagen.degrade.bench import example
from datagen.degrade.meaning import colours_needed, tones_needed

#: These change the picture's place or are all or nothing.
PLACING, SWITCHES = ("rotation", "perspective"), ("gray",)

TEXT = np.full((240, 320), 255, np.uint8)
for _row in range(4):
    cv2.putText(TEXT, "Ab 3.14 xyz", (8, 50 + 55 * _row), cv2.FONT_HERSHEY_SIMPLEX, 1.4, 0, 3, cv2.LINE_AA)
GRAY, COLOUR = example(colour=False)[90:330, 60:380], example(colour=True)[90:330, 60:380]


def change(image: np.ndarray, part: str, strength: float, seed: int) -> float:
    """Return the mean difference that a part makes to a picture of large text."""
    result, record = degrade(image, np.random.default_rng(seed), only(part, strength), detail=60)
    assert list(record["parts"]) == [part]
    if result.ndim > image.ndim:
        image = np.repeat(image[..., None], 3, axis=2)
    return float(np.abs(result.astype(int) - image).mean())


@pytest.mark.parametrize("part", [part for part in PARTS if part not in PLACING + SWITCHES])
def test_more_strength_changes_more(part: str) -> None:
    for seed in range(6):
        image = TEXT if part == "bilevel" else GRAY
        differences = [change(image, part, strength, seed) for strength in (0.25, 0.5, 0.75, 1.0)]
        for less, more in pairwise(differences):
            assert more > 0.97 * less  # a coarser JPEG is now and then a little nearer
        assert differences[3] > 1.3 * differences[0] > 0


@pytest.mark.parametrize("part", PLACING)
def test_more_strength_moves_more(part: str) -> None:
    for seed in range(6):
        moved = []
        for strength in (0.0, 0.25, 0.5, 1.0):
            _, record = degrade(GRAY, np.random.default_rng(seed), only(part, strength))
            moved.append(float(np.abs(np.array(record["homography"])[[0, 1, 2, 2], [1, 0, 0, 1]]).sum()))
        assert moved[0] == 0
        assert moved == sorted(set(moved))


@pytest.mark.parametrize("part", [part for part in PARTS if part not in ("gray", "bilevel")])
def test_full_strength_shows_in_colour(part: str) -> None:
    result, record = degrade(COLOUR, np.random.default_rng(1), only(part, 1.0))
    assert part in record["parts"]
    assert result.shape != COLOUR.shape or np.abs(result.astype(int) - COLOUR).mean() > 0.05


def two_colours(first: tuple[int, int, int], second: tuple[int, int, int]) -> np.ndarray:
    image = np.full((90, 120, 3), 255, np.uint8)
    image[20:60, 10:40], image[20:60, 60:90] = first, second
    return image


@pytest.mark.parametrize("part", ["gray", "bilevel"])
def test_colours_of_one_luma_are_kept(part: str) -> None:
    image = two_colours((200, 60, 60), (30, 133, 60))
    result, record = degrade(image, np.random.default_rng(0), only(part, 1.0))
    assert result is image
    assert record["parts"] == {}


def test_colours_that_gray_tells_apart_are_given_up() -> None:
    image = two_colours((40, 40, 120), (240, 200, 60))
    result, record = degrade(image, np.random.default_rng(0), only("gray", 1.0))
    assert result.ndim == 2
    assert "gray" in record["parts"]


def test_black_on_cream_may_be_faxed() -> None:
    image = np.full((90, 120, 3), (250, 245, 230), np.uint8)
    image[20:60, 10:40] = 20
    result, record = degrade(image, np.random.default_rng(0), only("bilevel", 1.0))
    assert result.ndim == 2
    assert "bilevel" in record["parts"]


@pytest.mark.parametrize("tone", [80, 128, 190])
def test_areas_of_gray_are_not_faxed(tone: int) -> None:
    image = np.full((90, 120), 255, np.uint8)
    image[20:60, 10:40], image[20:60, 60:70] = 0, tone
    assert tones_needed(image)
    assert not tones_needed(np.where(image == tone, 0, image))


def test_a_thin_line_of_another_colour_counts() -> None:
    image = two_colours((200, 60, 60), (200, 60, 60))
    image[70:72, :] = (30, 133, 60)
    assert colours_needed(image)
    assert not colours_needed(two_colours((200, 60, 60), (200, 60, 60)))


def test_no_coloured_chart_is_faxed_by_the_mixture() -> None:
    image = two_colours((200, 60, 60), (30, 133, 60))
    rng = np.random.default_rng(0)
    assert "fax" not in {degrade(image, rng, PRESETS["mix"])[1]["preset"] for _ in range(300)}


def test_bilevel_leaves_hardly_any_gray() -> None:
    smooth = cv2.GaussianBlur(TEXT, (5, 5), 1.0)
    result, _ = degrade(smooth, np.random.default_rng(0), only("bilevel", 1.0), detail=60)
    assert np.isin(smooth, (0, 255)).mean() < 0.9
    assert np.isin(result, (0, 255)).mean() > 0.95


def test_a_thin_smooth_line_is_not_broken_by_bilevel() -> None:
    image = np.full((120, 300), 255, np.uint8)
    cv2.line(image, (10, 20), (290, 77), 0, 1, cv2.LINE_AA)
    for seed in range(10):
        result, _ = degrade(image, np.random.default_rng(seed), only("bilevel", 1.0))
        assert (result[:, 12:289].min(axis=0) < 128).all()


def test_spread_ink_darkens_and_thinned_ink_lightens() -> None:
    seen = set()
    text = TEXT
    for seed in range(12):
        result, record = degrade(text, np.random.default_rng(seed), only("ink", 1.0), detail=60)
        strokes = cv_ring(text)
        mean = result[strokes].mean() - text[strokes].mean()
        seen.add("spread" if "spread" in record["parts"]["ink"] else "thinned")
        if "spread" in record["parts"]["ink"]:
            assert mean < -20
    assert seen == {"spread", "thinned"}


def cv_ring(text: np.ndarray) -> np.ndarray:
    """Return where white pixels touch black ones."""
    black = np.pad(text == 0, 1)
    near = black[:-2, 1:-1] | black[2:, 1:-1] | black[1:-1, :-2] | black[1:-1, 2:]
    return near & (text == 255)


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(list(PRESETS)), st.integers(0, 10**6), st.floats(5, 60))
def test_blur_and_scale_stay_within_what_text_survives(preset: str, seed: int, detail: float) -> None:
    _, record = degrade(GRAY, np.random.default_rng(seed), PRESETS[preset], detail=detail)
    parts = record["parts"]
    blurs = [parts[part]["sigma"] for part in ("defocus", "motion_blur", "gaussian_blur") if part in parts]
    assert sum(sigma**2 for sigma in blurs) <= max(0, (0.075 * detail) ** 2 - 1 / 12) + 1e-3
    if "rescale" in parts:
        assert parts["rescale"]["factor"] >= min(1, 9 / detail) - 1e-3


def test_small_text_is_blurred_less_than_large_text() -> None:
    sigmas = [
        degrade(GRAY, np.random.default_rng(0), only("gaussian_blur", 1.0), detail=detail)[1]["parts"]["gaussian_blur"]
        for detail in (8, 14, 40)
    ]
    assert sigmas[0]["sigma"] < sigmas[1]["sigma"] < sigmas[2]["sigma"]


@pytest.mark.parametrize("part", ["gaussian_blur", "defocus", "motion_blur"])
def test_blurs_are_as_wide_as_they_say(part: str) -> None:
    dot = np.zeros((61, 61), np.uint8)
    dot[30, 30] = 255
    for strength in (0.4, 0.7, 1.0):
        result, record = degrade(dot, np.random.default_rng(2), only(part, strength), detail=60)
        y, x = np.mgrid[:61, :61]
        mass = result / result.sum()
        variance = (mass * ((x - (mass * x).sum()) ** 2 + (y - (mass * y).sum()) ** 2)).sum()
        axes = 1 if part == "motion_blur" else 2  # motion blurs along one line
        # Motion in a direction between those of the pixels is spread over their neighbours: up to a third in variance.
        spread = 0.4 if part == "motion_blur" else 0.1
        assert variance == pytest.approx(axes * record["parts"][part]["sigma"] ** 2, rel=0.2, abs=spread)
