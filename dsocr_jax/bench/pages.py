"""Whole pages: PNG files in, text out, through the reader that users have."""

import dataclasses
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from dsocr_jax.bench.row import Row
from dsocr_jax.config import ModelConfig
from dsocr_jax.errors import UserError
from dsocr_jax.model.ocr import DeepseekOCR
from dsocr_jax.prompts import IMAGE
from dsocr_jax.reading.asking import ReadOptions
from dsocr_jax.reading.documents import Failure
from dsocr_jax.reading.loading import load_documents
from dsocr_jax.reading.reader import Reader
from dsocr_jax.tokenizer import BOS, EOS, PAD, SMALL_TOKENIZER, Tokenizer
from dsocr_jax.weights.checkpoint import LoadedModel

WORDS = (
    "reading",
    "page",
    "of",
    "text",
    "number",
    "figure",
    "table",
    "the",
    "optical",
    "and",
    "results",
    "shown",
    "in",
)
#: Most tokens of the prompt's words.
WORDS_ROOM = 32


class StandInTokenizer(Tokenizer):
    """Our small tokenizer for a model of any vocabulary: random weights answer with any ids, and text comes of them."""

    def __init__(self, config: ModelConfig):
        super().__init__(Tokenizer.load(SMALL_TOKENIZER).inner)
        marks = {
            IMAGE: config.image_token_id, BOS: config.bos_token_id, EOS: config.eos_token_id, PAD: config.pad_token_id,
        }  # fmt: skip
        self.special_ids = {**self.special_ids, **marks}

    def decode(self, ids: list[int], skip_special: bool = False) -> str:
        """Text of as many of our ids."""
        return super().decode([token % self.vocab_size for token in ids], skip_special)


def make_files(folder: Path, count: int, size: tuple[int, int], seed: int = 0) -> list[Path]:
    """Write ``count`` different pages full of words as PNG files."""
    rng = np.random.default_rng(seed)
    folder.mkdir(parents=True, exist_ok=True)
    files = []
    for number in range(count):
        page = Image.new("L", size, 255)
        draw = ImageDraw.Draw(page)
        for top in range(20, size[1] - 20, 16):
            draw.text((20, top), " ".join(rng.choice(WORDS, size[0] // 45)), 0)
        files.append(folder / f"{number}.png")
        page.save(files[-1])
    return files


def pages_row(
    model: DeepseekOCR, mode: str, files: Sequence[Path], tokens: int, rows: int, steps: int, threads: int,
    prompt_tokens: int,
) -> Row:  # fmt: skip
    """Time whole pages; every answer has ``tokens`` ids, since random weights end by chance.

    Args:
        model: the weights.
        mode: name of a mode.
        files: pictures.
        tokens: of each answer.
        rows: answers written at the same time.
        steps: ids between two looks of the host.
        threads: pages opened and prepared at the same time.
        prompt_tokens: vision tokens of the mode.

    Raises:
        UserError: a page was not read.
    """
    config = model.config
    options = ReadOptions(
        mode, max_new_tokens=tokens, loops=None, blank=False, rows=rows, steps=steps, threads=threads,
        length=min(prompt_tokens + WORDS_ROOM + tokens, config.decoder.max_positions),
    )  # fmt: skip
    reader = Reader(LoadedModel(config, model, StandInTokenizer(config)), options)
    # No id is the end mark.
    engine = reader.desk.engine
    engine.compiled = dataclasses.replace(engine.compiled, end=-1)
    reader.warm_up()

    def read(some: Sequence[Path]) -> tuple[int, set[int], int]:
        count, ids, characters = 0, set(), 0
        for item in reader.read(load_documents(some, threads=threads), ordered=False):
            if isinstance(item, Failure):
                raise UserError(item.message)
            if len(item.token_ids) != tokens:
                raise UserError(f"{item.page.source}: {len(item.token_ids)} tokens instead of {tokens}")
            count += 1
            ids |= set(item.token_ids)
            characters += len(item.text)
        return count, ids, characters

    read(files[: min(len(files), rows)])
    start = time.perf_counter()
    count, ids, characters = read(files)
    took = time.perf_counter() - start
    return Row(
        f"whole pages, {mode}", count / took, "pages/s", None, "decoding",
        f"{86400 * count / took:,.0f} a day: {count} PNG files, {tokens} answer tokens each ({len(ids):,} distinct "
        f"ids, {characters / count:,.0f} characters a page) in {took:.1f} s; {reader.rows} rows, {threads} threads",
    )  # fmt: skip
