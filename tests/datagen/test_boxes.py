"""Boxes of grounded labels on degraded pictures."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from datagen import boxes
from datagen.build import build
from datagen.check import check_set
from datagen.degrade import PRESETS, Dose
from datagen.degrade.apply import degrade
from datagen.degrade.settings import Degradation
from datagen.degrade.warp import map_points
from datagen.family import Rejected
from datagen.manifest import SetConfig
from datagen.pages.settings import STANDARD
from datagen.sample import make_sample
from datagen.shards import SampleSet
from dsocr_jax.answers.grounding import SPAN, Box, Grounded, parse_grounding, to_pixels, write_grounding
from dsocr_jax.prompts import PROMPTS

SIZE = (240, 360)
ASKEW = Degradation(rotation=Dose(1.0, 0.8, 1.0), perspective=Dose(1.0, 0.8, 1.0))


def record(*, homography: list[list[float]] | None = None, size: tuple[int, int] = SIZE) -> dict[str, Any]:
    return {"homography": homography or [[1, 0, 0], [0, 1, 0], [0, 0, 1]], "size": list(size)}


def sides(low: int = 0, high: int = SPAN) -> st.SearchStrategy[Box]:
    pair = st.tuples(st.integers(low, high), st.integers(low, high)).map(sorted)
    return st.tuples(pair, pair).map(lambda both: (both[0][0], both[1][0], both[0][1], both[1][1]))


@given(sides())
def test_nothing_done_moves_no_box(box: Box) -> None:
    assert boxes.map_box(box, SIZE, record()) == box


@given(sides(), st.integers(0, 1000))
def test_a_box_holds_what_it_held(box: Box, seed: int) -> None:
    image = np.full((*SIZE,), 255, np.uint8)
    _, done = degrade(image, np.random.default_rng(seed), ASKEW)
    x1, y1, x2, y2 = boxes.map_box(box, SIZE, done)
    assert 0 <= x1 <= x2 <= SPAN and 0 <= y1 <= y2 <= SPAN
    inside = np.array([(box[0] + box[2]) / 2 / SPAN * SIZE[1] - 0.5, (box[1] + box[3]) / 2 / SPAN * SIZE[0] - 0.5])
    (x, y) = (map_points(done, inside)[0] + 0.5) * (SPAN / done["size"][1], SPAN / done["size"][0])
    assert x1 - 1e-6 <= x <= x2 + 1e-6 and y1 - 1e-6 <= y <= y2 + 1e-6


@pytest.mark.parametrize("preset", ["none", "rotated", "scan", "photo"])
def test_boxes_are_where_the_ink_is(preset: str) -> None:
    settings = {"none": Degradation(), "rotated": ASKEW, "scan": PRESETS["scan"], "photo": PRESETS["photo"]}[preset]
    for seed in range(12):
        rng = np.random.default_rng(seed)
        image = np.full((300, 420), 255, np.uint8)
        left, top = int(rng.integers(10, 300)), int(rng.integers(10, 220))
        image[top : top + 60, left : left + 100] = 0
        whole = [value * SPAN for value in (left / 420, top / 300, (left + 100) / 420, (top + 60) / 300)]
        box = (int(whole[0]), int(whole[1]), -int(-whole[2] // 1), -int(-whole[3] // 1))
        degraded, done = degrade(image, rng, settings)
        gray = degraded if degraded.ndim == 2 else degraded.mean(axis=2)
        height, width = gray.shape
        x1, y1, x2, y2 = boxes.map_box(box, (300, 420), done)
        # Blurred less than the size of the block, so that its dark pixels are its own.
        ink = gray < 0.5 * (float(np.median(gray)) + float(gray.min()))
        rows, columns = np.flatnonzero(ink.sum(axis=1) > 12), np.flatnonzero(ink.sum(axis=0) > 12)
        found = (columns[0] / width, rows[0] / height, (columns[-1] + 1) / width, (rows[-1] + 1) / height)
        for side, (mapped, seen) in enumerate(zip((x1, y1, x2, y2), found, strict=True)):
            assert abs(mapped / SPAN - seen) * (width, height)[side % 2] < 6, (preset, seed, side)


def test_labels_keep_all_but_their_numbers() -> None:
    parts = [Grounded("title", ((10, 10, 500, 60),)), Grounded("text", ((10, 80, 400, 400), (420, 80, 900, 400)))]
    label = "\n\n".join(f"{write_grounding(part)}\nwords [[1, 2, 3, 4]] of {part.label}" for part in parts)
    image = np.full((*SIZE,), 255, np.uint8)
    _, done = degrade(image, np.random.default_rng(2), ASKEW)
    moved = boxes.follow(label, SIZE, done)
    assert moved != label
    read = parse_grounding(moved)
    assert [(part.label, len(part.boxes)) for part in read] == [("title", 1), ("text", 2)]
    assert "words [[1, 2, 3, 4]] of text" in moved
    assert boxes.follow("no boxes [[1, 2, 3, 4]]", SIZE, done) == "no boxes [[1, 2, 3, 4]]"
    assert boxes.follow(label, SIZE, {}) == label


@pytest.mark.parametrize(("shift", "kept"), [(0, True), (-160, True), (-190, False), (560, False)])
def test_boxes_that_leave_the_picture_drop_the_sample(shift: int, kept: bool) -> None:
    moved = record(homography=[[1, 0, shift], [0, 1, 0], [0, 0, 1]], size=(240, 720))
    box = (0, 100, 999, 200)  # 360 pixels wide
    if kept:
        assert boxes.map_box(box, SIZE, moved)[0] == 0
    else:
        with pytest.raises(Rejected, match="a box leaves the picture"):
            boxes.map_box(box, SIZE, moved)


def test_a_padded_picture_moves_boxes_by_its_margin() -> None:
    moved = record(homography=[[1, 0, 360], [0, 1, 240], [0, 0, 1]], size=(480, 720))
    assert boxes.map_box((0, 0, 999, 999), SIZE, moved) == (499, 499, 999, 999)
    assert to_pixels((499, 499, 999, 999), 720, 480)[:2] == (359, 239)


def test_no_text_of_a_degraded_page_stands_outside_its_boxes() -> None:
    settings = replace(
        STANDARD,
        width=(400, 560),
        layouts=("exam", "report", "paper"),
        labels=("grounded",),
        languages=("en", "ru"),
        figures=0.0,
        tinted=0.0,
    )
    behind = 0.0
    for index in range(4):
        clean = make_sample(5, "pages", index, "all", "standard", settings=settings)
        label, size = clean.label, (clean.image.shape[0], clean.image.shape[1])
        image, done = degrade(clean.image, np.random.default_rng(index), ASKEW)
        moved = boxes.follow(label, size, done)
        left = _outside(image, moved)
        assert left < _outside(clean.image, label) + 0.01
        behind += _outside(image, label) - left
    # Boxes that stayed behind would miss more: the test sees where they are.
    assert behind > 0.2


def _outside(image: np.ndarray, label: str) -> float:
    """Return the share of a page's dark pixels that is in no box."""
    gray = image.mean(axis=2) if image.ndim == 3 else image.astype(float)
    ink = gray < 0.6 * float(np.median(gray))
    total = ink.sum()
    for part in parse_grounding(label):
        for box in part.boxes:
            x1, y1, x2, y2 = to_pixels(box, image.shape[1], image.shape[0])
            ink[max(y1 - 1, 0) : y2 + 2, max(x1 - 1, 0) : x2 + 2] = False
    return float(ink.sum() / total)


