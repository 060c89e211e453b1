"""Layers one after the other: unrolled, or as one compiled body that runs over the stacked parameters of equal ones.

Parameters are stored for each layer by itself; they are stacked inside the compiled step, which takes a copy of them.
`stack_arrays` makes the stacks once instead, for a state that stays stacked.
"""

import re
from collections.abc import Callable, Hashable, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple, TypeVar

import jax
import jax.numpy as jnp
from flax import nnx
from jax.ad_checkpoint import checkpoint_name

from dsocr_jax.model.backends import Backends
from dsocr_jax.model.placement import HERE

Carry = TypeVar("Carry")

#: Names of results that `remat="dots"` keeps although they are not plain products with a parameter.
EXPERT_PRODUCT = "expert_product"
#: Name of a layer's parameters that a placement brought together, see `keep_gathered`.
GATHERED = "gathered"

_LAYER = re.compile(r"^(?P<owner>.*/(?:layers|blocks))/(?P<number>\d+)/(?P<rest>.*)$")
_STACK = re.compile(r"^(?P<owner>.*/(?:layers|blocks))/(?P<first>\d+)-(?P<last>\d+)by(?P<period>\d+)/(?P<rest>.*)$")


class Run(NamedTuple):
    """Layers ``first`` to ``first + period * repeats - 1``: ``period`` unlike layers that come ``repeats`` times."""

    first: int
    period: int
    repeats: int


