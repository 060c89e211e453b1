"""A model of several layers, stacked and scanned, over eight devices in several layouts, and in parts of a batch."""

import dataclasses
import re

import jax
import numpy as np
import pytest

from dsocr_jax.config import ClipConfig, SamConfig
from tests.train import tiny
from train.config import BackendsConfig, MeshConfig, TrainConfig
from train.setup import Setup, prepare
from train.step import put_batch, state_of

MODEL = dataclasses.replace(
    tiny.MODEL,
    sam=SamConfig(width=16, layers=4, heads=2, global_layers=(1, 3), window=4, grid=4, neck=8, compressor=(8, 16)),
    clip=ClipConfig(width=16, layers=2, heads=2, ffn=32, grid=1),
    decoder=dataclasses.replace(tiny.MODEL.decoder, layers=3, dense_layers=1),
)
SCANNED = BackendsConfig(relative="folded", layers="scanned", remat="full")
LAYOUTS = {
    "one device, unrolled": (MeshConfig(data=1), BackendsConfig(layers="unrolled"), 1),
    "one device, in parts": (MeshConfig(data=1), SCANNED, 4),
    "fsdp": (MeshConfig(data=1, fsdp=8), SCANNED, 1),
    "fsdp, layers kept": (MeshConfig(data=2, fsdp=4), dataclasses.replace(SCANNED, remat="dots", gathered="kept"), 1),
    "fsdp, data and tensor, in parts": (MeshConfig(data=2, fsdp=2, tensor=2), SCANNED, 2),
}
STEPS = 2


def config_of(folder, mesh: MeshConfig, backends: BackendsConfig, parts: int, **changes) -> TrainConfig:
    shared = {"model": MODEL, "mesh": mesh, "backends": backends, "accumulate": parts, "freeze": ("blocks/0/",)}
    return tiny.tiny_config(folder, **shared, **changes)


def run(setup: Setup) -> tuple[dict[str, np.ndarray], list[dict[str, np.ndarray]]]:
    state = jax.device_get(state_of(tiny.random_params(setup.abstract.params), setup.optimizer, setup.config))
    state, lines = jax.device_put(state, setup.shardings), []
    for batch in tiny.batches(setup.source, STEPS):
        state, metrics = setup.step(state, put_batch(batch, setup.mesh))
        lines.append(jax.device_get(metrics))
    return jax.device_get(state.params), lines


@pytest.fixture(scope="module")
def expected(folder):
    return run(prepare(config_of(folder, MeshConfig(data=1), SCANNED, 1), jax.devices()[:1]))


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_layout_computes_the_same_steps(folder, expected, layout):
    mesh, backends, parts = LAYOUTS[layout]
    devices = jax.devices()[: 1 if "one" in layout else 8]
    params, lines = run(prepare(config_of(folder, mesh, backends, parts), devices))
    for line, right in zip(lines, expected[1], strict=True):
        assert line.keys() == right.keys()
        for name, value in right.items():
            np.testing.assert_allclose(line[name], value, rtol=3e-5, err_msg=name)
    # Adam divides by the gradient's size: where that is all rounding, so is the step, of length 0.01.
    near = [np.ravel(np.abs(params[name] - x) < 1e-4) for name, x in expected[0].items()]
    assert np.concatenate(near).mean() > 0.999


def test_muon_computes_the_same_steps_in_another_layout(folder):
    settings = dataclasses.replace(tiny.tiny_config(folder).optimizer, name="muon")
    found = []
    for mesh, devices in ((MeshConfig(data=1), 1), (MeshConfig(data=2, fsdp=2, tensor=2), 8)):
        # Of one layer: every matrix takes time to compile.
        config = tiny.tiny_config(folder, mesh=mesh, optimizer=settings)
        found.append(run(prepare(config, jax.devices()[:devices])))
    for name, value in found[1][0].items():
        np.testing.assert_allclose(value, found[0][0][name], rtol=0, atol=2e-4, err_msg=name)
    assert found[1][1][-1]["loss"] == pytest.approx(found[0][1][-1]["loss"], abs=1e-4)


def test_layers_that_a_pattern_tells_apart_are_not_stacked_together(folder):
    names = prepare(config_of(folder, MeshConfig(data=1), SCANNED, 1), jax.devices()[:1]).abstract.params
    assert "encoder/sam/blocks/0/norm1/scale" in names
    assert "decoder/layers/1-2by1/moe/experts/gate" in names


def test_layers_are_gathered_one_at_a_time(folder):
    gathered = [line for line in compiled(folder, SCANNED) if " all-gather(" in line]
    assert sum("f32[1,4,32,16]" in line for line in gathered) > 2  # one layer's experts, in both passes
    assert not any("f32[2,4,32,16]" in line for line in gathered)  # never both layers'


@pytest.mark.parametrize("remat", ["dots", "full"])
def test_layers_that_are_kept_are_gathered_once(folder, remat):
    lines = compiled(folder, dataclasses.replace(SCANNED, remat=remat, gathered="kept"))
    found = [line for line in lines if " all-gather(" in line and "f32[1,4,32,16]" in line]
    assert len(found) == 2  # gate and up


def test_no_device_meets_the_whole_vocabulary_but_the_head_of_its_own_tokens(folder):
    table, head = (
        f"{MODEL.decoder.vocab_size},{MODEL.decoder.hidden}",
        f"{MODEL.decoder.hidden},{MODEL.decoder.vocab_size}",
    )
    tables = re.compile(rf"f32\[({table}|{head})\]\S* (?:all-gather|all-reduce)\(")
    assert [match[1] for line in compiled(folder, SCANNED) if (match := tables.search(line))] == [head]


def compiled(folder, backends: BackendsConfig) -> list[str]:
    """Lines of a step's program on eight devices that the parameters are split over."""
    setup = prepare(config_of(folder, MeshConfig(data=1, fsdp=8), backends, 1))
    batch = put_batch(tiny.batches(setup.source, 1)[0], setup.mesh)
    state = jax.tree.map(
        lambda x, s: jax.ShapeDtypeStruct(x.shape, x.dtype, sharding=s), setup.abstract, setup.shardings
    )
    return setup.step.lower(state, batch).compile().as_text().splitlines()
