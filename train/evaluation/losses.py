"""The loss of held-out samples, computed as a training step computes its own, without the gradient."""

import dataclasses
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx
from jax.sharding import NamedSharding
from jax.sharding import PartitionSpec as P

from dsocr_jax.batch import Batch
from dsocr_jax.model.scan import is_of_layer, unstack_arrays
from dsocr_jax.weights.params import abstract_model, unflatten
from train.config import TrainConfig
from train.lora import is_adapter, merged
from train.loss import row_losses
from train.setup import Setup, backends_of
from train.sharding import EMBEDDING, Gathered, batch_sharding, gather
from train.step import Params

RowLosses = Callable[[Params, Batch], tuple[np.ndarray, np.ndarray]]


def effective(params: Params, config: TrainConfig) -> Params:
    """Return the parameters as a step computes with them: in its type, adapters merged; layers stay stacked."""
    dtype = jnp.dtype(config.compute_dtype)
    own = {name: x for name, x in params.items() if not is_adapter(name)}
    if config.lora is not None:
        adapters = {name: x for name, x in params.items() if is_adapter(name)}
        own = merged(own, adapters, config.lora, dtype)
    return {name: x.astype(dtype) for name, x in own.items()}


def row_loss_function(setup: Setup) -> RowLosses:
    """Return a function from the state's parameters and a batch on the devices to sums (nats) and counts by row."""
    config, mesh = setup.config, setup.mesh
    graphdef, _ = abstract_model(config.model_config)
    backends = dataclasses.replace(backends_of(config), placement=Gathered(mesh), remat="none")

    def sums(params: Params, batch: Batch) -> tuple[Any, Any]:
        whole = gather(effective(params, config), mesh, lambda name: name != EMBEDDING and not is_of_layer(name))
        model = nnx.merge(graphdef, unflatten(config.model_config, unstack_arrays(whole)))
        hidden = model.forward(batch, backends)[0]
        return row_losses(model.logits, hidden, jnp.asarray(batch.labels), config.loss_chunk)

    replicated = NamedSharding(mesh, P())
    shardings = (setup.shardings.params, batch_sharding(mesh))
    compiled = jax.jit(sums, in_shardings=shardings, out_shardings=replicated)

    def losses(params: Params, batch: Batch) -> tuple[np.ndarray, np.ndarray]:
        total, count = compiled(params, batch)
        return np.asarray(total, np.float64), np.asarray(count, np.float64)

    return losses
