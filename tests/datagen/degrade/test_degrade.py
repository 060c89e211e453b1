import dataclasses
import hashlib
import json
import subprocess
import sys
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from datagen.degrade import PARTS, PRESETS, Degradation, degrade, map_points, only, tiles
from datagen.degrade.bench import bench_cases, example

ROOT = Path(__file__).parents[3]

sides = st.one_of(
    st.tuples(st.integers(1, 12), st.integers(1, 12)),
    st.tuples(st.integers(1, 240), st.integers(1, 240)),
    st.sampled_from([(50, 2000), (2000, 50), (1, 2000), (2000, 1), (900, 40)]),
)
choices = st.one_of(
    st.sampled_from(list(PRESETS.values())), st.builds(only, st.sampled_from(PARTS), st.sampled_from([0.05, 0.5, 1.0]))
)


def drawn(size: tuple[int, int], colour: bool, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    blocks = rng.integers(0, 256, (3, 4, 3) if colour else (3, 4), dtype=np.uint8)
    if seed % 2:  # black and white, which may be faxed
        blocks = np.where(blocks[..., :1] < 99, 0, np.full_like(blocks, 255)) if colour else 255 * (blocks > 99)
        blocks = blocks.astype(np.uint8)
    return cv2.resize(blocks, size[::-1], interpolation=cv2.INTER_NEAREST)


@settings(max_examples=150, deadline=None)
@given(sides, st.booleans(), choices, st.integers(0, 2**32), st.one_of(st.none(), st.floats(0.5, 80)))
def test_any_picture_is_degraded(
    size: tuple[int, int], colour: bool, chosen: Degradation, seed: int, detail: float | None
) -> None:
    image = drawn(size, colour, seed)
    before = image.copy()
    result, record = degrade(image, np.random.default_rng(seed), chosen, detail=detail)
    assert result.dtype == np.uint8
    assert result.ndim == 2 or result.shape[2:] == (3,)
    assert list(result.shape[:2]) == record["size"]
    assert json.loads(json.dumps(record, allow_nan=False)) == record
    assert np.array_equal(image, before)
    corners = [(x, y) for x in (-0.5, size[1] - 0.5) for y in (-0.5, size[0] - 0.5)]
    mapped = map_points(record, corners)
    assert (mapped >= -0.5 - 1e-6).all()
    assert (mapped <= np.array(result.shape[1::-1]) - 0.5 + 1e-6).all()


@pytest.mark.parametrize("name", PRESETS)
def test_strength_0_is_the_identity(name: str) -> None:
    image = example(colour=True)
    result, record = degrade(image, np.random.default_rng(0), dataclasses.replace(PRESETS[name], strength=0.0))
    assert result is image
    assert record["parts"] == {}
    assert record["homography"] == [[1, 0, 0], [0, 1, 0], [0, 0, 1]]


@pytest.mark.parametrize(
    "image", [np.zeros((4, 4), np.float32), np.zeros((4, 4, 4), np.uint8), np.zeros((0, 4), np.uint8)]
)
def test_other_arrays_are_refused(image: np.ndarray) -> None:
    with pytest.raises(ValueError, match="a picture is"):
        degrade(image, np.random.default_rng(0), PRESETS["light"])


@pytest.mark.parametrize("detail", [0, -1, float("nan")])
def test_text_without_height_is_refused(detail: float) -> None:
    with pytest.raises(Exception, match="detail is"):
        degrade(example(colour=False), np.random.default_rng(0), PRESETS["light"], detail=detail)


def digests() -> dict[str, str]:
    """Return a digest of what each part and each preset makes of a picture."""
    cases = {part: only(part, 0.8) for part in PARTS} | dict(PRESETS)
    made = {}
    for name, chosen in cases.items():
        for colour in (False, True):
            image = example(colour=colour)[100:400, 50:500]
            if name in ("bilevel", "fax"):  # of one ink only
                ink = np.where(example(colour=False) < 90, 0, 255).astype(np.uint8)
                image = cv2.GaussianBlur(np.repeat(ink[..., None], 3, axis=2) if colour else ink, (3, 3), 0.8)
            image, record = degrade(image, np.random.default_rng(7), chosen)
            made[f"{name} {colour}"] = hashlib.sha256(image.tobytes() + json.dumps(record).encode()).hexdigest()
    return made


@pytest.fixture
def two_threads() -> Iterator[None]:
    before = cv2.getNumThreads()
    cv2.setNumThreads(2)
    yield
    cv2.setNumThreads(before)


def test_another_process_makes_the_same_bytes_with_one_thread_as_this_with_two(two_threads: None) -> None:
    code = (
        "import importlib.util, json, sys, cv2; cv2.setNumThreads(1); "
        "spec = importlib.util.spec_from_file_location('here', sys.argv[1]); "
        "here = importlib.util.module_from_spec(spec); spec.loader.exec_module(here); "
        "print(json.dumps(here.digests()))"
    )
    there = subprocess.run([sys.executable, "-c", code, __file__], cwd=ROOT, capture_output=True, check=True, text=True)
    assert json.loads(there.stdout) == digests()


def test_another_seed_makes_another_picture() -> None:
    image = example(colour=True)
    one, other = (degrade(image, np.random.default_rng(seed), PRESETS["photo"])[0] for seed in (1, 2))
    assert one.shape != other.shape or not np.array_equal(one, other)


@pytest.mark.parametrize("part", [part for part in PARTS if part not in ("cast", "moire")])
def test_gray_stays_gray(part: str) -> None:
    assert degrade(example(colour=False), np.random.default_rng(0), only(part, 1))[0].ndim == 2


@pytest.mark.parametrize("part", ["cast", "moire"])
def test_parts_that_are_colour_make_gray_coloured(part: str) -> None:
    image, _ = degrade(example(colour=False), np.random.default_rng(0), only(part, 1))
    assert int(np.ptp(image.astype(int), axis=2).max()) > 5


def test_bench_has_each_part_and_preset_in_gray_and_colour() -> None:
    names = {f"part/{part}" for part in PARTS} | {f"preset/{name}" for name in PRESETS}
    assert set(bench_cases()) == {f"{name} {kind}" for name in names for kind in ("gray", "colour")}


def test_tiles_are_few_and_pictures_leave_nothing_behind() -> None:
    def pass_over() -> None:
        rng = np.random.default_rng(11)
        for part in PARTS:
            for colour in (False, True):
                for _ in range(30 if part in ("paper", "halftone", "moire") else 2):
                    degrade(example(colour=colour)[:200, :200], rng, only(part, 1), detail=40)

    pass_over()
    made = tiles.tile.cache_info()
    tracemalloc.start()
    pass_over()
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert tiles.tile.cache_info().misses == made.misses
    assert made.currsize < made.maxsize
    assert held < 2**20
    largest, bases = 3 * tiles.SIDE**2, 3 * 4 * tiles.SIDE**2
    assert made.maxsize * largest + bases <= tiles.MOST_BYTES
