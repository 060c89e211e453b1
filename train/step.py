"""One training step: a pure function from state and batch to state and metrics."""

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import nnx
from jax.sharding import Mesh, NamedSharding
from jax.sharding import PartitionSpec as P
from jaxtyping import Array

from dsocr_jax.batch import IGNORED, Batch
from dsocr_jax.model.backends import Backends
from dsocr_jax.model.moe import Routing
from dsocr_jax.model.scan import is_of_layer, unstack_arrays
from dsocr_jax.weights.params import unflatten
from train.compiler import step_options
from train.config import TrainConfig
from train.freeze import part_of
from train.lora import is_adapter, merged
from train.optimizer import clipped, make_schedule
from train.sharding import EMBEDDING, VOCABULARY, Gathered, batch_sharding, gather, tree_shardings
from train.trained import is_trained

Params = dict[str, Any]


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True)
class TrainState:
    """Everything that a step changes.

    Attributes:
        params: the model's parameters by name, equal layers in one array each (`dsocr_jax.model.scan.stack_arrays`);
            float32, but for those that are frozen beside adapters.
        opt_state: the optimizer's moments and counts, of the trained parameters alone.
        step: int32 scalar, steps made.
    """

    params: Params
    opt_state: Any
    step: Array


Metrics = dict[str, Array]
Step = Callable[[TrainState, Batch], tuple[TrainState, Metrics]]
#: (trained, frozen, batch, number of labelled tokens) → gradients of the trained parameters, and metrics.
Compute = Callable[[Params, Params, Batch, Array], tuple[Params, Metrics]]


def state_of(params: Params, optimizer: optax.GradientTransformation, config: TrainConfig) -> TrainState:
    """Return the state before the first step for given parameters."""
    trained, _ = divide(params, config)
    return TrainState(params, optimizer.init(trained), jnp.zeros((), jnp.int32))


def divide(params: Mapping[str, Any], config: TrainConfig) -> tuple[Params, Params]:
    """Return the parameters that are trained, and the others."""
    trained = {name: x for name, x in params.items() if is_trained(name, config)}
    return trained, {name: x for name, x in params.items() if name not in trained}


