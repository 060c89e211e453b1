"""Low-rank adapters (Hu et al., 2021): pure functions over parameters by name.

A matrix W of shape ``[in, out]`` computes as ``W + alpha / rank * A @ B``. A is ``[in, rank]`` and begins random, B is
``[rank, out]`` and begins as zero, so that the model begins as it was. Dimensions in front, of stacked layers and
of experts, pass through: each layer and each expert has adapters of its own.
"""

import math
import re
import zlib
from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp

from dsocr_jax.errors import UserError
from dsocr_jax.model.scan import layers_of
from train.config import LoraConfig, suggest
from train.trained import named_by

A, B = "/lora_a", "/lora_b"

_EXPERTS = re.compile(r"/experts/(gate|up|down)$")


def targets(params: Mapping[str, Any], config: LoraConfig) -> list[str]:
    """Return the names of the matrices that get adapters, in the order of ``params``.

    Args:
        params: the model's parameters by name, layers stacked or not: arrays, or their shapes.
        config: its patterns are searched in the names.

    Raises:
        UserError: a pattern names no matrix, or the rank is more than a matrix can have.
    """
    matrices = [name for name, array in params.items() if _is_matrix(name, len(array.shape))]
    for pattern in config.on:
        if not any(named_by(name, (pattern,)) for name in matrices):
            hint = suggest(pattern.strip("^$/"), sorted({part for name in matrices for part in name.split("/")}))
            raise UserError(f"--lora.on: {pattern!r} names no matrix{hint} (`--dry-run` lists every parameter)")
    found = [name for name in matrices if named_by(name, config.on)]
    for name in found:
        side = min(params[name].shape[-2:])
        if config.rank > side:
            raise UserError(
                f"--lora.rank {config.rank} is more than {name} can have, which is {side} wide; take a smaller rank, "
                "or leave the matrix out of --lora.on"
            )
    return found


def adapters(params: Mapping[str, Any], config: LoraConfig, key: jax.Array) -> dict[str, jax.Array]:
    """Return new adapters, float32, as ``NAME/lora_a`` and ``NAME/lora_b`` for each of `targets`.

    Args:
        params: only names and shapes count.
        config: patterns and rank.
        key: seed of all first matrices; each draws by its own name, whatever other matrices have adapters.

    Raises:
        UserError: see `targets`.
    """
    out = {}
    for name in targets(params, config):
        *front, rows, columns = params[name].shape
        own = jax.random.fold_in(key, zlib.crc32(name.encode()))
        out[name + A] = jax.random.normal(own, (*front, rows, config.rank), jnp.float32) * rows**-0.5
        out[name + B] = jnp.zeros((*front, config.rank, columns), jnp.float32)
    return out


def merged(
    params: Mapping[str, Any], adapters: Mapping[str, Any], config: LoraConfig, dtype: Any = None
) -> dict[str, Any]:
    """Return the parameters with their adapters in them; differentiable in both.

    The product and the sum are float32 and are rounded once: what a step computes with in bfloat16 is what is stored
    when the same parameters are merged as bfloat16.

    Args:
        params: the model's parameters by name, without the adapters.
        adapters: as `adapters` returns them, for the same names.
        config: alpha and rank.
        dtype: of the result; None leaves each parameter the type it has.

    Raises:
        UserError: an adapter belongs to no parameter, is half a pair or has another shape.
    """
    check_fit(params, adapters, config.rank)
    out = {}
    for name, weight in params.items():
        kept = weight.dtype if dtype is None else dtype
        effective = weight
        if name + A in adapters:
            first, second = (jnp.asarray(adapters[name + end], jnp.float32) for end in (A, B))
            product = jnp.matmul(first, second, precision="highest")
            effective = jnp.asarray(weight, jnp.float32) + config.alpha / config.rank * product
        out[name] = effective.astype(kept)
    return out


def check_fit(params: Mapping[str, Any], adapters: Mapping[str, Any], rank: int) -> None:
    """Raise `UserError` with every adapter that belongs to no parameter, is half a pair or has another shape."""
    wrong = []
    for name, array in adapters.items():
        owner, end = name[: -len(A)], name[-len(A) :]
        if not is_adapter(name) or owner not in params:
            wrong.append(f"{name} belongs to no parameter")
            continue
        if owner + (B if end == A else A) not in adapters:
            wrong.append(f"{name} lacks its other half")
        *front, rows, columns = params[owner].shape
        expected = (*front, rows, rank) if end == A else (*front, rank, columns)
        if tuple(array.shape) != expected:
            wrong.append(f"{name} has shape {tuple(array.shape)}, expected {expected}")
    if wrong:
        raise UserError("adapters do not fit the model: " + "; ".join(wrong))


def is_adapter(name: str) -> bool:
    """Tell an adapter's name from a parameter's."""
    return name.endswith((A, B))


def count(params: Mapping[str, Any], config: LoraConfig) -> int:
    """Return how many numbers the adapters of ``params`` have together; see `targets`."""
    shapes = (params[name].shape for name in targets(params, config))
    return sum(config.rank * math.prod(front) * (rows + columns) for *front, rows, columns in shapes)


def _is_matrix(name: str, dimensions: int) -> bool:
    """Whether a parameter multiplies vectors: a kernel of a linear layer, an expert's, the table of embeddings.

    Convolutions, norms, biases and tables of positions do not.
    """
    within = dimensions - (layers_of(name) is not None)
    if name.endswith("/kernel"):
        return within == 2
    return bool(_EXPERTS.search(name)) or name.endswith("/embedding")
