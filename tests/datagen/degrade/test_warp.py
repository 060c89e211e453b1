import cv2
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from datagen.degrade import Degradation, Dose, degrade, map_points
from datagen.degrade.warp import border_colour

BOTH = Degradation(rotation=Dose(1, 1, 1), perspective=Dose(1, 1, 1))


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32), st.integers(4, 255), st.integers(4, 155), st.booleans())
def test_a_dot_is_where_the_homography_says(seed: int, x: int, y: int, colour: bool) -> None:
    image = np.full((160, 260, 3) if colour else (160, 260), 255, np.uint8)
    image[y - 2 : y + 3, x - 2 : x + 3] = 0
    result, record = degrade(image, np.random.default_rng(seed), BOTH)
    dark = 255.0 - (result if result.ndim == 2 else result[..., 1])
    rows, columns = np.mgrid[: dark.shape[0], : dark.shape[1]]
    found = np.array([(dark * columns).sum(), (dark * rows).sum()]) / dark.sum()
    assert np.abs(map_points(record, [(x, y)])[0] - found).max() < 0.5


def test_points_stay_where_they_are_if_nothing_moves() -> None:
    _, record = degrade(np.full((9, 9), 255, np.uint8), np.random.default_rng(0), Degradation())
    assert map_points(record, [[1, 2], [3.5, 4]]).tolist() == [[1, 2], [3.5, 4]]


def test_no_points_are_no_points() -> None:
    _, record = degrade(np.full((9, 9), 255, np.uint8), np.random.default_rng(0), Degradation())
    assert map_points(record, []).shape == (0, 2)


def test_the_paper_goes_on_around_the_picture() -> None:
    image = np.full((120, 200, 3), (250, 240, 210), np.uint8)
    cv2.circle(image, (100, 60), 30, (20, 30, 40), -1)
    result, _ = degrade(image, np.random.default_rng(3), BOTH)
    edges = np.concatenate([result[0], result[-1], result[:, 0], result[:, -1]])
    assert (np.abs(edges.astype(int) - (250, 240, 210)) <= 1).all()


def test_the_border_colour_is_the_most_usual_one() -> None:
    image = np.full((40, 60, 3), (10, 20, 30), np.uint8)
    image[:8] = 255
    assert border_colour(image) == (10, 20, 30)


def test_a_strip_is_hardly_turned() -> None:
    for seed in range(20):
        result, _ = degrade(np.full((50, 2000), 255, np.uint8), np.random.default_rng(seed), BOTH)
        assert result.shape[0] < 50 * 1.5
