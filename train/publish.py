"""The parameters of a run as a model folder, for the reader and for ``dsocr export``."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import numpy as np

from dsocr_jax.model.scan import unstack_arrays
from dsocr_jax.weights.checkpoint import save_model
from dsocr_jax.weights.params import unflatten
from train.lora import is_adapter, merged
from train.lora_files import save_adapters
from train.setup import Setup, tokenizer_file
from train.step import TrainState


def publish(setup: Setup, state: TrainState, folder: Path) -> None:
    """Write the model of ``state`` to ``folder``, in the type that the run computes in, adapters merged.

    The adapters alone go to ``adapters`` beside it (`train.lora_files`).
    The parameters pass through the host's memory, which must have room for them once.
    """
    publisher(setup, state, folder)()


def publisher(setup: Setup, state: TrainState, folder: Path) -> Callable[[], None]:
    """Copy the parameters of ``state`` to the host, and return what does the rest of `publish`, in any thread."""
    config = setup.config
    params = {name: x for name, x in state.params.items() if not is_adapter(name)}
    adapters = {name: x for name, x in state.params.items() if is_adapter(name)}
    if config.lora is not None:
        params = merged(params, adapters, config.lora)
    # JAX gives no buffer to the next step that numpy still looks at.
    arrays = {name: _host(x, config.compute_dtype) for name, x in params.items()}
    alone = {name: _host(x, x.dtype) for name, x in adapters.items()}

    def write() -> None:
        model = unflatten(config.model_config, unstack_arrays(arrays, np.split))
        save_model(folder, config.model_config, model, tokenizer_file(config))
        if config.lora is not None:
            save_adapters(folder.with_name("adapters"), alone, config.lora, config.model_config)

    return write


def _host(array: jax.Array, dtype: Any) -> np.ndarray:
    # Rounded on the device: fewer bytes travel.
    return np.asarray(jax.device_get(array.astype(dtype)))
