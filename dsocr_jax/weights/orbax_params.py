"""Parameters in orbax's layout: one folder, read onto any devices."""

from collections.abc import Iterable, Mapping
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


def write_params(folder: Path, params: nnx.State) -> None:
    """Write ``params`` into a new folder."""
    arrays = flatten(params)
    pieces = {name: _pieces(name) for name in arrays}
    handler = ocp.PyTreeCheckpointHandler(save_concurrent_gb=_gigabytes(arrays.values()))
    with ocp.Checkpointer(handler) as checkpointer:
        checkpointer.save(folder, args=ocp.args.PyTreeSave(_nest(arrays), save_args=_nest(pieces)))


def _pieces(name: str) -> ocp.SaveArgs:
    # `shard_axes` splits an axis down to single indices, whatever they hold: right for stacked experts alone.
    return ocp.SaveArgs(chunk_byte_size=CHUNK_BYTES, shard_axes=(0,) if "/experts/" in name else ())


def read_params(folder: Path, config: ModelConfig, dtype: Any = None, shardings: Shardings | None = None) -> nnx.State:
    """Read what `write_params` wrote.

    Args:
        dtype: what to convert to; None keeps the stored type.
        shardings: where each parameter lives; by default all on the default device.

    Raises:
        UserError: the folder is missing or damaged, or names and shapes are not the model's.
    """
    folder = folder.absolute()  # orbax fails late, in a thread, on a relative path
    if not folder.is_dir():
        raise UserError(f"{folder}: the parameters are missing; copy the model again")
    try:
        with ocp.Checkpointer(ocp.StandardCheckpointHandler()) as checkpointer:
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
        handler = ocp.StandardCheckpointHandler(restore_concurrent_gb=_gigabytes(target.values()))
        with ocp.Checkpointer(handler) as checkpointer:
            restored = checkpointer.restore(folder, args=ocp.args.StandardRestore(_nest(target)))
    except UserError as error:
        raise UserError(f"{folder.parent}: {error}; is this a checkpoint of another shape?") from error
    except Exception as error:  # orbax and tensorstore raise many kinds for a damaged folder
        detail = (str(error).splitlines() or [type(error).__name__])[0][:200]
        raise UserError(f"{folder}: damaged or incomplete ({detail}); copy the model again") from error
    return unflatten(config, _flat(restored))


def _gigabytes(arrays: Iterable[Any]) -> int:
    """How much orbax may have under way: as little as its limit, whole gigabytes above the largest array, allows."""
    return 1 + max(array.size * array.dtype.itemsize for array in arrays) // 10**9


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
