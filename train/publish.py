"""The parameters of a run as a model folder, for the reader and for ``dsocr export``."""

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import numpy as np

from dsocr_jax.config import ModelConfig
from dsocr_jax.model.scan import unstack_arrays
from dsocr_jax.weights.checkpoint import save_model
from dsocr_jax.weights.params import unflatten
from train.lora import is_adapter, merged
from train.lora_files import save_adapters
from train.setup import Setup, tokenizer_file
from train.step import TrainState

#: SAM's patch embedding, [side, side, 3, width], and the weights of red, green and blue in a grey picture.
PATCHES, LUMA = "encoder/sam/patch_embed/kernel", (0.299, 0.587, 0.114)


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
        sizes, whole = in_colour(config.model_config, unstack_arrays(arrays, np.split))
        save_model(folder, sizes, unflatten(sizes, whole), tokenizer_file(config))
        if config.lora is not None:
            save_adapters(folder.with_name("adapters"), alone, config.lora, config.model_config)

    return write


def in_colour(sizes: ModelConfig, arrays: dict[str, Any]) -> tuple[ModelConfig, dict[str, Any]]:
    """Return a model that learned in grey as one that takes colours: it sees their luma, as it did (BT.601)."""
    if not sizes.grey:
        return sizes, arrays
    kernel = arrays[PATCHES]
    luma = np.array(LUMA, np.float32)[:, None] * kernel.astype(np.float32).sum(2, keepdims=True)
    return dataclasses.replace(sizes, grey=False), {**arrays, PATCHES: luma.astype(kernel.dtype)}


def _host(array: jax.Array, dtype: Any) -> np.ndarray:
    # Rounded on the device: fewer bytes travel.
    return np.asarray(jax.device_get(array.astype(dtype)))
