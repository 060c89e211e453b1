"""Everything that a run needs, checked, before memory is taken or a file is touched."""

import dataclasses
import math
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import optax
from flax import nnx
from jax.sharding import Mesh, NamedSharding

from dsocr_jax.config import config_to_dict
from dsocr_jax.errors import UserError
from dsocr_jax.model.backends import Backends, best_backends
from dsocr_jax.model.scan import stack_arrays, unstack_arrays
from dsocr_jax.tokenizer import SMALL_TOKENIZER, Tokenizer
from dsocr_jax.weights.checkpoint import load_model, read_config
from dsocr_jax.weights.params import abstract_model, flatten, init_params
from dsocr_jax.weights.tokenizer_files import check_tokenizer
from train.checks import check
from train.config import TrainConfig
from train.data import BatchSource, open_sets
from train.data.samples import Source
from train.lora import adapters, is_adapter
from train.optimizer import check_patterns, make_optimizer
from train.pipeline import check_pipeline, make_pipelined_step
from train.programs import Programs
from train.sharding import AnyMesh, batch_shards, make_mesh, partition, sharding_table
from train.step import Params, Step, TrainState, compile_step, make_step, state_of
from train.trained import label


@dataclasses.dataclass(frozen=True)
class Checked:
    """A run that was checked against its data and its mesh, before anything is compiled.

    Attributes:
        config: what was asked for, with the number of steps, also where epochs were.
        sets: the opened data.
        source: the batches.
        tokenizer: the model's.
        optimizer: of the trained parameters.
        abstract: the state's shapes.
    """

    config: TrainConfig
    sets: list[Source]
    source: BatchSource
    tokenizer: Tokenizer
    optimizer: optax.GradientTransformation
    abstract: TrainState


@dataclasses.dataclass(frozen=True)
class Setup(Checked):
    """A run that can begin.

    Attributes:
        mesh: the devices.
        step: the jitted step (`train.programs.Programs`).
        shardings: where each leaf of the state lives.
    """

    mesh: Mesh
    step: Step
    shardings: TrainState


def check_run(config: TrainConfig, mesh: AnyMesh) -> Checked:
    """Check ``config`` against the data and the mesh.

    Raises:
        UserError: the first group of things that do not fit.
    """
    check(config)
    sets = open_sets(config)
    tokenizer = Tokenizer.load(config.tokenizer)
    check_tokenizer(tokenizer, config.model_config, "--tokenizer")
    _check_init_from(config)
    process, processes = jax.process_index(), jax.process_count()
    source = BatchSource(
        config, sets, tokenizer, groups=batch_shards(mesh) * config.accumulate, process=process, processes=processes
    )
    if config.epochs is not None:
        config = dataclasses.replace(config, steps=math.ceil(config.epochs * source.steps_per_epoch()))
        check(config)  # again: only now is it known how the schedule goes
    optimizer = make_optimizer(config)
    abstract = abstract_state(config, optimizer)
    sharding_table(abstract.params, mesh)  # raises for an array that no rule names
    if mesh.shape["stage"] > 1:
        check_pipeline(config, mesh)
    return Checked(config, sets, source, tokenizer, optimizer, abstract)


def prepare(config: TrainConfig, devices: list[jax.Device] | None = None) -> Setup:
    """Check ``config`` (`check_run`), and put together what the loop needs.

    Args:
        config: of the run.
        devices: the mesh's devices; all when None.
    """
    check(config)
    mesh = make_mesh(config.mesh, devices)
    run = check_run(config, mesh)
    graphdef, _ = abstract_model(config.model_config)
    make = make_pipelined_step if mesh.shape["stage"] > 1 else make_step
    step = make(run.config, graphdef, run.optimizer, mesh, backends_of(config), len(run.source.kinds))
    compiled, shardings = compile_step(step, run.abstract, mesh, config.overlap)
    found = {field.name: getattr(run, field.name) for field in dataclasses.fields(run)}
    return Setup(**found, mesh=mesh, step=Programs(compiled, run.abstract), shardings=shardings)


def backends_of(config: TrainConfig, platform: str | None = None) -> Backends:
    """Return how the model computes: what the configuration names, for the rest the best on a platform (this one)."""
    given = {name: value for name, value in dataclasses.asdict(config.backends).items() if value is not None}
    return dataclasses.replace(best_backends(jnp.dtype(config.compute_dtype), platform), **given)


