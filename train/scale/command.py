"""``dsocr bench scale`` (or ``python -m train.scale``): what several devices of one host bring.

One command measures, on all devices of this host and on fewer: training with its parameters split (fsdp), with experts
spread, with split matrices (tensor) and in a pipeline of four stages; a checkpoint continued on half of the devices;
reading. Each line is printed, and --out written again, as soon as it is known. docs/scaling.md explains the columns.
"""

import sys
from collections.abc import Sequence

import tyro

from dsocr_jax.console import run_door
from train.scale.options import Options


def door(words: Sequence[str]) -> int:
    """Read the words behind ``dsocr bench scale`` and measure."""
    options = tyro.cli(Options, args=list(words), prog="dsocr bench scale", description=__doc__)
    from train.scale.run import run

    return run(options)


def main() -> None:
    """Entry point of ``python -m train.scale``."""
    run_door(lambda: door(sys.argv[1:]))
