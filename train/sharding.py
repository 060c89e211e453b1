"""Where every array lives: the device mesh, and one ordered table from parameter paths to partitions.

The first pattern that matches decides. Moments of the optimizer carry the path of their parameter, so the same
table serves them, and restored checkpoints as well.
"""

import dataclasses
import functools
import math
import re
from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
from flax import nnx
from jax.sharding import AbstractMesh, AxisType, Mesh, NamedSharding
from jax.sharding import PartitionSpec as P

from dsocr_jax.errors import UserError
from dsocr_jax.model.placement import Routed
from dsocr_jax.model.scan import first_of, keep_gathered, layers_of
from dsocr_jax.weights.params import path_name
from train.config import MeshConfig
from train.expert_parallel import spread
from train.loss import head_loss
from train.vocabulary_parallel import can_split, head_loss_split, look_up_split

#: Axes that the rows of a batch are split over; `tensor` splits matrices only.
BATCH_AXES = ("data", "fsdp", "expert")

#: Names of the tables of the vocabulary, which `Gathered` brings to their places itself.
EMBEDDING, HEAD = VOCABULARY = ("decoder/embed/embedding", "decoder/lm_head/kernel")

#: Axes that split parameters also where they are used: nobody needs a whole matrix, or all experts.
KEPT = ("tensor", "expert")

#: Devices, or only their arrangement.
AnyMesh = Mesh | AbstractMesh

#: An array of this many elements must be named by a rule; smaller ones are replicated.
LARGE = 2**16

#: (pattern on the path, partition of the leading dimensions), first match wins; an empty partition replicates.
#: A column-parallel matrix ([in, out] split by out) is followed by a row-parallel one, so that the tensor axis
#: needs one sum per block.
RULES: tuple[tuple[str, P], ...] = (
    (r"/experts/(gate|up)$", P("expert", "fsdp", "tensor")),
    (r"/experts/down$", P("expert", "tensor", "fsdp")),
    (r"/router/kernel$", P()),
    (r"/(q|k|v|qkv|gate|up|fc1|lm_head)/kernel$", P("fsdp", "tensor")),
    (r"/(o|proj|out|down|fc2)/kernel$", P("tensor", "fsdp")),
    (r"(^|/)projector/kernel$", P("fsdp")),
    (r"/embed/embedding$", P("tensor", "fsdp")),
    (r"(^|/)sam/(patch_embed|neck|compressor)(/\w+)*/kernel$", P(None, None, None, "fsdp")),
    (r"/patch_embed/kernel$", P(None, None, None, "fsdp")),
    (r"/convolutions/\d+/conv/kernel$", P(None, None, "fsdp")),
    (r"/(pos_embed|class_embed|rel_pos_h|rel_pos_w)$", P()),
    (r"/(scale|bias)$", P()),
    (r"(^|/)(image_newline|view_separator)$", P()),
    (r"/lora_[ab]$", P()),
)


@dataclasses.dataclass(frozen=True)
class Row:
    """One array of the printed table; ``bytes_per_device`` is that of the largest shard."""

    name: str
    shape: tuple[int, ...]
    dtype: str
    spec: P
    bytes_per_device: int


def make_mesh(config: MeshConfig, devices: Sequence[jax.Device] | None = None) -> Mesh:
    """Arrange ``devices`` (all of them when None) as ``config`` says; every axis exists, also with size 1.

    Raises:
        UserError: the product of the axes is not the number of devices.
    """
    devices = list(jax.devices() if devices is None else devices)
    sizes = _axes(config, len(devices))
    # Auto axes: the compiler finds the partition of everything that the table does not name.
    return jax.make_mesh(tuple(sizes.values()), tuple(sizes), axis_types=(AxisType.Auto,) * len(sizes), devices=devices)


def abstract_mesh(config: MeshConfig, count: int) -> AbstractMesh:
    """Return what `make_mesh` would make of ``count`` devices that are not there; errors as there."""
    sizes = _axes(config, count)
    return AbstractMesh(tuple(sizes.values()), tuple(sizes), axis_types=(AxisType.Auto,) * len(sizes))


