"""``python -m train.take_up MODEL --out STATE``: a model as the state of a stretch, to go on from where that is lost.

The way back from `train.ship`, but for the optimizer's moments, which no model holds: the next stretch begins them
anew (``python -m train.stretch CONFIG --from STATE --new-moments --rewarm 300``).
"""

import dataclasses
from pathlib import Path
from typing import Annotated, Any

import jax.numpy as jnp
import numpy as np
import tyro
from flax import nnx

from dsocr_jax.config import ModelConfig
from dsocr_jax.console import console, run_door
from dsocr_jax.errors import UserError
from dsocr_jax.weights.checkpoint import load_model
from dsocr_jax.weights.params import abstract_model, flatten
from train.cli import load_config
from train.compact import write_state
from train.curriculum import Curriculum
from train.setup import stacked
from train.ship import PARAMS
from train.stretch_log import Progress


@dataclasses.dataclass(frozen=True)
class Options:
    """What is taken up."""

    #: A model folder, in the released layout or ours.
    model: Annotated[Path, tyro.conf.Positional]
    #: A new or empty folder.
    out: Path
    #: The curriculum that it goes on with.
    config: Path = Path("configs/small.py")
    #: Steps that it was trained for.
    step: int = 0
    #: Stretches that it was trained in.
    stretch: int = 0
    #: Samples and tokens that it has seen, and seconds of steps.
    samples: int = 0
    tokens: int = 0
    seconds: float = 0.0
    #: Samples of each kind that are not to be drawn again.
    drawn: int = 0


def take_up(options: Options) -> int:
    """Write the state.

    Raises:
        UserError: the model is damaged or of other sizes than the curriculum's, or the folder is in use.
    """
    config = load_config(options.config)
    if not isinstance(config, Curriculum) or not config.rungs:
        raise UserError(f"{options.config}: has no rungs; name a curriculum such as configs/small.py")
    if min(options.step, options.stretch, options.samples, options.tokens, options.seconds, options.drawn) < 0:
        raise UserError("--step, --stretch, --samples, --tokens, --seconds and --drawn take numbers from 0 on")
    if options.out.exists() and any(options.out.iterdir()):
        raise UserError(f"{options.out} is not empty; name a new folder")
    loaded = load_model(options.model, dtype=jnp.float32, check_finite=True)
    arrays = {name: np.asarray(x) for name, x in flatten(nnx.state(loaded.model, nnx.Param)).items()}
    _check_sizes(arrays, config.model_config, options)
    progress = Progress(
        step=options.step,
        rung=len(config.rungs) - 1,
        stretch=options.stretch,
        samples=options.samples,
        tokens=options.tokens,
        seconds=options.seconds,
        drawn=dict.fromkeys(config.rungs[-1].mixture, options.drawn) if options.drawn else {},
    )
    state = {f"{PARAMS}{name}": np.asarray(x) for name, x in stacked(arrays, config, np.stack).items()}
    state["step"] = np.asarray(options.step, np.int32)
    size = write_state(options.out, state, dataclasses.asdict(progress))
    console.print(f"{options.out}: {size / 2**20:.1f} MiB, at step {options.step}", markup=False)
    return 0


def _check_sizes(arrays: dict[str, Any], sizes: ModelConfig, options: Options) -> None:
    wanted = flatten(abstract_model(sizes)[1])
    other = sorted({*wanted} ^ {*arrays}) + [n for n in wanted if n in arrays and wanted[n].shape != arrays[n].shape]
    if other:
        raise UserError(f"{options.model} has another {other[0]} than {options.config} (or none); take its curriculum")


def main() -> None:
    """Entry point of ``python -m train.take_up``."""
    run_door(lambda: take_up(tyro.cli(Options, prog="python -m train.take_up", description=__doc__)))


if __name__ == "__main__":
    main()
