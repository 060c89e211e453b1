"""``make parity-full``: every fixture of the full-size model, with weights written for the purpose.

The weights take 6.7 GB below ``build`` while it runs; the comparison is the command that users have.
"""

import dataclasses
import math
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import tyro

from dsocr_jax.console import console, progress, run_door
from dsocr_jax.errors import UserError
from dsocr_jax.weights.folders import check_room, complete_folder
from tests.reference import weights

FIXTURES = Path(__file__).parents[2] / "fixtures" / "full"
MEGABYTE = 1_000_000


@dataclasses.dataclass(frozen=True)
class Settings:
    """Compare the full-size model with the original's numbers; writes its weights first (6.7 GB).

    Attributes:
        weights: where they are written; if they are there already they are used, and kept.
        keep: leave the weights for the next time.
        out: folder for the reports, one for each type.
        update: a Markdown file whose tables of this model are replaced, if all fixtures are compared.
        only: compare the fixtures whose names match.
        dtypes: what is compared: float32 for equality, bfloat16 for the original's own spread.
        fixtures: the folder of fixtures.
        config: whose weights are written: "full", or "tiny" to try the command itself.
    """

    weights: Path = Path("build/synthetic-s0")
    keep: bool = False
    out: Path = Path("build/parity-full")
    update: Path | None = None
    only: str = "*"
    dtypes: tuple[str, ...] = ("float32", "bfloat16")
    fixtures: Path = FIXTURES
    config: str = "full"


def main(settings: Settings) -> int:
    """Return 1 when a comparison is missed."""
    there = (settings.weights / "config.json").is_file()
    if not there:
        write(settings.weights, weights.CONFIGS[settings.config])
    try:
        return max(compare(settings, dtype) for dtype in settings.dtypes)
    finally:
        if not (there or settings.keep):
            shutil.rmtree(settings.weights, ignore_errors=True)
            console.print(f"removed {settings.weights}; --keep leaves it for the next time")


def write(folder: Path, config: dict) -> None:
    """Write synthetic weights; if the disk has no room for them, nothing."""
    if folder.exists():
        raise UserError(f"{folder}: exists and holds no model; remove it, or name another folder by --weights")
    total = sum(2 * math.prod(shape) for shape in weights.tensor_shapes(config).values())
    check_room(folder, total)
    done, shown = threading.Event(), 0
    with complete_folder(folder) as partial, progress("writing weights", total // MEGABYTE, "MB") as advance:

        def show(size: int) -> None:
            nonlocal shown
            advance(size // MEGABYTE - shown, "")
            shown = size // MEGABYTE

        def watch() -> None:
            while not done.wait(1):
                shard = partial / weights.SHARD
                show(min(total, shard.stat().st_size if shard.is_file() else 0))

        watcher = threading.Thread(target=watch)
        watcher.start()
        try:
            weights.write_checkpoint(partial, config, "s0")
        finally:
            done.set()
            watcher.join()
        show(total)


def compare(settings: Settings, dtype: str) -> int:
    """Run ``dsocr parity check`` in a process of its own, so that the memory it reports is what it took."""
    command = [sys.executable, "-m", "dsocr_jax.cli", "parity", "check", str(settings.fixtures)]
    command += ["--weights", str(settings.weights), "--only", settings.only, "--dtype", dtype]
    command += ["--out", str(settings.out / dtype)]
    if settings.update is not None and settings.only == "*":  # a part must not take the place of the whole
        command += ["--update", str(settings.update)]
    console.print(" ".join(command[3:]), style="bold")
    return subprocess.run(command, check=False).returncode


if __name__ == "__main__":
    run_door(lambda: main(tyro.cli(Settings, description=__doc__)))