def abstract_state(config: TrainConfig, optimizer: optax.GradientTransformation) -> TrainState:
    """Return the shapes of the state before the first step; UserError if a pattern names nothing."""
    names = flatten(abstract_model(config.model_config)[1])
    check_patterns(names, config)
    params = stacked(names, config, _stacked_shape)
    return jax.eval_shape(lambda params: state_of(with_adapters(params, config), optimizer, config), params)


def stacked(arrays: dict[str, Any], config: TrainConfig, stack: Callable[[list[Any]], Any] = jnp.stack) -> Params:
    """Return parameters in the layout of the state: layers that every pattern treats alike are in one array."""
    return stack_arrays(arrays, stack, lambda name: label(name, config))


def with_adapters(params: Params, config: TrainConfig) -> Params:
    """Return ``params`` as they are, or for low-rank adapters in the type of the computation with new adapters."""
    if config.lora is None:
        return params
    kept = {name: jnp.asarray(x, config.compute_dtype) for name, x in params.items()}
    return kept | adapters(kept, config.lora, jax.random.key(config.seed))


def _stacked_shape(shapes: list[Any]) -> jax.ShapeDtypeStruct:
    return jax.ShapeDtypeStruct((len(shapes), *shapes[0].shape), shapes[0].dtype)


def tokenizer_file(config: TrainConfig) -> Path:
    """Return the ``tokenizer.json`` that the run uses."""
    path = config.tokenizer or SMALL_TOKENIZER
    return path / "tokenizer.json" if path.is_dir() else path


def first_state(setup: Setup) -> TrainState:
    """Return the state before the first step, on the devices: random, or from ``init_from`` and ``init_parts``."""
    config = setup.config

    def place(arrays: dict[str, Any]) -> Params:
        return stacked(arrays, config)

    def start(params: Params) -> TrainState:
        return state_of(with_adapters(params, config), setup.optimizer, config)

    shardings = {name: place for name, place in setup.shardings.params.items() if not is_adapter(name)}
    if config.init_from is None:
        # It runs once: optimising it would take longer than running it.
        options = {"xla_backend_optimization_level": 0}
        draw = jax.jit(
            lambda: place(flatten(init_params(config.model_config, config.seed))),
            out_shardings=shardings,
            compiler_options=options,
        )
        params = draw()
    else:
        params = jax.jit(place, out_shardings=shardings)(_loaded(config.init_from, setup))
    for pattern, folder in config.init_parts.items():
        arrays = _loaded(folder, setup)
        part = {name: x for name, x in arrays.items() if re.search(pattern, name)}
        join = jax.jit(lambda old, new: place({**unstack_arrays(old), **new}), out_shardings=shardings)
        params = join(params, part)
    return jax.jit(start, out_shardings=setup.shardings, donate_argnums=0)(params)


def _loaded(folder: Path, setup: Setup) -> dict[str, Any]:
    """Return the parameters of a model by name, spread over the mesh."""
    shapes = flatten(abstract_model(read_config(folder))[1])

    def place(name: str) -> NamedSharding:
        return NamedSharding(setup.mesh, partition(name, shapes[name].shape, setup.mesh))

    dtype = jnp.float32 if setup.config.lora is None else setup.config.compute_dtype
    loaded = load_model(folder, dtype=dtype, shardings=place, check_finite=True)
    return flatten(nnx.state(loaded.model, nnx.Param))


def _check_init_parts(config: TrainConfig) -> None:
    wanted = flatten(abstract_model(config.model_config)[1])
    for pattern, folder in config.init_parts.items():
        there = flatten(abstract_model(read_config(folder))[1])
        named = [name for name in wanted if re.search(pattern, name)]
        if not named:
            raise UserError(f"--init-parts: {pattern!r} names no parameter (`--dry-run` lists them all)")
        other = [name for name in named if name not in there or there[name].shape != wanted[name].shape]
        if other:
            raise UserError(
                f"--init-parts {pattern}: {folder} has another {other[0]} than --model (or none); take a model whose "
                "sizes are the same there"
            )


def _check_init_from(config: TrainConfig) -> None:
    _check_init_parts(config)
    if config.init_from is None:
        return
    old, new = config_to_dict(read_config(config.init_from)), config_to_dict(config.model_config)
    differing = [name for name in new if name != "modes" and old.get(name) != new[name]]
    if differing:
        raise UserError(
            f"--init-from {config.init_from}: that model differs from --model in {', '.join(differing)}; give "
            "its own sizes"
        )
