from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.sharding import NamedSharding
from jax.sharding import PartitionSpec as P

from dsocr_jax.config import preset
from dsocr_jax.errors import UserError
from dsocr_jax.weights.params import abstract_model
from tests.train import tiny
from train.config import MeshConfig
from train.optimizer import make_optimizer
from train.setup import abstract_state
from train.sharding import LARGE, batch_shards, gather, make_mesh, partition, sharding_table

MESH = MeshConfig(data=1, fsdp=2, expert=2, tensor=2)


def test_one_axis_takes_the_devices_that_are_left():
    mesh = make_mesh(MeshConfig(data=-1, fsdp=2, tensor=2))
    assert dict(mesh.shape) == {"data": 2, "fsdp": 2, "expert": 1, "tensor": 2, "stage": 1}
    assert batch_shards(mesh) == 4


@pytest.mark.parametrize(
    "config", [MeshConfig(data=3), MeshConfig(data=-1, fsdp=3), MeshConfig(data=4), MeshConfig(16)]
)
def test_mesh_must_use_every_device(config):
    with pytest.raises(UserError, match="there are 8 devices"):
        make_mesh(config)


def test_first_rule_that_matches_decides():
    mesh = make_mesh(MESH)
    assert partition("decoder/layers/3/moe/experts/down", (4, 8, 16), mesh) == P("expert", "tensor", "fsdp")
    assert partition("decoder/layers/3/moe/shared/down/kernel", (8, 16), mesh) == P("tensor", "fsdp")
    assert partition("decoder/layers/3/moe/router/kernel", (16, 4), mesh) == P()


def test_stacked_layers_are_split_as_each_of_them():
    mesh = make_mesh(MESH)
    name = "decoder/layers/1-3by1/moe/experts/down"
    assert partition(name, (3, 4, 8, 16), mesh) == P(None, "expert", "tensor", "fsdp")
    assert partition("decoder/layers/1-3by1/norm/scale", (3, 8), mesh) == P()


def test_dimension_that_an_axis_does_not_divide_stays_whole():
    mesh = make_mesh(MESH)
    assert partition("x/q/kernel", (7, 8), mesh) == P(None, "tensor")
    assert partition("x/q/kernel", (8, 7), mesh) == P("fsdp")


def test_large_array_without_rule_is_an_error():
    mesh = make_mesh(MESH)
    assert partition("decoder/new_thing", (LARGE - 1,), mesh) == P()
    with pytest.raises(UserError, match="no sharding rule names decoder/new_thing"):
        partition("decoder/new_thing", (LARGE,), mesh)


def test_the_released_model_is_split_evenly():
    mesh = make_mesh(MeshConfig(data=1, fsdp=8))
    model = preset("released")
    sam, clip = replace(model.sam, layers=1, global_layers=(0,)), replace(model.clip, layers=1)
    model = replace(model, sam=sam, clip=clip, decoder=replace(model.decoder, layers=2))  # layers are all alike
    rows = sharding_table(abstract_model(model)[1], mesh)
    whole = sum(int(np.prod(row.shape)) * 4 for row in rows)
    assert sum(row.bytes_per_device for row in rows) < 1.05 * whole / 8


def test_moments_are_split_like_their_parameters(tmp_path):
    mesh = make_mesh(MESH)
    config = tiny.tiny_config(tmp_path, freeze=())
    state = abstract_state(config, make_optimizer(config))
    specs = {row.name: row.spec for row in sharding_table(state, mesh)}
    parameters = {name.removeprefix("params/") for name in specs if name.startswith("params/")}
    moments = {name: name.partition("/mu/")[2] for name in specs if "/mu/" in name}
    assert set(moments.values()) == parameters
    assert all(specs[name] == specs[f"params/{parameter}"] for name, parameter in moments.items())
    assert any(spec != P() for spec in specs.values())


def test_gathered_parameter_is_whole_and_its_gradient_is_split():
    mesh = make_mesh(MESH)
    split = NamedSharding(mesh, P("fsdp", "tensor"))
    tree = {"q": {"kernel": jax.device_put(jnp.arange(32.0).reshape(8, 4), split)}}

    @jax.jit
    def run(tree):
        gathered = gather({"x": tree}, mesh)
        return gathered, jax.grad(lambda t: (gather({"x": t}, mesh)["x"]["q"]["kernel"] ** 2).sum())(tree)

    gathered, gradient = run(tree)
    kernel, slope = gathered["x"]["q"]["kernel"], gradient["q"]["kernel"]
    assert kernel.sharding.is_equivalent_to(NamedSharding(mesh, P(None, "tensor")), 2)
    assert slope.sharding.is_equivalent_to(split, 2)
    np.testing.assert_array_equal(slope, 2 * np.arange(32.0).reshape(8, 4))
