"""The shapes that reading compiles: few, known beforehand, kept on disk."""

import dataclasses
import os
from collections.abc import Sequence
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np

from dsocr_jax.errors import UserError
from dsocr_jax.modes import FIRST_ROW, NO_TILES, Mode, count_tokens
from dsocr_jax.reading import fused
from dsocr_jax.reading.asking import Try
from dsocr_jax.reading.choose import no_choice
from dsocr_jax.reading.engine import GROUPS, Engine, padded_length
from dsocr_jax.reading.slots import advance, insert
from dsocr_jax.reading.vision import bucket_sizes, encode_views
from dsocr_jax.tokenizer import Tokenizer
from dsocr_jax.windows import view_spec

#: Names the folder of compiled programs; empty for none.
CACHE_VARIABLE = "DSOCR_COMPILE_CACHE"
#: Programs that compile in less are not worth a file.
CACHE_SECONDS = 0.5


@dataclasses.dataclass(frozen=True, order=True)
class Shape:
    """One compiled shape.

    Attributes:
        work: ``views`` (``count`` views of ``size`` pixels), ``prompts`` (``count`` prompts padded to ``size`` tokens)
            or ``decode`` (all rows, of at most ``size`` cache pages).
        size: as said.
        count: as said.
    """

    work: str
    size: int
    count: int

    def __str__(self) -> str:
        unit = {"views": "pixels", "prompts": "tokens", "decode": "cache pages"}[self.work]
        return f"{self.work}: {self.count} of {self.size} {unit}"


def list_shapes(engine: Engine, tries: Sequence[Try], tokenizer: Tokenizer) -> list[Shape]:
    """Return every shape that pages read in these ways will need."""
    stride, rows = engine.config.stride, engine.options.rows
    found: set[Shape] = set()
    views: dict[int, int] = {}
    for one in tries:
        text = len(tokenizer.prompt_ids(one.prompt, 0))
        for columns, lines in _grids(one.mode):
            tokens = count_tokens(one.mode, (columns, lines), stride) + text
            if tokens >= engine.most:
                continue
            length = padded_length(tokens)
            together = min(rows, max(1, engine.options.prompt_tokens // length), GROUPS[-1])
            found |= {Shape("prompts", length, count) for count in _up_to(GROUPS, together)}
            # Prompts of several modes may join together.
            most = min(rows, GROUPS[-1])
            tiles = columns * lines if (columns, lines) != NO_TILES else 0
            for size, count in ((one.mode.tile_size, tiles), (one.mode.base_size, 1)):
                views[size] = max(views.get(size, 0), count * most)
    for size, count in views.items():
        found |= {Shape("views", size, n) for n in _up_to(bucket_sizes(size), count)}
    width = engine.pool.width
    widths = {width} if engine.compiled.kernels else {min(width, 1 << n) for n in range(width.bit_length() + 1)}
    return sorted(found | {Shape("decode", pages, rows) for pages in widths})


def compile_shape(engine: Engine, shape: Shape) -> None:
    """Run one shape on an engine that has nothing to do, without effect.

    Raises:
        UserError: the engine is at work.
    """
    if engine.busy:
        raise UserError("warm_up: the reader is at work; warm it up before pages are read")
    if shape.work == "views":
        views = jnp.asarray(view_spec(engine.config, shape.size).room(shape.count))
        engine.table = encode_views(
            engine.encoder, views, engine.table, jnp.int32(FIRST_ROW), engine.backends, engine.embedding
        )
    elif shape.work == "prompts":
        tokens, nothing = np.zeros((shape.count, shape.size), np.int32), np.zeros(shape.count, np.int32)
        nowhere = np.full(shape.count, engine.options.rows, np.int32)
        table = np.zeros((shape.count, -(-shape.size // fused.PAGE)), np.int32)
        engine.slots, _, _ = insert(
            engine.decoder, engine.slots, engine.table, tokens, tokens - 1, nothing, nowhere, nothing, table,
            no_choice(shape.count), engine.compiled,
        )  # fmt: skip
    else:
        table = np.zeros((engine.options.rows, shape.size), np.int32)
        engine.slots, *_ = advance(engine.decoder, engine.slots, table, engine.options.steps, engine.compiled)
    jax.block_until_ready(engine.slots.status)


def cache_folder() -> Path | None:
    """Return where compiled programs are kept: the variable's folder, or one in the user's cache directory."""
    named = os.environ.get(CACHE_VARIABLE)
    if named is not None:
        return Path(named) if named else None
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "dsocr-jax" / "compiled"


def use_compile_cache(folder: Path | None) -> None:
    """Keep compiled programs in a folder from now on, or (None) nowhere; it is made when it is missing.

    A folder that cannot be written is said by JAX and does no harm.
    """
    jax.config.update("jax_compilation_cache_dir", None if folder is None else str(folder))
    jax.config.update("jax_persistent_cache_min_compile_time_secs", CACHE_SECONDS)


def _grids(mode: Mode) -> list[tuple[int, int]]:
    if not mode.crop:
        return [NO_TILES]
    sides = range(1, mode.max_tiles + 1)
    return [NO_TILES, *((w, h) for w in sides for h in sides if mode.min_tiles <= w * h <= mode.max_tiles)]


def _up_to(buckets: Sequence[int], most: int) -> list[int]:
    """Return the buckets that hold 1 ... ``most``."""
    return [n for i, n in enumerate(buckets) if i == 0 or buckets[i - 1] < most]
