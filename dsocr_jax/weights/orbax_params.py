"""Parameters in orbax's layout: one folder, read onto any devices."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import jax
import orbax.checkpoint as ocp
from flax import nnx

from dsocr_jax.config import ModelConfig
from dsocr_jax.errors import UserError
from dsocr_jax.weights.params import Shardings, abstract_model, default_sharding, flatten, unflatten

#: Arrays are stored in pieces of at most this many bytes, so that a device need not read what others hold.
CHUNK_BYTES = 16 << 20
#: Arrays of this many bytes together are read in one go.
GROUP_BYTES = 256 << 20
#: What may be on its way to the disk at a time: whole arrays, and about as much again in compressed form.
WRITTEN_BYTES = 384 << 20


def write_params(folder: Path, params: nnx.State) -> None:
    """Write ``params`` into a new folder, in host memory about twice `WRITTEN_BYTES` beyond them."""
    arrays = flatten(params)
    pieces = {name: _pieces(name) for name in arrays}
    # The handler itself takes whole gigabytes only.
    writer = ocp.BasePyTreeCheckpointHandler(save_concurrent_bytes=_under_way(arrays.values()))
    with ocp.Checkpointer(ocp.PyTreeCheckpointHandler(handler_impl=writer)) as checkpointer:
        checkpointer.save(folder, args=ocp.args.PyTreeSave(_nest(arrays), save_args=_nest(pieces)))


def _pieces(name: str) -> ocp.SaveArgs:
    # `shard_axes` splits an axis down to single indices, whatever they hold: right for stacked experts alone.
    return ocp.SaveArgs(chunk_byte_size=CHUNK_BYTES, shard_axes=(0,) if "/experts/" in name else ())


def read_params(
    folder: Path,
    config: ModelConfig,
    dtype: Any = None,
    shardings: Shardings | None = None,
    advance: Callable[[int], Any] | None = None,
) -> nnx.State:
    """Read what `write_params` wrote, in host memory a few arrays beyond the parameters at a time.

    Args:
        folder: where they are.
        config: of the model.
        dtype: what to convert to; None keeps the stored type.
        shardings: where each parameter lives; by default all on the default device.
        advance: told the sizes of arrays when they are there.

    Raises:
        UserError: the folder is missing or damaged, or names and shapes are not the model's.
    """
    folder = folder.absolute()  # orbax fails late, in a thread, on a relative path
    if not folder.is_dir():
        raise UserError(f"{folder}: the parameters are missing; copy the model again")
    try:
        with ocp.Checkpointer(ocp.PyTreeCheckpointHandler()) as checkpointer:
            stored = _flat(checkpointer.metadata(folder).item_metadata.tree)
            unflatten(config, stored)  # names and shapes, before memory is taken
            target = {
                name: jax.ShapeDtypeStruct(
                    leaf.shape,
                    dtype or stored[name].dtype,
                    sharding=(shardings(name) if shardings else None) or default_sharding(),
                )
                for name, leaf in flatten(abstract_model(config)[1]).items()
            }
            restored: dict[str, jax.Array] = {}
            for group in _groups(target):
                restored |= _restore(checkpointer, folder, group)
                if advance:
                    advance(sum(restored[name].size for name in group))
    except UserError as error:
        raise UserError(f"{folder.parent}: {error}; is this a checkpoint of another shape?") from error
    except Exception as error:  # orbax and tensorstore raise many kinds for a damaged folder
        detail = (str(error).splitlines() or [type(error).__name__])[0][:200]
        raise UserError(f"{folder}: damaged or incomplete ({detail}); copy the model again") from error
    return unflatten(config, restored)


def _restore(
    checkpointer: ocp.Checkpointer, folder: Path, group: Mapping[str, jax.ShapeDtypeStruct]
) -> dict[str, jax.Array]:
    tree = _nest(group)
    restore_args = ocp.checkpoint_utils.construct_restore_args(tree)
    args = ocp.args.PyTreeRestore(tree, restore_args=restore_args, partial_restore=True)
    return _flat(checkpointer.restore(folder, args=args))


def _groups(target: Mapping[str, jax.ShapeDtypeStruct]) -> Iterator[dict[str, jax.ShapeDtypeStruct]]:
    """The arrays in groups of at most `GROUP_BYTES`, or of one: orbax holds all that it restores in one go twice."""
    group: dict[str, jax.ShapeDtypeStruct] = {}
    size = 0
    for name, array in target.items():
        nbytes = array.size * array.dtype.itemsize
        if group and size + nbytes > GROUP_BYTES:
            yield group
            group, size = {}, 0
        group[name] = array
        size += nbytes
    yield group


def _under_way(arrays: Iterable[Any]) -> int:
    """How much may be on its way to the disk: orbax asks for more than the largest array."""
    return max(WRITTEN_BYTES, 1 + max(array.size * array.dtype.itemsize for array in arrays))


def _nest(arrays: Mapping[str, Any]) -> dict[str, Any]:
    """Nested dictionaries from names with slashes."""
    tree: dict[str, Any] = {}
    for name, array in arrays.items():
        *parents, last = name.split("/")
        node = tree
        for part in parents:
            node = node.setdefault(part, {})
        node[last] = array
    return tree


def _flat(tree: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """The inverse of `_nest`."""
    flat: dict[str, Any] = {}
    for key, value in tree.items():
        flat |= _flat(value, f"{prefix}{key}/") if isinstance(value, Mapping) else {f"{prefix}{key}": value}
    return flat
