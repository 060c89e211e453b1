"""What ``dsocr bench train`` measures: kinds of batches, and batches of them that hold nothing but chance."""

import dataclasses

import numpy as np

from dsocr_jax.batch import IGNORED, TEXT, Batch
from dsocr_jax.config import ModelConfig
from dsocr_jax.errors import UserError
from dsocr_jax.modes import FIRST_ROW, NO_TILES, Mode, count_tokens, find_mode, picture_layout, view_side

#: Tokens of a sample beside its picture and its answer: the beginning, the words of a prompt, the end.
AROUND = 8
#: Rows are made a multiple of so many tokens, which kernels like.
STEP = 128


@dataclasses.dataclass(frozen=True)
class Work:
    """One line of the table.

    Attributes:
        name: of the line.
        mode: of the pages; None for text alone, whose rows are one sample each.
        tokens: of a row of text; of an answer where there are pages.
        pages: of a row.
        rows: of a device.
        freeze: patterns of the parameters that keep their values.
    """

    name: str
    mode: str | None
    tokens: int
    pages: int
    rows: int
    freeze: tuple[str, ...] = ()

    def length(self, model: ModelConfig) -> int:
        """Tokens of a row, padding included."""
        used = self.tokens if self.mode is None else self.pages * (self._page(model) + AROUND + self.tokens)
        length = -(-used // STEP) * STEP if used > STEP else used
        if length > model.decoder.max_positions:
            raise UserError(f"{self.name}: rows of {length} tokens exceed {model.decoder.max_positions} positions")
        return length

    def _page(self, model: ModelConfig) -> int:
        return count_tokens(self.find_mode(model), NO_TILES, model.stride)

    def find_mode(self, model: ModelConfig) -> Mode:
        """The mode of the pages."""
        assert self.mode is not None
        return find_mode(self.mode, {mode.name: mode for mode in model.modes})


#: SAM and compressor, as the paper freezes them in its second stage.
FROZEN_SAM = ("^encoder/sam/",)

#: The lines of the released model: text at the paper's length, pages of 1,050 answer tokens; and small ones for CPUs.
WORKS = {
    "released": (
        Work("text", None, 4096, 0, 8),
        Work("base pages, SAM frozen", "base", 1050, 3, 8, FROZEN_SAM),
        Work("small pages, all trained", "small", 1050, 3, 8),
    ),
    "nano": (
        Work("text", None, 128, 0, 4),
        Work("base pages, SAM frozen", "base", 60, 1, 2, FROZEN_SAM),
        Work("small pages, all trained", "small", 60, 2, 2),
    ),
}


def random_batch(work: Work, model: ModelConfig, rows: int, groups: int, seed: int = 0) -> Batch:
    """Return ``rows`` rows of chance in ``groups`` groups; numpy leaves."""
    rng = np.random.default_rng(seed)
    length, per_group = work.length(model), rows // groups
    shape = (rows, length)
    tokens = rng.integers(0, model.decoder.vocab_size, shape, np.int32)
    tokens[tokens == model.image_token_id] = model.bos_token_id
    positions = np.broadcast_to(np.arange(length, dtype=np.int32), shape).copy()
    if work.mode is None:
        segments = np.ones(shape, np.int32)
        nothing = np.full(shape, TEXT, np.int32)
        return Batch(tokens, tokens.copy(), segments, positions, nothing, {}, groups=groups)
    labels, segments = np.full(shape, IGNORED, np.int32), np.zeros(shape, np.int32)
    vision_index = np.full(shape, TEXT, np.int32)
    mode = work.find_mode(model)
    placeholders = count_tokens(mode, NO_TILES, model.stride)
    side = view_side(mode.base_size, model.stride)
    for row in range(rows):
        for page in range(work.pages):
            start = page * (placeholders + AROUND + work.tokens)
            answer = start + placeholders + AROUND
            end = answer + work.tokens
            number = (row % per_group) * work.pages + page
            layout = picture_layout(mode, NO_TILES, model.stride, 0, FIRST_ROW + number * side * side)
            tokens[row, start : start + placeholders] = model.image_token_id
            vision_index[row, start : start + placeholders] = layout
            labels[row, answer:end] = tokens[row, answer:end]
            segments[row, start:end] = page + 1
            positions[row, start:end] = np.arange(end - start)
    views = rng.integers(0, 256, (groups, per_group * work.pages, mode.base_size, mode.base_size, 3), np.uint8)
    return Batch(tokens, labels, segments, positions, vision_index, {mode.base_size: views}, groups=groups)
