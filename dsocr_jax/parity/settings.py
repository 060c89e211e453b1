"""What the commands ``dsocr parity check`` and ``dsocr parity record`` take."""

import dataclasses
import os
from collections import Counter
from pathlib import Path
from typing import Annotated, Literal

import tyro

AUTOTUNING = "--xla_gpu_autotune_level"


@dataclasses.dataclass(frozen=True)
class Check:
    """Compare this port with numbers that the original computed.

    Attributes:
        fixtures: folder of fixtures: pairs of NAME.json and NAME.npz, a config.json beside those of another size.
        weights: a model folder to use instead of the synthetic weights that the fixtures name.
        out: folder for the report, parity.json and parity.md.
        update: a Markdown file whose part for these fixtures is replaced by the new table.
        only: compare the fixtures whose names match, such as 'tiny/*'.
        skip: leave out the fixtures whose names match.
        tokenizer: DeepSeek-OCR's tokenizer.json; by default that of the weights' folder, if it is one.
        dtype: float32 asks for equality; bfloat16 for the original's own spread.
        rtol: largest relative error of the forward pass of small models.
        rtol_gradients: of gradients.
        rtol_operations: of single functions.
        rtol_full: of models too large to be kept in memory whole.
        spread: in bfloat16, how many times the original's own spread.
        allow_unknown: pass although some arrays are of no known name.
    """

    fixtures: tyro.conf.Positional[Path]
    weights: Path | None = None
    out: Path | None = None
    update: Path | None = None
    only: str = "*"
    skip: str = ""
    tokenizer: Path | None = None
    dtype: Literal["float32", "bfloat16"] = "float32"
    rtol: float = 1e-5
    rtol_gradients: float = 1e-4
    rtol_operations: float = 1e-5
    rtol_full: float = 1e-4
    spread: float = 2.0
    allow_unknown: bool = False


@dataclasses.dataclass(frozen=True)
class Record:
    """Make fixtures from the original PyTorch model; needs PyTorch and transformers 4.46.3 ('parity' extra).

    Attributes:
        model: folder with the original's weights, configuration and code.
        out: a new folder for the fixtures.
        run_model_code: allow the Python files of that folder to run; they can do whatever you can.
        modes: which modes to record.
        prompt_ids: ids behind each picture's placeholders; by default those of a short prompt.
        new_tokens: how many ids to decode greedily.
        keep: about how many values of each array are stored.
    """

    model: tyro.conf.Positional[Path]
    out: Path
    run_model_code: bool = False
    modes: tuple[str, ...] = ("tiny", "small", "base", "large", "gundam", "text")
    prompt_ids: tuple[int, ...] = (201, 21431, 126041, 16)
    new_tokens: int = 16
    keep: int = 20_000


Job = (
    Annotated[Check, tyro.conf.subcommand("check", prefix_name=False)]
    | Annotated[Record, tyro.conf.subcommand("record", prefix_name=False)]
)


def run(job: Check | Record) -> int:
    """Carry out a command; the exit status is 1 when something is missed."""
    if isinstance(job, Record):
        from dsocr_jax.parity.record import record

        return record(job)
    os.environ["XLA_FLAGS"] = without_autotuning(os.environ.get("XLA_FLAGS", ""))
    from rich.console import Console

    from dsocr_jax.parity import report
    from dsocr_jax.parity.check import check
    from dsocr_jax.parity.results import Limits

    if job.out:
        report.check_writable(job.out)
    limits = Limits(job.rtol, job.rtol_gradients, job.rtol_operations, job.rtol_full, job.spread)
    found = check(
        job.fixtures,
        job.weights,
        only=job.only,
        skip=job.skip,
        tokenizer=job.tokenizer,
        dtype=job.dtype,
        limits=limits,
    )
    if job.out:
        report.write_report(found, job.out)
    if job.update:
        report.update_document(found, job.update)
    terminal = Console(highlight=False)
    terminal.print(report.table(found))
    for line in report.misses(found, job.allow_unknown):
        terminal.print(line, markup=False, soft_wrap=True)
    counts = Counter(str(check.verdict) for check in found.checks)
    terminal.print(", ".join(f"{count} {verdict}" for verdict, count in counts.items()))
    terminal.print(report.cost(found))
    return 1 if found.missed(job.allow_unknown) else 0


def without_autotuning(flags: str) -> str:
    """Return ``XLA_FLAGS`` that choose no GPU kernels by trial, unless ``flags`` say how much to try.

    Each part of the model is compiled by itself and runs once or a few times: trying every kernel for each of them
    took more than ten times as long as the comparison (over 230 s for a fixture of 23 s, H100). XLA reads the
    variable when the first device is asked for.
    """
    return flags if AUTOTUNING in flags else f"{flags} {AUTOTUNING}=0".strip()
