"""``dsocr bench read``: the table of how fast pages are read, on whatever device there is."""

import dataclasses
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp

from dsocr_jax.bench.device import DeviceSpeed, measure_device
from dsocr_jax.bench.kernels import Kernels, profile
from dsocr_jax.bench.pages import make_files, pages_row
from dsocr_jax.bench.read import DecodeWork, decode_row, encoder_row, encoder_work, random_model
from dsocr_jax.bench.row import Row, as_table, write_json
from dsocr_jax.config import preset
from dsocr_jax.console import console, progress
from dsocr_jax.errors import UserError
from dsocr_jax.model.backends import best_backends
from dsocr_jax.modes import NO_TILES, count_tokens, find_mode
from dsocr_jax.reading import fused


@dataclasses.dataclass(frozen=True)
class ReadBench:
    """What is measured.

    Attributes:
        preset: size of the model; its weights are random.
        sizes: (pixels, views at once) of the encoder's lines.
        decode: (rows, tokens of context) of the decoder's lines.
        steps: tokens that a line of the decoder is timed over.
        mode: of whole pages.
        pages: so many, of ``tokens`` answer tokens each.
        tokens: as said.
        page_size: width and height of the files in pixels.
        rows: answers written at the same time.
        threads: pages opened and prepared at the same time.
        device: side of the matrix, and megabytes, by which the device's peaks are measured.
    """

    preset: str
    sizes: tuple[tuple[int, int], ...]
    decode: tuple[tuple[int, int], ...]
    steps: int
    mode: str
    pages: int
    tokens: int
    page_size: tuple[int, int]
    rows: int
    threads: int
    device: tuple[int, int]

    def __post_init__(self) -> None:
        """Refuse numbers that mean nothing."""
        for name in ("steps", "pages", "tokens", "rows", "threads"):
            if getattr(self, name) < 1:
                raise UserError(f"--{name} must be at least 1, got {getattr(self, name)}")


#: The lines of issue 5 for the released model, and what a CPU does in under a minute.
BENCHES = {
    "released": ReadBench(
        "released", ((1024, 8),), ((1, 1000), (64, 400), (64, 1000), (256, 1300)), 64, "base", 512, 1050, (1024, 1325),
        256, min(16, os.cpu_count() or 1), (8192, 4096),
    ),
    "nano": ReadBench(
        "nano", ((256, 4),), ((1, 300), (8, 300)), 32, "base", 8, 40, (256, 320), 4, 2, (512, 64),
    ),
}  # fmt: skip


def find_bench(name: str) -> ReadBench:
    """Return the bench called ``name``.

    Raises:
        UserError: there is none.
    """
    if name not in BENCHES:
        raise UserError(f"no bench is called {name!r} (known: {', '.join(BENCHES)})")
    return BENCHES[name]


def run(bench: ReadBench, out: Path | None, profiled: bool) -> tuple[list[Row], DeviceSpeed, list[Kernels]]:
    """Measure, print the table, and write it.

    Args:
        bench: what is measured.
        out: file of the table as JSON; None writes none.
        profiled: also sum up the kernels of the encoder's first and of every decoder's line.

    Raises:
        UserError: the sizes do not fit the model, or the file cannot be written.
    """
    _check(bench)
    kernels: list[Kernels] = []
    rows: list[Row] = []
    total = len(bench.sizes) + len(bench.decode) + 1
    with progress("measuring", total, "lines") as advance:
        speed = measure_device(*bench.device, _dtype())
        for row in _measure(bench, speed, kernels if profiled else None):
            rows.append(row)
            advance(1, row.work)
    console.print(as_table(rows, speed))
    for one in kernels:
        console.print(one.table())
    if out is not None:
        said = {**dataclasses.asdict(bench), "kernels": [dataclasses.asdict(one) for one in kernels]}
        write_json(out, rows, speed, said)
    return rows, speed, kernels


def _check(bench: ReadBench) -> None:
    config = preset(bench.preset)
    mode = find_mode(bench.mode, {one.name: one for one in config.modes})
    most = config.decoder.max_positions
    prompt = count_tokens(mode, NO_TILES, config.stride)
    if prompt + bench.tokens > most:
        raise UserError(f"--tokens: {prompt} tokens of a page and {bench.tokens} of its answer exceed {most} positions")
    for size, count in bench.sizes:
        if size < config.stride or size % config.stride or count < 1:
            raise UserError(f"--sizes: at least one view, of a multiple of {config.stride} pixels, not {size}:{count}")
    for batch, context in bench.decode:
        if batch < 1 or not 1 <= context <= most:
            raise UserError(f"--decode: at least one row and 1 to {most} tokens of context, not {batch}:{context}")


def _dtype() -> Any:
    """The type that models are read in on this device."""
    return jnp.float32 if jax.default_backend() == "cpu" else jnp.bfloat16


def _measure(bench: ReadBench, speed: DeviceSpeed, kernels: list[Kernels] | None) -> Iterator[Row]:
    config, gpu = preset(bench.preset), jax.default_backend() == "gpu"
    dtype = _dtype()
    model = random_model(config, dtype)
    backends = dataclasses.replace(best_backends(dtype), layers="unrolled", remat="none")
    for size, count in bench.sizes:
        yield encoder_row(model, size, count, backends, speed)
        if kernels is not None and not kernels:
            kernels.append(profile(f"encoder, {count} views of {size} px", encoder_work(model, size, count, backends)))
    decoder = fused.fuse(model.decoder)
    for batch, context in bench.decode:
        yield decode_row(decoder, batch, context, speed, gpu, bench.steps)
        if kernels is not None:
            work = DecodeWork(decoder, batch, context, bench.steps, gpu)
            work.begin()
            kernels.append(profile(f"decode, batch {batch}, {bench.steps} steps", work.run))
            del work
    del decoder
    mode = find_mode(bench.mode, {one.name: one for one in config.modes})
    with tempfile.TemporaryDirectory() as folder:
        # A sixth of the files is different; the rest are read again, which costs the same.
        files = make_files(Path(folder), max(1, -(-bench.pages // 6)), bench.page_size)
        files = [files[number % len(files)] for number in range(bench.pages)]
        prompt = count_tokens(mode, NO_TILES, config.stride)
        yield pages_row(model, mode.name, files, bench.tokens, bench.rows, 16, bench.threads, prompt)