def make_step(
    config: TrainConfig,
    graphdef: Any,
    optimizer: optax.GradientTransformation,
    mesh: Mesh,
    backends: Backends,
    kinds: int = 0,
    compute: Compute | None = None,
) -> Step:
    """Return the step.

    Its metrics: the scalars ``loss`` (mean cross-entropy over the answers' tokens, nats), ``router_loss`` (its sum over
    the layers, already weighted), ``grad_norm`` (before clipping), ``lr``, ``answer_tokens`` (int32) and ``skipped`` (1
    when loss or gradient was not finite; then parameters and moments stay as they were); the gradient's norm for each
    part of the model as ``norm/PART``; ``router_load`` (float32 [sparse layers, experts], shares); with ``kinds`` also
    ``kind_loss`` (float32 [kinds], sums in nats) and ``kind_tokens`` (int32 [kinds]); where the backends give experts a
    limited room also ``no_room``, the share of (token, expert) pairs without it.

    Args:
        config: of the run.
        graphdef: the model's structure.
        optimizer: of the trained parameters.
        mesh: the devices.
        backends: how the model computes; their placement is replaced.
        kinds: how many kinds of samples there are (see `dsocr_jax.batch.Batch.kinds`).
        compute: computes the gradients; None differentiates the model as a whole (`train.pipeline` does otherwise).
    """
    dtype = jnp.dtype(config.compute_dtype)
    placement = Gathered(mesh)
    chosen = dataclasses.replace(backends, placement=placement)
    schedule = make_schedule(config.optimizer, config.steps)

    def loss_of(trained: Params, frozen: Params, batch: Batch, tokens: Array) -> tuple[Array, Metrics]:
        params = trained | frozen
        if config.lora is not None:
            params = merged(frozen, trained, config.lora, dtype)
        params = gather(params, mesh, lambda name: name not in VOCABULARY and not is_of_layer(name))
        model = nnx.merge(graphdef, unflatten(config.model_config, unstack_arrays(params)))
        model.embedding_dtype = dtype  # the table itself is float32, see `_cast`
        hidden, routing = model.forward(batch, chosen)
        labels = jnp.asarray(batch.labels)
        with jax.named_scope("head_loss"):
            kernel = model.decoder.lm_head.kernel[...]
            total, losses = placement.head_loss(hidden, kernel, labels, config.loss_chunk)
        loss = total / jnp.maximum(tokens, 1)
        metrics = {"loss": loss, **routing_metrics(routing, config.accumulate, chosen)}
        if kinds and batch.kinds is not None:
            metrics |= kind_sums(losses, labels, jnp.asarray(batch.kinds), kinds)
        return loss + metrics["router_loss"], metrics

    def whole(trained: Params, frozen: Params, batch: Batch, tokens: Array) -> tuple[Params, Metrics]:
        return gradients(jax.grad(loss_of, has_aux=True), trained, frozen, batch, tokens, config.accumulate)

    def step(state: TrainState, batch: Batch) -> tuple[TrainState, Metrics]:
        # Cast first: gradients are kept, and travel between devices, in the type of the computation.
        trained, frozen = divide(_cast(state.params, dtype), config)
        tokens = jnp.sum(jnp.asarray(batch.labels)[:, 1:] != IGNORED)
        grads, metrics = (compute or whole)(trained, frozen, batch, tokens)
        with jax.named_scope("optimizer"):
            return update(state, grads, {**metrics, "answer_tokens": tokens})

    def update(state: TrainState, grads: Params, metrics: Metrics) -> tuple[TrainState, Metrics]:
        norm = optax.tree.norm(jax.tree.map(lambda x: x.astype(jnp.float32), grads))
        good = jnp.isfinite(metrics["loss"] + metrics["router_loss"]) & jnp.isfinite(norm)
        old, rest = divide(state.params, config)
        updates, opt_state = optimizer.update(clipped(grads, norm, config.optimizer.clip), state.opt_state, old)
        new = optax.apply_updates(old, updates)
        # A step that is not finite changes nothing but the count of steps.
        new, opt_state = (
            jax.tree.map(lambda a, b: jnp.where(good, a, b), *pair)
            for pair in ((new, old), (opt_state, state.opt_state))
        )
        metrics |= {"grad_norm": norm, "lr": jnp.asarray(schedule(state.step), jnp.float32), **part_norms(grads)}
        metrics["skipped"] = 1.0 - good.astype(jnp.float32)
        return TrainState({**state.params, **new, **rest}, opt_state, state.step + 1), metrics

    return step


def gradients(
    gradient: Callable[..., tuple[Params, Metrics]],
    trained: Params,
    frozen: Params,
    batch: Batch,
    tokens: Array,
    parts: int,
) -> tuple[Params, Metrics]:
    """Return the sums of gradients and metrics over ``parts`` parts of the batch, one after the other.

    Args:
        gradient: of trained, frozen, a part of the batch and the number of all answers' tokens.
        trained, frozen: parameters.
        batch: its groups are a multiple of ``parts``; part i takes every group whose number is i modulo ``parts``, so
            that a device's groups, which stand side by side, fall into all parts alike.
        tokens: labelled tokens of the whole batch.
        parts: see above.
    """
    if parts == 1:
        return gradient(trained, frozen, batch, tokens)
    divided = divide_batch(batch, parts)

    def add(total: Any, part: Batch) -> tuple[Any, None]:
        found = gradient(trained, frozen, part, tokens)
        return jax.tree.map(lambda a, b: a + b.astype(a.dtype), total, found), None

    shapes = jax.eval_shape(gradient, trained, frozen, jax.tree.map(lambda x: x[0], divided), tokens)
    # Sums of many parts need more bits than the parts.
    zeros = jax.tree.map(lambda x: jnp.zeros(x.shape, jnp.promote_types(x.dtype, jnp.float32)), shapes[0])
    start = (zeros, jax.tree.map(lambda x: jnp.zeros(x.shape, x.dtype), shapes[1]))
    return jax.lax.scan(add, start, divided)[0]


