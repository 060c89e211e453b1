"""``python -m train.ship STATE --out FOLDER``: the state of a stretch as a model in the released layout.

The weights are what the forward pass of training saw: bfloat16, no average. A model that learned in grey is written as
one that takes colours.
"""

import dataclasses
import tempfile
from pathlib import Path
from typing import Annotated

import jax.numpy as jnp
import numpy as np
import tyro

from dsocr_jax.console import console, run_door
from dsocr_jax.errors import UserError
from dsocr_jax.model.scan import unstack_arrays
from dsocr_jax.weights.checkpoint import save_model
from dsocr_jax.weights.conversion import export
from dsocr_jax.weights.params import unflatten
from train.cli import load_config
from train.compact import read_state
from train.publish import in_colour
from train.setup import tokenizer_file

PARAMS = "params/"


@dataclasses.dataclass(frozen=True)
class Options:
    """What is shipped."""

    #: Folder that a stretch left.
    state: Annotated[Path, tyro.conf.Positional]
    #: A new or empty folder.
    out: Path
    #: The curriculum that it was trained with.
    config: Path = Path("configs/small.py")
    #: Write a model folder of ours instead, which keeps the modes that were learned first.
    ours: bool = False


def ship(options: Options) -> int:
    """Write the model.

    Raises:
        UserError: the state is damaged or of another model, or the folder is in use.
    """
    config = load_config(options.config)
    arrays, meta = read_state(options.state)
    params = {name.removeprefix(PARAMS): x for name, x in arrays.items() if name.startswith(PARAMS)}
    sizes, whole = in_colour(config.model_config, unstack_arrays(params, np.split))
    model = unflatten(sizes, {name: jnp.asarray(x, jnp.bfloat16) for name, x in whole.items()})
    if options.out.exists() and any(options.out.iterdir()):
        raise UserError(f"{options.out} is not empty; name a new folder")
    if options.ours:
        save_model(options.out, sizes, model, tokenizer_file(config))
    else:
        with tempfile.TemporaryDirectory() as folder:
            save_model(Path(folder) / "model", sizes, model, tokenizer_file(config))
            export(Path(folder) / "model", options.out)
    size = sum(file.stat().st_size for file in options.out.rglob("*") if file.is_file())
    console.print(f"{options.out}: {size / 1e6:.1f} MB, of step {meta['step']}", markup=False)
    return 0


def main() -> None:
    """Entry point of ``python -m train.ship``."""
    run_door(lambda: ship(tyro.cli(Options, prog="python -m train.ship", description=__doc__)))


if __name__ == "__main__":
    main()
