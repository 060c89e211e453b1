"""Kernels over groups of tokens that different devices hold: each device runs its own groups.

The compiler does not know what is inside a kernel, and would bring every group to every device. `by_group` tells it
that groups have nothing to do with each other.
"""

from collections.abc import Callable, Sequence
from typing import Any

import jax
from jax.experimental.custom_partitioning import custom_partitioning
from jax.sharding import NamedSharding
from jax.sharding import PartitionSpec as P
from jaxtyping import Array


def by_group(
    function: Callable[..., tuple[Array, ...]], grouped: Sequence[Array], whole: Sequence[Array]
) -> tuple[Array, ...]:
    """Return ``function(*group, *whole)`` of every group, with the groups first in every result.

    Args:
        function: of one group's arrays and those that all share; returns a tuple of arrays.
        grouped: arrays whose first axis is that of the groups; it may be split over devices.
        whole: what every group needs; every device gets all of it.
    """

    def local(*arrays: Array) -> tuple[Array, ...]:
        some, shared = arrays[: len(grouped)], arrays[len(grouped) :]
        if some[0].shape[0] == 1:  # no kernel has to know how to be batched
            return tuple(out[None] for out in function(*(array[0] for array in some), *shared))
        return jax.vmap(function, in_axes=(0,) * len(some) + (None,) * len(shared))(*some, *shared)

    if grouped[0].shape[0] == 1:
        return local(*grouped, *whole)

    def place(mesh: Any, arguments: Any, results: Any) -> tuple[tuple[NamedSharding, ...], tuple[NamedSharding, ...]]:
        split = NamedSharding(mesh, P(*arguments[0].sharding.spec[:1]))
        return (split,) * len(results), (*(split,) * len(grouped), *(NamedSharding(mesh, P()),) * len(whole))

    def partition(mesh: Any, arguments: Any, results: Any) -> tuple[Any, ...]:
        return mesh, local, *place(mesh, arguments, results)

    def infer(mesh: Any, arguments: Any, results: Any) -> Any:
        return place(mesh, arguments, results)[0]

    split_up = custom_partitioning(local)
    names, rule = _rule([*grouped, *whole], jax.eval_shape(local, *grouped, *whole), len(grouped))
    split_up.def_partition(partition, infer, sharding_rule=rule, need_replication_factors=names)
    return split_up(*grouped, *whole)


def _rule(arguments: Sequence[Any], results: Sequence[Any], grouped: int) -> tuple[tuple[str, ...], str]:
    """Return names of all axes but that of the groups, and the rule that says which arrays have which axes."""
    names: list[str] = []

    def axes(array: Any, has_groups: bool) -> str:
        own = [f"a{len(names) + i}" for i in range(array.ndim - has_groups)]
        names.extend(own)
        return " ".join((["g"] if has_groups else []) + own)

    left = ", ".join(axes(array, number < grouped) for number, array in enumerate(arguments))
    return tuple(names), left + " -> " + ", ".join([axes(array, True) for array in results])
