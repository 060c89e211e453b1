"""Compare the gradients of the training loss: the cross entropy and, as the original adds it, the router's loss."""

import math
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

from dsocr_jax.batch import Batch
from dsocr_jax.parity.inputs import Inputs
from dsocr_jax.parity.results import Comparison, Limits
from dsocr_jax.parity.source import Parameters
from dsocr_jax.weights.params import abstract_model, flatten
from dsocr_jax.weights.table import entries

STAGE = "gradients"


@partial(jax.jit, static_argnums=0)
def losses_and_gradients(graphdef: Any, params: nnx.State, batch: Batch) -> tuple[tuple[Any, Any], nnx.State]:
    """Return (cross entropy, router loss), and the gradients of their sum."""
    targets = batch.labels[:, 1:]

    def loss(params: nnx.State) -> tuple[jax.Array, tuple[jax.Array, jax.Array]]:
        model = nnx.merge(graphdef, params)
        hidden, router_loss = model.hidden_states(batch)
        log_probs = jax.nn.log_softmax(model.logits(hidden)[:, :-1])
        picked = jnp.take_along_axis(log_probs, targets.clip(min=0)[..., None], -1)[..., 0]
        counted = targets >= 0
        cross_entropy = -jnp.sum(picked * counted) / jnp.maximum(jnp.sum(counted), 1)
        return cross_entropy + router_loss, (cross_entropy, router_loss)

    (_, losses), gradients = jax.value_and_grad(loss, has_aux=True)(params)
    return losses, gradients


def compare_gradients(found: Comparison, parameters: Parameters, inputs: Inputs, limits: Limits) -> None:
    """Compare gradients, their norms, and the losses of the whole compiled model."""
    config, meta = parameters.config, found.fixture.meta
    graphdef = abstract_model(config)[0]
    (cross_entropy, router_loss), gradients = losses_and_gradients(graphdef, parameters.all(), inputs.batch)
    if isinstance(meta.get("loss"), float):
        found.relative("meta.loss (compiled as one)", "loss", float(cross_entropy), meta["loss"], limits.forward)
    if isinstance(meta.get("aux"), list):
        found.relative("sum of meta.aux", "router loss", float(router_loss), sum(meta["aux"]), limits.forward)
    ours = flatten(gradients)
    released = {name: array for entry in entries(config) for name, array in entry.export(np.asarray(ours[entry.path]))}
    for name in found.left():
        tensor = name.removeprefix("grad:")
        if tensor != name and tensor in released:
            found.array(name, STAGE, released[tensor], limits.gradients)
    norms = {name: float(np.linalg.norm(array.astype(np.float64))) for name, array in released.items()}
    for name, norm in (meta.get("grad_norm") or {}).items():
        # The original leaves out the gradient of what it never uses; ours is zero.
        found.relative(f"meta.grad_norm[{name}]", STAGE, norms.get(name, math.nan), norm or 0.0, limits.gradients)
    if isinstance(total := meta.get("global_grad_norm"), float):
        whole = math.sqrt(sum(norm * norm for norm in norms.values()))
        found.relative("meta.global_grad_norm", STAGE, whole, total, limits.gradients)