def find_runs(kinds: Sequence[Hashable]) -> list[Run]:
    """Return how layers of these kinds fall into repetitions, from the first layer on.

    The whole sequence as one repetition if there is one (SAM's two windowed blocks and a global one, four times), else
    stretches of equal layers.
    """
    count = len(kinds)
    for period in range(1, count // 2 + 1):
        if count % period == 0 and all(kinds[i] == kinds[i - period] for i in range(period, count)):
            return [Run(0, period, count // period)]
    runs: list[Run] = []
    for i, kind in enumerate(kinds):
        if i and kind == kinds[i - 1]:
            runs[-1] = runs[-1]._replace(repeats=runs[-1].repeats + 1)
        else:
            runs.append(Run(i, 1, 1))
    return runs


def run_layers(layers: Sequence[Any], carry: Carry, call: Callable[[Any, Carry], Carry], backends: Backends) -> Carry:
    """Apply ``call(layer, carry)`` from the first layer to the last.

    Args:
        layers: modules.
        carry: what a layer changes; arrays that keep their shapes and types.
        call: applies one layer.
        backends: its ``layers``, ``remat``, ``gathered`` and ``placement`` are used.
    """
    if backends.layers == "unrolled" and backends.placement == HERE:
        for layer in layers:
            carry = _remat(call, backends)(layer, carry)
        return carry
    graphdefs, states = zip(*(nnx.split(layer) for layer in layers), strict=True)

    def run_one(structure: Any, state: Any, carry: Carry) -> Carry:
        return call(nnx.merge(structure, backends.placement.layer(state)), carry)

    if backends.layers == "unrolled":
        for structure, state in zip(graphdefs, states, strict=True):
            carry = _remat(partial(run_one, structure), backends)(state, carry)
        return carry
    for run in find_runs([_kind(*item) for item in zip(graphdefs, states, strict=True)]):
        stop = run.first + run.period * run.repeats
        structures = graphdefs[run.first : run.first + run.period]

        def body(carry: Carry, parts: tuple[Any, ...], structures: tuple[Any, ...] = structures) -> tuple[Carry, None]:
            for structure, part in zip(structures, parts, strict=True):
                # One block at a time is computed again, however many a body has.
                carry = _remat(partial(run_one, structure), backends, prevent_cse=False)(part, carry)
            return carry, None

        if run.repeats == 1:
            carry, _ = body(carry, states[run.first : stop])
        else:
            stacked = tuple(_stack(states[run.first + i : stop : run.period]) for i in range(run.period))
            carry, _ = jax.lax.scan(body, carry, stacked)
    return carry


def keep_product(x: jax.Array) -> jax.Array:
    """Name a product with parameters that have a batch dimension, so that ``remat="dots"`` keeps it."""
    return checkpoint_name(x, EXPERT_PRODUCT)


def keep_gathered(x: jax.Array) -> jax.Array:
    """Name a parameter that was brought together from several devices, so that ``gathered="kept"`` keeps it."""
    return checkpoint_name(x, GATHERED)


def _remat(call: Callable[..., Any], backends: Backends, prevent_cse: bool = True) -> Callable[..., Any]:
    if backends.remat == "none":
        return call
    policies, gathered = jax.checkpoint_policies, (GATHERED,) if backends.gathered == "kept" else ()
    policy = policies.save_only_these_names(*gathered)
    if backends.remat == "dots":
        # Scores of attention are products with a batch dimension: they are computed again.
        named = policies.save_only_these_names(EXPERT_PRODUCT, *gathered)
        policy = policies.save_from_both_policies(policies.dots_with_no_batch_dims_saveable, named)
    return jax.checkpoint(call, policy=policy, prevent_cse=prevent_cse)


def _kind(graphdef: Any, state: Any) -> Hashable:
    leaves, structure = jax.tree.flatten(state)
    return graphdef, structure, tuple((leaf.shape, leaf.dtype) for leaf in leaves)


def _stack(states: Sequence[Any]) -> Any:
    return jax.tree.map(lambda *leaves: jnp.stack(leaves), *states)


def stack_arrays(
    arrays: Mapping[str, Any],
    stack: Callable[[list[Any]], Any] = jnp.stack,
    label: Callable[[str], Hashable] = lambda name: None,
) -> dict[str, Any]:
    """Return parameters by name with those of repeated layers in one array each.

    ``decoder/layers/1/norm/scale`` to ``decoder/layers/11/norm/scale`` become ``decoder/layers/1-11by1/norm/scale``,
    one dimension more in front; the other names stay. Patterns on the ends and beginnings of names still find them.

    Args:
        arrays: parameters by name, such as `dsocr_jax.weights.params.flatten` returns: arrays, or their shapes.
        stack: makes one array of several.
        label: of an array by its name; only arrays of equal labels share a stack.
    """
    owners: dict[str, dict[int, dict[str, Any]]] = {}
    out = {}
    for name, array in arrays.items():
        if match := _LAYER.match(name):
            owners.setdefault(match["owner"], {}).setdefault(int(match["number"]), {})[match["rest"]] = array
        else:
            out[name] = array
    for owner, numbered in owners.items():
        layers = [numbered[i] for i in range(len(numbered))]
        kinds = [
            tuple(sorted((rest, x.shape, str(x.dtype), label(f"{owner}/{i}/{rest}")) for rest, x in layer.items()))
            for i, layer in enumerate(layers)
        ]
        for run in find_runs(kinds):
            last = run.first + run.period * run.repeats - 1
            for i in range(run.first, run.first + run.period):
                for rest, array in layers[i].items():
                    if run.repeats == 1:
                        out[f"{owner}/{i}/{rest}"] = array
                    else:
                        parts = [layer[rest] for layer in layers[i : last + 1 : run.period]]
                        out[f"{owner}/{i}-{last}by{run.period}/{rest}"] = stack(parts)
    return out


def layers_of(name: str) -> range | None:
    """Return the numbers of the layers whose parameters the array called ``name`` holds; None if it is no stack."""
    match = _STACK.match(name)
    return range(int(match["first"]), int(match["last"]) + 1, int(match["period"])) if match else None


def first_of(name: str) -> str:
    """Return the name of the first of the arrays that a stack holds, or the name itself if it is no stack."""
    match = _STACK.match(name)
    return f"{match['owner']}/{match['first']}/{match['rest']}" if match else name


def is_of_layer(name: str) -> bool:
    """Tell whether an array belongs to one of the layers that `run_layers` runs, or to several."""
    return bool(_STACK.match(name) or _LAYER.match(name))


def _split(array: Any, count: int) -> Sequence[Any]:
    # A split's gradient is one concatenation; that of indexing would be a sum of padded arrays.
    return jax.lax.split(array, (1,) * count, axis=0)


def unstack_arrays(arrays: Mapping[str, Any], split: Callable[[Any, int], Sequence[Any]] = _split) -> dict[str, Any]:
    """Undo `stack_arrays`. Inside a compiled step that scans the layers, the compiler drops both: no copy is made.

    Args:
        arrays: as `stack_arrays` returns them.
        split: cuts an array into so many parts along its first axis.
    """
    out = {}
    for name, array in arrays.items():
        if match := _STACK.match(name):
            numbers = layers_of(name) or ()
            for i, part in zip(numbers, split(array, len(numbers)), strict=True):
                out[f"{match['owner']}/{i}/{match['rest']}"] = part.reshape(part.shape[1:])
        else:
            out[name] = array
    return out
