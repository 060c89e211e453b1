"""The training step whose gradients come from a pipeline."""

import dataclasses
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax.sharding import Mesh
from jax.sharding import PartitionSpec as P
from jaxtyping import Array

from dsocr_jax.batch import Batch
from dsocr_jax.errors import UserError
from dsocr_jax.model.backends import Backends
from dsocr_jax.model.placement import HERE
from dsocr_jax.model.scan import unstack_arrays
from train.config import TrainConfig
from train.pipeline.parts import STAGES, Job, handed_on, part_of, run_parts
from train.pipeline.placement import AXES, Layout, make_layout
from train.pipeline.schedule import AXIS, Figures, Stage, run_schedule
from train.sharding import BATCH_AXES, AnyMesh, axes_of, batch_shards, partition
from train.step import Compute, Metrics, Params, Step, divide_batch, make_step
from train.trained import is_trained


def check_pipeline(config: TrainConfig, mesh: AnyMesh) -> None:
    """Raise one `UserError` with everything that the pipeline cannot do."""
    stages, layers, need = mesh.shape[AXIS], config.model_config.decoder.layers, "--mesh.stage"
    found = [
        f"{need} goes together with data and fsdp, not with {axis}"
        for axis in ("expert", "tensor")
        if mesh.shape[axis] > 1
    ]
    if stages not in STAGES:
        found.append(f"{need} {stages}: the pipeline has {', '.join(map(str, STAGES))} stages")
    if config.accumulate < stages:
        found.append(f"{need} {stages} needs --accumulate of at least {stages} (microbatches), better {4 * stages}")
    if layers < 2:
        found.append(f"{need}: a decoder of {layers} layer has no two halves; give it two layers")
    if config.model_config.rival is not None:
        found.append(f"{need} does not go with --rival: the first stage is the tower that it replaces")
    if config.lora is not None:
        found.append(f"{need} does not go with --lora; adapters need little memory: use data and fsdp")
    if isinstance(mesh, Mesh):
        rows = np.moveaxis(mesh.devices, mesh.axis_names.index(AXIS), -1).reshape(-1, stages)
        if any(len({device.process_index for device in row}) > 1 for row in rows):
            found.append(
                f"{need} {stages} does not divide the devices of a process; each process feeds all stages of its rows"
            )
    if found:
        raise UserError("; ".join(found))


def make_pipelined_step(
    config: TrainConfig,
    graphdef: Any,
    optimizer: optax.GradientTransformation,
    mesh: Mesh,
    backends: Backends,
    kinds: int = 0,
) -> Step:
    """Return the step as `train.step.make_step` does, with the same metrics.

    The groups of a batch are a multiple of ``config.accumulate`` times `train.sharding.batch_shards`.

    Raises:
        UserError: see `check_pipeline`; at the first call, a batch has other groups.
    """
    check_pipeline(config, mesh)
    compute = pipelined_gradients(config, graphdef, mesh, backends, kinds)
    return make_step(config, graphdef, optimizer, mesh, backends, kinds, compute)


def pipelined_gradients(config: TrainConfig, graphdef: Any, mesh: Mesh, backends: Backends, kinds: int = 0) -> Compute:
    """Return the function that computes gradients and metrics by the pipeline, see `make_pipelined_step`."""
    shards, shares = batch_shards(mesh), batch_shards(mesh) * config.accumulate
    # Every device computes with what it has: nothing is left to be placed.
    backends = dataclasses.replace(backends, placement=HERE)

    def stage_of(name: str) -> int:
        part = part_of(name, config.model_config.decoder.layers)
        return next(i for i, parts in enumerate(STAGES[mesh.shape[AXIS]]) if part in parts)

    def compute(trained: Params, frozen: Params, batch: Batch, tokens: Array) -> tuple[Params, Metrics]:
        if batch.groups % shares:
            raise UserError(
                f"a batch of {batch.groups} groups has no {shares} equal parts; collate it in that many groups"
            )
        layout = make_layout(jax.eval_shape(unstack_arrays, trained | frozen), mesh, stage_of)
        specs = [{name: partition(name, x.shape, mesh) for name, x in params.items()} for params in (trained, frozen)]

        def run(trained: Params, frozen: Params, batch: Batch, tokens: Array) -> tuple[Params, Figures]:
            job = Job(config, graphdef, backends, shares, tokens, kinds)
            microbatches = divide_batch(dataclasses.replace(batch, groups=batch.groups // shards), config.accumulate)
            buffer = layout.bring(trained | frozen, config.compute_dtype)
            stages, empty = make_stages(layout, jax.tree.map(lambda x: x[0], microbatches), job)
            gradient, figures = run_schedule(stages, buffer, microbatches, empty)
            grads = layout.take_back(gradient, trained | frozen)
            grads = {name: jax.lax.psum(grads[name], _copied(specs[0][name])) for name in trained}
            return grads, jax.lax.psum(figures, (*BATCH_AXES, AXIS))

        # All sums are written out; a check of what varies over which axis would be in the way of the model's scans.
        in_specs, out_specs = (*specs, P(BATCH_AXES), P()), (specs[0], P())
        mapped = jax.shard_map(run, mesh=mesh, in_specs=in_specs, out_specs=out_specs, check_vma=False)
        return mapped(trained, frozen, batch, tokens)

    return compute


def make_stages(layout: Layout, batch: Batch, job: Job) -> tuple[list[Stage], Array]:
    """Return the stages over flat buffers, for microbatches like ``batch``, and an empty buffer."""
    parts, config = STAGES[len(layout.stages)], job.config
    handed = [(), *(handed_on(several[-1], batch, config) for several in parts)]
    size = max(sum(x.size for x in jax.tree.leaves(tree)) for tree in handed)
    trains = [
        any(is_trained(name, config) for leaves in layout.stages[:i] for name in leaves) for i in range(len(parts) + 1)
    ]

    def make(stage: int) -> Stage:
        def run(buffer: Array, incoming: Array, batch: Batch) -> tuple[Array, Array, Figures]:
            # What comes from frozen stages is a constant, too.
            incoming = incoming if trains[stage] else jax.lax.stop_gradient(incoming)
            params = layout.params(stage, buffer)
            params = {n: x if is_trained(n, config) else jax.lax.stop_gradient(x) for n, x in params.items()}
            given = _unpack(incoming, handed[stage])
            outgoing, objective, figures = run_parts(parts[stage], params, given, batch, job)
            return _pack(outgoing, size, config.compute_dtype), objective, figures

        return Stage(run, trains[stage + 1])

    return [make(stage) for stage in range(len(parts))], jnp.zeros(size, config.compute_dtype)


def _copied(spec: P) -> tuple[str, ...]:
    """Return the axes along which devices have the same piece: its gradients are added up over them."""
    used = sum(axes_of(spec, len(spec)), ())
    return tuple(axis for axis in ("data", *AXES) if axis not in used)


def _pack(tree: Any, size: int, dtype: Any) -> Array:
    flat = jnp.concatenate([jnp.zeros(0, dtype), *(x.astype(dtype).reshape(-1) for x in jax.tree.leaves(tree))])
    return jnp.pad(flat, (0, size - flat.size))


def _unpack(buffer: Array, tree: Any) -> Any:
    shapes, structure = jax.tree.flatten(tree)
    sizes = [x.size for x in shapes]
    parts = jax.lax.split(buffer, (*sizes, buffer.size - sum(sizes)))
    return jax.tree.unflatten(structure, [part.reshape(x.shape) for part, x in zip(parts, shapes, strict=False)])
