"""One training step: a pure function from state and batch to state and metrics."""

import dataclasses
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import optax
from flax import nnx
from jax.sharding import Mesh, NamedSharding
from jax.sharding import PartitionSpec as P
from jaxtyping import Array

from dsocr_jax.batch import Batch
from dsocr_jax.model.backends import Backends, best_backends
from dsocr_jax.model.scan import unstack_arrays
from dsocr_jax.weights.params import unflatten
from train.config import TrainConfig
from train.loss import row_losses
from train.optimizer import make_schedule, matching
from train.sharding import batch_sharding, gather, tree_shardings


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True)
class TrainState:
    """Everything that a step changes.

    Attributes:
        params: the model's parameters, float32, as `flax.nnx.split` gives them; or by name with equal layers in one
            array each, as `dsocr_jax.model.scan.stack_arrays` returns them.
        opt_state: the optimizer's moments and counts.
        step: int32 scalar, steps made.
    """

    params: Any
    opt_state: Any
    step: Array


Metrics = dict[str, Array]
Step = Callable[[TrainState, Batch], tuple[TrainState, Metrics]]


def state_of(params: Any, optimizer: optax.GradientTransformation) -> TrainState:
    """Return the state before the first step for given parameters."""
    return TrainState(params, optimizer.init(params), jnp.zeros((), jnp.int32))


def make_step(
    config: TrainConfig,
    graphdef: Any,
    optimizer: optax.GradientTransformation,
    mesh: Mesh,
    backends: Backends | None = None,
) -> Step:
    """Return the step.

    Its metrics are scalars, float32 but for the int32 ``answer_tokens``: ``loss`` (mean cross-entropy over the answers'
    tokens, nats), ``router_loss`` (its sum over the layers, already weighted), ``grad_norm`` (before clipping), ``lr``;
    where the backends give experts a limited room also ``no_room``, the share of (token, expert) pairs without it.

    Args:
        config: of the run.
        graphdef: the model's structure.
        optimizer: of the parameters, in the layout that the state has.
        mesh: the devices.
        backends: how the model computes; None takes what is best on this platform.
    """
    dtype = jnp.dtype(config.compute_dtype)
    chosen = best_backends(dtype) if backends is None else backends
    schedule = make_schedule(config.optimizer, config.steps)

    def loss_of(params: Any, batch: Batch) -> tuple[Array, Metrics]:
        frozen = matching(params, config.freeze)
        # A frozen leaf is a constant: the compiler drops its part of the backward pass.
        params = jax.tree.map(lambda x, stop: jax.lax.stop_gradient(x) if stop else x, params, frozen)
        # Cast first: half as many bytes then travel between devices.
        params = gather(jax.tree.map(lambda x: x.astype(dtype), params), mesh)
        if isinstance(params, dict):
            params = unflatten(config.model_config, unstack_arrays(params))
        model = nnx.merge(graphdef, params)
        hidden, router_loss, no_room = model.forward(batch, chosen)
        sums, counts = row_losses(model.logits, hidden, jnp.asarray(batch.labels), config.loss_chunk)
        tokens = jnp.sum(counts)
        loss = jnp.sum(sums) / jnp.maximum(tokens, 1)
        metrics = {"loss": loss, "router_loss": router_loss, "answer_tokens": tokens}
        if chosen.grouped.startswith("capacity"):
            metrics["no_room"] = no_room
        return loss + router_loss, metrics

    def step(state: TrainState, batch: Batch) -> tuple[TrainState, Metrics]:
        grads, metrics = jax.grad(loss_of, has_aux=True)(state.params, batch)
        updates, opt_state = optimizer.update(grads, state.opt_state, state.params)
        metrics |= {"grad_norm": optax.tree.norm(grads), "lr": jnp.asarray(schedule(state.step), jnp.float32)}
        return TrainState(optax.apply_updates(state.params, updates), opt_state, state.step + 1), metrics

    return step


def compile_step(step: Step, abstract_state: TrainState, mesh: Mesh) -> tuple[Step, TrainState]:
    """Return the step as a jitted function that donates its state, and the state's shardings.

    Nothing is compiled before the first call; batches of another mode compile once more.
    """
    shardings = tree_shardings(abstract_state, mesh)
    replicated = NamedSharding(mesh, P())
    jitted = jax.jit(
        step,
        in_shardings=(shardings, batch_sharding(mesh)),
        out_shardings=(shardings, replicated),
        donate_argnums=0,
    )
    return jitted, shardings


def put_batch(batch: Batch, mesh: Mesh) -> Batch:
    """Return the rows of this process as its part of the global batch on the devices."""
    sharding = batch_sharding(mesh)
    arrays = jax.tree.map(lambda x: jax.make_array_from_process_local_data(sharding, x), batch)
    return dataclasses.replace(arrays, groups=batch.groups * jax.process_count())