def test_degraded_samples_have_their_boxes_moved_and_nothing_else() -> None:
    settings = replace(STANDARD, width=(400, 560), layouts=("report",), labels=("grounded",), languages=("en",))
    clean = make_sample(5, "pages", 1, "all", "standard", settings=settings)
    degraded = make_sample(5, "pages", 1, "all", "standard", degradation="photo", settings=settings)
    size = (clean.image.shape[0], clean.image.shape[1])
    assert degraded.label == boxes.follow(clean.label, size, degraded.meta["degradation"])
    assert [part.label for part in parse_grounding(degraded.label)] == [
        part.label for part in parse_grounding(clean.label)
    ]


def test_sets_of_degraded_grounded_pages_are_checked_and_made_again(tmp_path: Path) -> None:
    changes = {"labels": ("grounded",), "layouts": ("receipt", "note"), "languages": ("en",)}
    build(SetConfig({"pages": 5}, 3, "all", "standard", 5, "photo", {"pages": changes}), tmp_path / "set", 1)
    found = check_set(tmp_path / "set", regenerate=2)
    assert (found.problems, found.verified, found.remade) == ([], 5, 2)
    samples = SampleSet.open(tmp_path / "set")
    assert {record.prompt for record in map(samples.__getitem__, range(5))} == {PROMPTS["markdown"]}
