"""``dsocr bench train`` (or ``python -m train.bench``): how fast the model is trained."""

import dataclasses
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import tyro

from dsocr_jax.console import console, run_door
from dsocr_jax.errors import UserError

if TYPE_CHECKING:
    from train.bench.measure import Line


@dataclasses.dataclass(frozen=True)
class Options:
    """What is measured, with random weights and random batches, optimizer included."""

    #: Size of the model; by default nano on CPUs and released elsewhere.
    preset: Literal["released", "nano"] | None = None
    #: Works by the beginnings of their names; all of them by default.
    only: tuple[str, ...] = ()
    #: Numbers of devices, one after the other; all by default.
    devices: tuple[int, ...] = ()
    #: The axis of the mesh that the devices are put on.
    axis: Literal["data", "fsdp", "expert", "tensor"] = "fsdp"
    #: Rows of a device, instead of each work's own.
    rows: int | None = None
    #: Steps that are timed.
    steps: int = 8
    #: Parts of a step's batch (`TrainConfig.accumulate`).
    accumulate: int = 1
    #: Type of the first moment.
    first_moment: Literal["float32", "bfloat16"] = "float32"
    #: Type of activations, and of the parameters where they are used; bfloat16 but on CPUs by default.
    dtype: Literal["float32", "bfloat16"] | None = None
    #: Positions of a row whose logits exist at one time.
    loss_chunk: int = 512
    #: Products of experts.
    grouped: str | None = None
    #: What the backward pass finds kept.
    remat: str | None = None
    #: Also say where the time goes.
    profile: bool = False
    #: File for the table as JSON.
    out: Path | None = None


def run(options: Options) -> int:
    """Measure, print a line as soon as it is known, and write the file."""
    import jax

    from dsocr_jax.bench.device import measure_device
    from dsocr_jax.bench.row import write_json
    from train.bench.measure import measure, mesh_of
    from train.bench.works import WORKS
    from train.config import BackendsConfig, OptimizerConfig, TrainConfig

    on_cpu = jax.default_backend() == "cpu"
    preset = options.preset or ("nano" if on_cpu else "released")
    dtype = options.dtype or ("float32" if on_cpu else "bfloat16")
    works = [
        work if options.rows is None else dataclasses.replace(work, rows=options.rows)
        for work in WORKS[preset]
        if not options.only or work.name.startswith(options.only)
    ]
    if not works:
        raise UserError(f"--only: no work begins so; there are {', '.join(work.name for work in WORKS[preset])}")
    counts = options.devices or (jax.device_count(),)
    if wrong := [count for count in counts if not 1 <= count <= jax.device_count()]:
        raise UserError(f"--devices {wrong[0]}: there are {jax.device_count()} devices")
    config = TrainConfig(
        model=preset,
        optimizer=OptimizerConfig(peak_lr=1e-6, schedule="constant", warmup=0, first_moment=options.first_moment),
        mesh=mesh_of(options.axis),
        backends=BackendsConfig(grouped=options.grouped, remat=options.remat),
        accumulate=options.accumulate,
        compute_dtype=dtype,
        loss_chunk=options.loss_chunk,
    )
    side, megabytes = (512, 64) if on_cpu else (8192, 4096)
    speed = measure_device(side, megabytes, dtype)
    console.print(f"{speed.name}: {speed.flops / 1e12:,.3g} TFLOP/s in {speed.dtype} (measured)")
    lines: list[Line] = []
    for work in works:
        for count in counts:
            line = measure(config, work, jax.devices()[:count], speed, options.steps, options.profile)
            lines.append(line)
            console.print(in_words(line), highlight=False, soft_wrap=True)
            for part, milliseconds in line.parts:
                console.print(f"    {milliseconds:9.2f} ms  {part}", highlight=False)
            if options.out is not None:
                write_json(options.out, lines, speed, dataclasses.asdict(options))
    return 0


def in_words(line: "Line") -> str:
    """Return a line of the table."""
    nominal = "" if line.nominal is None else f" ({line.nominal:.1%} of the stated)"
    memory = "" if line.gigabytes is None else f"  {line.gigabytes:.1f} GB"
    pictures = f"  {line.pictures_per_s:,.1f} pictures/s" if line.pictures_per_s else ""
    return (
        f"{line.work}, {line.devices} devices: {line.tokens_per_s:,.0f} tokens/s{pictures}  {line.milliseconds:,.1f} ms"
        f"  {line.share:.1%} of the measured peak{nominal}{memory}  compiled in {line.compile_s:.0f} s  "
        f"loss {line.loss:.3f}{'' if line.finite else ' (NOT FINITE: steps were skipped)'}  [{line.options}]"
    )


def door(words: Sequence[str]) -> int:
    """Read the words behind ``dsocr bench train`` and measure."""
    return run(tyro.cli(Options, args=list(words), prog="dsocr bench train", description=__doc__))


def main() -> None:
    """Entry point of ``python -m train.bench``."""
    run_door(lambda: door(sys.argv[1:]))
