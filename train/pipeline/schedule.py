"""One forward, one backward: each stage works on a microbatch of its own, in one scan over ticks. Knows no model.

At tick t, stage s of S runs forward for microbatch ``t - s`` and backward for microbatch ``t - 2 (S - 1) + s``, if
there are such ones; then results are sent on. The last stage would run both for the same one: backward is enough. Of
the ``M + 2 (S - 1)`` ticks for M microbatches the first and the last ``S - 1`` have only one half to do: the time is
that of ``M + S - 1`` whole ticks, as if all went forward first, but at most ``2 S - 3`` inputs of a stage are kept.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array

#: The mesh axis whose devices are the stages.
AXIS = "stage"

Figures = dict[str, Any]
Sums = tuple[Array, Figures]


class Stage(NamedTuple):
    """One stage: what it computes, and whether anything of it is differentiated."""

    #: (parameters, incoming buffer, microbatch) → (outgoing buffer, what is minimised, figures to be added up).
    run: Callable[[Array, Array, Any], tuple[Array, Array, Figures]]
    trains: bool


def run_schedule(stages: Sequence[Stage], params: Array, microbatches: Any, empty: Array) -> Sums:
    """Return the gradient of this device's stage, and its figures, summed over the microbatches.

    It is called inside `jax.shard_map` by all devices of `AXIS`.

    Args:
        stages: from the first to the last; all buffers, of parameters and of what is handed on, are alike.
        params: of this device's stage.
        microbatches: a pytree whose arrays have the microbatches in front.
        empty: a buffer of zeros, as one that is handed on.

    Returns:
        float32 in the shape of ``params``; the figures of all stages by name, 0 for those of other stages.
    """
    last, count = len(stages) - 1, jax.tree.leaves(microbatches)[0].shape[0]
    me, room = jax.lax.axis_index(AXIS), max(2 * last - 1, 1)

    def microbatch(number: Array) -> Any:
        return jax.tree.map(
            lambda x: jax.lax.dynamic_index_in_dim(x, number.clip(0, count - 1), 0, False), microbatches
        )

    def branch(number: Array, works: Any = True) -> Array:
        # Without a microbatch a stage does nothing, rather than compute what nobody reads.
        return jnp.where((number >= 0) & (number < count) & works, me + 1, 0)

    shapes = [jax.eval_shape(stage.run, params, empty, microbatch(jnp.zeros((), int)))[2] for stage in stages]
    figures = {name: jnp.zeros(x.shape, x.dtype) for found in shapes for name, x in found.items()}
    forwards = [lambda params, incoming, batch: empty, *map(_forward, stages[:-1])]
    backwards = [lambda params, incoming, batch, slope, sums: (empty, sums), *map(_backward, stages, shapes)]

    def tick(carry: Any, time: Array) -> tuple[Any, None]:
        kept, incoming, slope, sums = carry
        ahead, behind = time - me, time - 2 * last + me
        kept = kept.at[ahead % room].set(incoming)
        outgoing = jax.lax.switch(branch(ahead, me < last), forwards, params, incoming, microbatch(ahead))
        given = (params, kept[behind % room], microbatch(behind), slope, sums)
        slope, sums = jax.lax.switch(branch(behind), backwards, *given)
        outgoing = jax.lax.ppermute(outgoing, AXIS, [(i, i + 1) for i in range(last)])
        slope = jax.lax.ppermute(slope, AXIS, [(i + 1, i) for i in range(last)])
        return (kept, outgoing, slope, sums), None

    start = (jnp.stack([empty] * room), empty, empty, (jnp.zeros(params.shape, jnp.float32), figures))
    return jax.lax.scan(tick, start, jnp.arange(count + 2 * last))[0][3]


def _forward(stage: Stage) -> Callable[..., Array]:
    return lambda params, incoming, batch: stage.run(params, incoming, batch)[0]


def _backward(stage: Stage, figures: Figures) -> Callable[..., tuple[Array, Sums]]:
    """Return what computes a stage again, gives the gradient of its input, and adds to the sums."""

    def call(params: Array, incoming: Array, batch: Any, slope: Array, sums: Sums) -> tuple[Array, Sums]:
        def run(params: Array, incoming: Array) -> tuple[tuple[Array, Array], Figures]:
            outgoing, objective, found = stage.run(params, incoming, batch)
            return (outgoing, objective), found

        gradient, totals = sums
        if stage.trains:
            (_, objective), pull, found = jax.vjp(run, params, incoming, has_aux=True)
            more, slope = pull((slope, jnp.ones_like(objective)))
            gradient = gradient + more.astype(gradient.dtype)
        else:
            slope, found = jnp.zeros_like(slope), run(params, incoming)[1] if figures else {}
        return slope, (gradient, {name: x + found[name] if name in found else x for name, x in totals.items()})

    return call
