"""A memory through the model: every page in its own mode."""

import dataclasses
from collections.abc import Iterable, Iterator
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest

from dsocr_jax.errors import UserError
from dsocr_jax.memory import Memory, MemoryOptions, Turn, encode
from dsocr_jax.memory.options import fading_modes
from dsocr_jax.preprocess import preprocess
from dsocr_jax.reading.asking import ReadOptions
from dsocr_jax.reading.documents import Page
from dsocr_jax.reading.reader import Reader
from tests.dsocr_jax.reading.small import CONFIG, loaded

OPTIONS = MemoryOptions(modes=fading_modes(CONFIG.modes), stride=CONFIG.stride, font_size=6)
RENDERED = Memory(OPTIONS, [Turn("What was said before. " * 90)]).render(20)


class _Reader:
    """Stands for a reader: as many rows as the mode has tokens, all of them the mean grey of the view."""

    def __init__(self, config: Any = CONFIG):
        self.config = config
        self.calls: list[tuple[str, int]] = []

    def encode(self, pages: Iterable[Page], mode: str) -> Iterator[np.ndarray]:
        found = {one.name: one for one in self.config.modes}[mode]
        side = found.base_size // self.config.stride
        self.calls.append((mode, 0))
        for page in pages:
            self.calls[-1] = (mode, self.calls[-1][1] + 1)
            yield np.full((side * (side + 1) + 1, 8), preprocess(page.image, found).global_view.mean(), np.float32)


def test_every_page_is_encoded_in_its_mode_the_oldest_first() -> None:
    reader = _Reader()
    vision = encode(RENDERED, cast(Any, reader))
    names = [page.mode.name for page in RENDERED.pages]
    assert len(set(names)) > 1
    assert reader.calls == [(name, names.count(name)) for name in dict.fromkeys(names)]
    assert [len(one) for one in vision] == [page.tokens for page in RENDERED.pages]
    for one, page in zip(vision, RENDERED.pages, strict=True):
        assert one[0, 0] == pytest.approx(np.asarray(page.seen()).mean())


@pytest.mark.parametrize("change", ["other modes", "other stride"])
def test_a_model_with_other_modes_is_refused(change: str) -> None:
    config: Any = SimpleNamespace(modes=CONFIG.modes, stride=32)
    if change == "other modes":
        config = SimpleNamespace(modes=(dataclasses.replace(CONFIG.modes[0], base_size=192),), stride=64)
    with pytest.raises(UserError, match="not one of the model's"):
        encode(RENDERED, cast(Any, _Reader(config)))


def test_a_real_reader_gives_as_many_vision_tokens_as_were_counted() -> None:
    reader = Reader(loaded(), ReadOptions("tiny", rows=1, length=64, threads=1))
    vision = encode(RENDERED, reader)
    assert [one.shape for one in vision] == [(page.tokens, CONFIG.decoder.hidden) for page in RENDERED.pages]
    alone = next(reader.encode([Page(RENDERED.pages[-1].image, "alone")], RENDERED.pages[-1].mode.name))
    np.testing.assert_allclose(vision[-1], alone, atol=1e-5)
    assert not np.allclose(vision[0][:-1].std(), 0)