def divide_batch(batch: Batch, parts: int) -> Batch:
    """Return the batch with a leading axis of ``parts``; each has ``1 / parts`` of the groups, and their rows."""
    groups = batch.groups // parts

    def split(x: Any) -> Array:
        x = jnp.asarray(x)
        size = x.shape[0] // batch.groups  # rows of a group, or 1 for what is by group
        x = x.reshape(groups, parts, size, *x.shape[1:]).swapaxes(0, 1)
        return x.reshape(parts, groups * size, *x.shape[3:])

    return dataclasses.replace(jax.tree.map(split, batch), groups=groups)


def routing_metrics(routing: Routing, parts: int, backends: Backends) -> Metrics:
    """Return what the routers did in one of ``parts`` equal parts of a batch, as shares of the whole."""
    metrics = {"router_loss": routing.loss / parts}
    if routing.load.size:
        metrics["router_load"] = routing.load / parts
    if backends.grouped.startswith("capacity"):
        metrics["no_room"] = routing.no_room / parts
    return metrics


def part_norms(gradients: Params) -> Metrics:
    """Return the norm of the gradient of each part of the model (`train.freeze.part_of`) as ``norm/PART``."""
    squares: dict[str, Array] = {}
    for name, x in gradients.items():
        part = f"norm/{part_of(name)}"
        squares[part] = squares.get(part, jnp.zeros(())) + jnp.sum(jnp.square(x.astype(jnp.float32)))
    return {part: jnp.sqrt(total) for part, total in squares.items()}


def kind_sums(losses: Array, labels: Array, kinds: Array, count: int) -> Metrics:
    """Return sums of losses (nats) and numbers of labelled tokens by kind."""
    # One comparison for each kind: a scattered sum of so many equal places would be slow.
    of_kind = (kinds[..., None] == jnp.arange(count)) & (labels != IGNORED)[..., None]
    of_kind = of_kind.at[:, 0].set(False)  # nothing predicts a row's first token
    return {
        "kind_loss": jnp.sum(jnp.where(of_kind, losses[..., None], 0.0), axis=(0, 1)),
        "kind_tokens": jnp.sum(of_kind, axis=(0, 1), dtype=jnp.int32),
    }


def _cast(params: Params, dtype: Any) -> Params:
    # The table's gradient is a sum over all tokens of a batch that are equal: it needs the bits.
    return {name: x if name == EMBEDDING or is_adapter(name) else x.astype(dtype) for name, x in params.items()}


def compile_step(step: Step, abstract_state: TrainState, mesh: Mesh, overlap: bool = True) -> tuple[Step, TrainState]:
    """Return the step as a jitted function that donates its state, and the state's shardings.

    Nothing is compiled before the first call; batches of another mode compile once more.

    Args:
        step: see `make_step`.
        abstract_state: the state's shapes.
        mesh: the devices.
        overlap: see `train.compiler.step_options`.
    """
    shardings = tree_shardings(abstract_state, mesh)
    replicated = NamedSharding(mesh, P())
    jitted = jax.jit(
        step,
        in_shardings=(shardings, batch_sharding(mesh)),
        out_shardings=(shardings, replicated),
        donate_argnums=0,
        compiler_options=step_options(mesh, overlap),
    )
    return jitted, shardings


def put_batch(batch: Batch, mesh: Mesh) -> Batch:
    """Return the rows of this process as its part of the global batch on the devices."""
    sharding = batch_sharding(mesh)
    arrays = jax.tree.map(lambda x: jax.make_array_from_process_local_data(sharding, x), batch)
    return dataclasses.replace(arrays, groups=batch.groups * jax.process_count())


def place_batch(batch: Batch, mesh: Mesh) -> Batch:
    """As `put_batch`, from memory that may be overwritten as soon as this has returned."""
    if mesh.devices.flat[0].platform == "cpu":
        batch = jax.tree.map(np.copy, batch)  # there arrays may stay where they are
    placed = put_batch(batch, mesh)
    jax.block_until_ready(placed)
    return placed