def _axes(config: MeshConfig, count: int) -> dict[str, int]:
    sizes = dataclasses.asdict(config)
    known = math.prod(size for size in sizes.values() if size != -1)
    if -1 in sizes.values() and count % known == 0:
        sizes = {axis: count // known if size == -1 else size for axis, size in sizes.items()}
    if math.prod(sizes.values()) != count:
        asked = " x ".join(f"{axis} {size}" for axis, size in sizes.items())
        hint = f"make the others' product a divisor of {count}" if -1 in sizes.values() else "set one axis to -1"
        raise UserError(f"--mesh asks for {asked}, and there are {count} devices; {hint}")
    return sizes


def batch_shards(mesh: AnyMesh) -> int:
    """Into how many parts the rows of a batch are split: the groups of a `dsocr_jax.batch.Batch`."""
    return math.prod(mesh.shape[axis] for axis in BATCH_AXES)


def batch_sharding(mesh: Mesh) -> NamedSharding:
    """Every array of a batch is split along its first dimension, rows and groups alike."""
    return NamedSharding(mesh, P(BATCH_AXES))


def partition(name: str, shape: tuple[int, ...], mesh: AnyMesh) -> P:
    """Return the partition of the array called ``name``; stacked layers are not split along their first dimension.

    A dimension that its axis does not divide stays whole: small models have such dimensions. With stages, the largest
    dimension that they divide is split over them, too: only a step brings each stage its own (`train.pipeline`).

    Raises:
        UserError: no rule names a large array.
    """
    if layers_of(name):
        spec = P(None, *rest) if (rest := _by_rule(first_of(name), shape[1:], mesh)) else P()
    else:
        spec = _by_rule(name, shape, mesh)
    if mesh.shape["stage"] == 1:
        return spec
    left, axes = NamedSharding(mesh, spec).shard_shape(shape), axes_of(spec, len(shape))
    able = [i for i, size in enumerate(left) if size % mesh.shape["stage"] == 0 and not (i == 0 and layers_of(name))]
    if not able:
        return spec
    axes[max(able, key=lambda i: left[i])] += ("stage",)
    return P(*(several[0] if len(several) == 1 else several or None for several in axes))


def axes_of(spec: P, dimensions: int) -> list[tuple[str, ...]]:
    """Return the axes that each dimension is split over."""
    entries = [*spec, *[None] * (dimensions - len(spec))]
    return [() if x is None else (x,) if isinstance(x, str) else tuple(x) for x in entries]


def _by_rule(name: str, shape: tuple[int, ...], mesh: AnyMesh) -> P:
    for pattern, spec in RULES:
        if re.search(pattern, name):
            axes = [
                axis if axis and size % mesh.shape[axis] == 0 else None for size, axis in zip(shape, spec, strict=False)
            ]
            while axes and axes[-1] is None:
                axes.pop()
            return P(*axes)
    if math.prod(shape) >= LARGE:
        raise UserError(f"no sharding rule names {name} of shape {shape}; add one to RULES in train/sharding.py")
    return P()


def tree_shardings(tree: Any, mesh: Mesh) -> Any:
    """Return the `NamedSharding` of every leaf of ``tree`` (arrays or their abstract values)."""
    return jax.tree.map_with_path(lambda path, x: NamedSharding(mesh, partition(path_name(path), x.shape, mesh)), tree)


def gather(tree: Any, mesh: Mesh, when: Callable[[str], bool] = lambda name: True) -> Any:
    """Return ``tree`` with every leaf whole but for the axes `KEPT`; its gradient is split again as the leaf is stored.

    Left to itself, the compiler would rather split activations like the parameters that they meet, and move those.

    Args:
        tree: parameters.
        mesh: the devices.
        when: whether the leaf of a name is gathered now; the others stay split.
    """

    def one(path: tuple[Any, ...], leaf: jax.Array) -> jax.Array:
        spec = partition(path_name(path), leaf.shape, mesh)
        whole = P(*(axis if axis in KEPT else None for axis in spec))
        if whole == spec or not when(path_name(path)):
            return leaf
        return keep_gathered(_gather(leaf, NamedSharding(mesh, whole), NamedSharding(mesh, spec)))

    return jax.tree.map_with_path(one, tree)


@dataclasses.dataclass(frozen=True)
class Gathered:
    """A `dsocr_jax.model.placement.Placement`: a layer's parameters come together when the layer runs."""

    mesh: Mesh

    def layer(self, params: Any) -> Any:
        """Whole but for the axes `KEPT`; the gradient is split as the parameters are."""
        return gather(params, self.mesh)

    def look_up(self, embed: nnx.Embed, ids: jax.Array, dtype: Any) -> jax.Array:
        """Every device a slice of all rows (`train.vocabulary_parallel`), or all of the table where that cannot be."""
        table = embed.embedding[...]
        dtype = table.dtype if dtype is None else dtype
        if can_split(self.mesh, BATCH_AXES, table.shape[1], ids):
            return look_up_split(self.mesh, BATCH_AXES, table, ids, dtype)
        return jnp.take(gather({EMBEDDING: table}, self.mesh)[EMBEDDING], ids, axis=0).astype(dtype)

    def head_loss(self, hidden: jax.Array, kernel: jax.Array, labels: jax.Array, chunk: int) -> tuple[Any, Any]:
        """`train.loss.head_loss` with a kernel as it is stored."""
        if can_split(self.mesh, BATCH_AXES, kernel.shape[0], labels):
            return head_loss_split(self.mesh, BATCH_AXES, hidden, kernel, labels, chunk)
        return head_loss(hidden, gather({HEAD: kernel}, self.mesh)[HEAD], labels, chunk)

    def experts(self, routed: Routed, weights: dict[str, jax.Array], *tokens: jax.Array) -> Any:
        """Every device its own tokens, or its own experts for the tokens of a ring (`train.expert_parallel`)."""
        if self.mesh.size == 1:
            return routed(weights, *tokens)
        return spread(self.mesh, BATCH_AXES, routed, weights, *tokens)


@functools.partial(jax.custom_vjp, nondiff_argnums=(1, 2))
def _gather(x: jax.Array, whole: NamedSharding, split: NamedSharding) -> jax.Array:
    return jax.lax.with_sharding_constraint(x, whole)


def _gather_forward(x: jax.Array, whole: NamedSharding, split: NamedSharding) -> tuple[jax.Array, None]:
    return _gather(x, whole, split), None


def _gather_backward(whole: NamedSharding, split: NamedSharding, _: None, gradient: jax.Array) -> tuple[jax.Array]:
    # Whole first: scattered sums (of embeddings and experts) would otherwise be split before they are added up.
    gradient = jax.lax.with_sharding_constraint(gradient, whole)
    return (jax.lax.with_sharding_constraint(gradient, split),)


_gather.defvjp(_gather_forward, _gather_backward)


def sharding_table(tree: Any, mesh: AnyMesh) -> list[Row]:
    """Return one `Row` for every leaf of ``tree``, in its order."""
    rows = []
    for path, leaf in jax.tree_util.tree_leaves_with_path(tree):
        name = path_name(path)
        spec = partition(name, leaf.shape, mesh)
        shard = NamedSharding(mesh, spec).shard_shape(leaf.shape)
        rows.append(Row(name, leaf.shape, str(leaf.dtype), spec, math.prod(shard) * leaf.dtype.itemsize))
    return rows
