"""Losses and gradients of the pipeline against those of one device, and what is refused."""

from typing import Any

import jax
import numpy as np
import pytest
from jax.extend.core import jaxprs_in_params
from jax.sharding import NamedSharding
from jax.sharding import PartitionSpec as P

from dsocr_jax.errors import UserError
from dsocr_jax.model.backends import DEFAULT
from dsocr_jax.weights.params import abstract_model, path_name
from tests.train import tiny
from tests.train.pipeline import pictures
from train.config import LoraConfig, MeshConfig, TrainConfig
from train.pipeline import check_pipeline, describe, make_pipelined_step
from train.pipeline.report import bytes_per_tick, stage_parameters
from train.setup import abstract_state
from train.sharding import batch_sharding, make_mesh, partition
from train.step import TrainState, make_step, put_batch

SAM = "^encoder/sam/"
FOUR = MeshConfig(data=2, stage=4)
GRAPH = abstract_model(pictures.MODEL)[0]
#: The mesh, and what is frozen.
LAYOUTS = {"four stages": (FOUR, ()), "two stages, SAM frozen": (MeshConfig(data=2, fsdp=2, stage=2), (SAM,))}


def run(config: TrainConfig, make: Any, devices: int) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Return the gradients of one step by name, and its metrics."""
    mesh, optimizer = make_mesh(config.mesh, jax.devices()[:devices]), pictures.recorder()
    abstract = abstract_state(config, optimizer)
    places = jax.tree.map_with_path(
        lambda path, x: NamedSharding(mesh, partition(path_name(path), x.shape, mesh)), abstract
    )
    params = tiny.random_params(abstract.params)
    zeros = {name: np.zeros_like(params[name]) for name in abstract.opt_state}
    state = jax.device_put(TrainState(params, zeros, np.zeros((), np.int32)), places)
    step = make(config, GRAPH, optimizer, mesh, DEFAULT, pictures.KINDS)
    metrics_place = NamedSharding(mesh, P())
    jitted = jax.jit(step, in_shardings=(places, batch_sharding(mesh)), out_shardings=(places, metrics_place))
    state, metrics = jitted(state, put_batch(pictures.batch(), mesh))
    return jax.device_get(state.opt_state), jax.device_get(metrics)


@pytest.fixture(scope="module")
def one() -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    return run(pictures.config(mesh=MeshConfig(data=1)), make_step, 1)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_pipeline_computes_what_one_device_computes(one, layout):
    mesh, freeze = LAYOUTS[layout]
    gradients, metrics = run(pictures.config(mesh=mesh, freeze=freeze), make_pipelined_step, 8)
    assert gradients.keys() == {name for name in one[0] if not (freeze and name.startswith("encoder/sam/"))}
    for name, gradient in gradients.items():
        error = np.abs(gradient - one[0][name]).max()
        assert error <= 1e-5 * np.abs(one[0][name]).max(), name
    assert metrics.keys() == one[1].keys() - ({"norm/SAM", "norm/compressor"} if freeze else set())
    for name in metrics.keys() - {"grad_norm"}:
        np.testing.assert_allclose(metrics[name], one[1][name], rtol=1e-5, err_msg=name)
    norm = np.sqrt(sum(np.sum(np.square(one[0][name], dtype=np.float64)) for name in gradients))
    np.testing.assert_allclose(metrics["grad_norm"], norm, rtol=1e-5)


def test_comparison_reaches_every_parameter_that_is_used(one):
    zero = {name for name, gradient in one[0].items() if not gradient.any()}
    # Every patch of CLIP comes from SAM instead.
    assert zero == {"encoder/clip/patch_embed/kernel"}


def count(jaxpr: Any, primitive: str) -> int:
    """Count the calls of a primitive in a traced program and all that it calls."""
    found = 0
    for equation in jaxpr.eqns:
        found += equation.primitive.name == primitive
        found += sum(count(inner, primitive) for inner in jaxprs_in_params(equation.params))
    return found


def traced(config: TrainConfig, groups: int = pictures.ROWS) -> Any:
    """Return the program of a step."""
    optimizer = pictures.recorder()
    step = make_pipelined_step(config, GRAPH, optimizer, make_mesh(config.mesh), DEFAULT)
    return jax.make_jaxpr(step)(abstract_state(config, optimizer), jax.eval_shape(lambda: pictures.batch(groups)))


def test_frozen_stage_runs_forward_alone():
    program = traced(pictures.config(mesh=FOUR, freeze=(SAM,)))
    assert count(program.jaxpr, "conv_general_dilated") == 4  # two of the neck, two of the compressor


def test_batch_must_fall_into_the_microbatches_of_every_device():
    with pytest.raises(UserError, match="a batch of 4 groups has no 8 equal parts"):
        traced(pictures.config(mesh=FOUR), groups=4)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"mesh": MeshConfig(data=1, expert=2, stage=4)}, "data and fsdp, not with expert"),
        ({"mesh": MeshConfig(data=1, tensor=2, stage=4)}, "data and fsdp, not with tensor"),
        ({"mesh": MeshConfig(data=1, stage=8), "accumulate": 8}, "--mesh.stage 8: the pipeline has 1, 2, 4 stages"),
        ({"accumulate": 3}, "--mesh.stage 4 needs --accumulate of at least 4"),
        ({"lora": LoraConfig()}, "does not go with --lora"),
        ({"model": tiny.MODEL}, "a decoder of 1 layer has no two halves"),
        ({"accumulate": 1, "lora": LoraConfig()}, "--accumulate.*; .*--lora"),
    ],
)
def test_what_the_pipeline_cannot_do_is_refused(changes, message):
    config = pictures.config(**{"mesh": FOUR, **changes})
    with pytest.raises(UserError, match=message):
        check_pipeline(config, make_mesh(config.mesh))


def test_report_counts_what_travels_and_who_has_what():
    config, batch = pictures.config(mesh=FOUR), jax.eval_shape(pictures.batch)
    mesh, rows = make_mesh(config.mesh), pictures.ROWS // 8
    assert bytes_per_tick(config, mesh, batch) == rows * pictures.LENGTH * pictures.MODEL.decoder.hidden * 4
    whole = sum(leaf.size for leaf in jax.tree.leaves(abstract_model(config.model_config)[1]))
    assert [sum(stage_parameters(config, stages)) for stages in (1, 2, 4)] == [whole] * 3
    assert describe(config, mesh, batch)[0].startswith("pipeline of 4 stages")


def test_devices_that_are_not_there_can_be_planned_for():
    config = pictures.config(mesh=FOUR)
    mesh = make_mesh(config.mesh).abstract_mesh
    check_pipeline(config, mesh)
    assert describe(config, mesh, pictures.batch()) == describe(config, make_mesh(config.mesh), pictures.batch())
    assert partition("encoder/projector/kernel", (32, 64), mesh) == P("fsdp", "stage")
