"""Everything that a run needs, checked, before memory is taken or a file is touched."""

import dataclasses
from pathlib import Path

import jax
import jax.numpy as jnp
import optax
from flax import nnx
from jax.sharding import Mesh

from datagen.shards import SampleSet
from dsocr_jax.config import config_to_dict
from dsocr_jax.errors import UserError
from dsocr_jax.tokenizer import SMALL_TOKENIZER, Tokenizer
from dsocr_jax.weights.checkpoint import load_model, read_config
from dsocr_jax.weights.params import abstract_model, flatten, init_params
from dsocr_jax.weights.tokenizer_files import check_tokenizer
from train.checks import check
from train.config import TrainConfig
from train.data import BatchSource, open_sets
from train.optimizer import check_patterns, make_optimizer
from train.sharding import batch_shards, make_mesh, sharding_table
from train.step import Step, TrainState, compile_step, make_step, state_of


@dataclasses.dataclass(frozen=True)
class Setup:
    """A checked run.

    Attributes:
        config: what was asked for.
        sets: the opened sample sets.
        source: the batches.
        tokenizer: the model's.
        mesh: the devices.
        optimizer: of the trained parameters.
        step: the jitted step.
        abstract: the state's shapes.
        shardings: where each leaf of the state lives.
    """

    config: TrainConfig
    sets: list[SampleSet]
    source: BatchSource
    tokenizer: Tokenizer
    mesh: Mesh
    optimizer: optax.GradientTransformation
    step: Step
    abstract: TrainState
    shardings: TrainState


def prepare(config: TrainConfig, devices: list[jax.Device] | None = None) -> Setup:
    """Check ``config`` against the data and the devices, and put together what the loop needs.

    Args:
        devices: the mesh's devices; all when None.

    Raises:
        UserError: the first group of things that do not fit.
    """
    check(config)
    sets = open_sets(config)
    tokenizer = Tokenizer.load(config.tokenizer)
    check_tokenizer(tokenizer, config.model_config, "--tokenizer")
    _check_init_from(config)
    mesh = make_mesh(config.mesh, devices)
    process, processes = jax.process_index(), jax.process_count()
    source = BatchSource(config, sets, tokenizer, groups=batch_shards(mesh), process=process, processes=processes)
    graphdef, params = abstract_model(config.model_config)
    check_patterns(params, config)
    optimizer = make_optimizer(params, config)
    abstract = jax.eval_shape(lambda: state_of(params, optimizer))
    sharding_table(params, mesh)  # raises for an array that no rule names
    step, shardings = compile_step(make_step(config, graphdef, optimizer, mesh), abstract, mesh)
    return Setup(config, sets, source, tokenizer, mesh, optimizer, step, abstract, shardings)


def tokenizer_file(config: TrainConfig) -> Path:
    """Return the ``tokenizer.json`` that the run uses."""
    path = config.tokenizer or SMALL_TOKENIZER
    return path / "tokenizer.json" if path.is_dir() else path


def first_state(setup: Setup) -> TrainState:
    """Return the state before the first step, on the devices: random, or from ``init_from``."""
    config = setup.config
    if config.init_from is None:

        def init() -> TrainState:
            return state_of(init_params(config.model_config, config.seed), setup.optimizer)

        # It runs once: optimising it would take longer than running it.
        options = {"xla_backend_optimization_level": 0}
        return jax.jit(init, out_shardings=setup.shardings, compiler_options=options)()
    places = flatten(setup.shardings.params)
    loaded = load_model(config.init_from, dtype=jnp.float32, shardings=places.get, check_finite=True)
    params = nnx.state(loaded.model, nnx.Param)
    place = jax.jit(lambda p: state_of(p, setup.optimizer), out_shardings=setup.shardings, donate_argnums=0)
    return place(params)


def _check_init_from(config: TrainConfig) -> None:
    if config.init_from is None:
        return
    old, new = config_to_dict(read_config(config.init_from)), config_to_dict(config.model_config)
    differing = [name for name in new if name != "modes" and old.get(name) != new[name]]
    if differing:
        raise UserError(
            f"--init-from {config.init_from}: that model differs from --model in {', '.join(differing)}; give "
            "its own sizes"
        )
