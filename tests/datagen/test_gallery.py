import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from datagen import gallery, records
from datagen.gallery import Gallery, varied, write_gallery
from datagen.sample import Sample
from dsocr_jax.errors import UserError


def record(number: int, **meta: Any) -> records.Record:
    sample = Sample(np.zeros((30, 40), np.uint8), "<image>\n", "A page.", "pages", meta, number, 5)
    return records.decode(records.encode(sample))


@pytest.mark.usefixtures("fake")
def test_a_page_for_every_family_and_a_text(tmp_path: Path) -> None:
    files = write_gallery(tmp_path / "gallery", ["pages"], Gallery(count=5, level="easy"))
    assert [file.name for file in files] == ["pages.jpg", "README.md"]
    text = files[1].read_text()
    assert "](pages.jpg)" in text and "5 samples; degradation: none 5" in text
    assert "python -m datagen.gallery --out docs/gallery --count 5 --level easy" in text


@pytest.mark.usefixtures("fake")
def test_the_same_gallery_has_the_same_bytes(tmp_path: Path) -> None:
    one, two = (write_gallery(tmp_path / name, ["pages"], Gallery(count=3, level="easy"))[0] for name in "ab")
    assert one.read_bytes() == two.read_bytes()


def test_rare_types_are_shown_too() -> None:
    candidates = [record(number, type="bar") for number in range(20)]
    candidates += [record(20, type="pie"), record(21, type="line")]
    assert {found.meta["type"] for found in varied(candidates, 3)} == {"bar", "pie", "line"}


def test_degradations_count_as_types() -> None:
    presets = ["none"] * 9 + ["scan"]
    candidates = [record(number, degradation={"preset": preset}) for number, preset in enumerate(presets)]
    assert {found.meta["degradation"]["preset"] for found in varied(candidates, 2)} == {"none", "scan"}


def test_all_are_shown_when_there_are_few() -> None:
    assert [found.id for found in varied([record(2), record(1)], 5)] == [1, 2]


def test_a_page_that_is_too_large_is_made_smaller(monkeypatch: pytest.MonkeyPatch) -> None:
    noise = Image.fromarray(np.random.default_rng(0).integers(0, 256, (300, 300, 3), np.uint8))
    monkeypatch.setattr(gallery, "MAX_BYTES", 20_000)
    data = gallery.as_jpeg(noise)
    assert len(data) <= 20_000 and Image.open(io.BytesIO(data)).width < 300


@pytest.mark.parametrize("change", [{"count": 0}, {"columns": 0}, {"lines": 0}, {"seed": -1}, {"level": "hard"}])
def test_what_cannot_be_shown_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(UserError):
        Gallery(**change)
