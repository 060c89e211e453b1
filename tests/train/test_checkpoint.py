import resource
import shutil
from collections import namedtuple

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.sharding import NamedSharding
from jax.sharding import PartitionSpec as P

from dsocr_jax.errors import UserError
from train.checkpoint import Checkpoints, check_room
from train.config import MeshConfig
from train.sharding import make_mesh, tree_shardings
from train.step import TrainState

ONE = make_mesh(MeshConfig(data=1), jax.devices()[:1])


def state(value: float, size: int = 8) -> TrainState:
    kernel = jnp.full((size, 16), value, jnp.float32)
    return TrainState({"q": {"kernel": kernel}}, ({"mu": {"q": {"kernel": kernel + 1}}},), jnp.array(3, jnp.int32))


def restore(checkpoints: Checkpoints, step: int, like: TrainState, mesh=ONE) -> TrainState:
    abstract = jax.eval_shape(lambda: like)
    return checkpoints.restore(step, abstract, tree_shardings(abstract, mesh))


def test_state_and_meta_come_back_to_the_bit_and_old_ones_go(tmp_path):
    with Checkpoints(tmp_path, keep=2) as checkpoints:
        assert checkpoints.latest() is None
        for step in (1, 2, 3):
            checkpoints.save(step, state(step + 0.1), {"step": step, "run": {"a.b": [1, "x"]}})
    with Checkpoints(tmp_path, keep=2) as checkpoints:
        assert checkpoints.latest() == 3
        assert checkpoints.meta(2) == {"step": 2, "run": {"a.b": [1, "x"]}}
        found = restore(checkpoints, 3, state(0))
    jax.tree.map(np.testing.assert_array_equal, found, state(3.1))
    assert sorted(path.name for path in (tmp_path / "checkpoints").iterdir()) == ["2", "3"]


def test_restores_onto_another_mesh(tmp_path):
    with Checkpoints(tmp_path, keep=1) as checkpoints:
        mesh = make_mesh(MeshConfig(data=2, fsdp=2, tensor=2))
        like = TrainState({"x": state(5).params}, state(5).opt_state, state(5).step)
        checkpoints.save(1, like, {})
        checkpoints.wait()
        found = restore(checkpoints, 1, like, mesh)
    kernel = found.params["x"]["q"]["kernel"]
    assert kernel.sharding.is_equivalent_to(NamedSharding(mesh, P("fsdp", "tensor")), 2)
    np.testing.assert_array_equal(kernel, np.full((8, 16), 5.0))


def test_checkpoint_of_another_shape_is_refused_in_one_line(tmp_path):
    with Checkpoints(tmp_path, keep=1) as checkpoints:
        checkpoints.save(1, state(5), {})
        checkpoints.wait()
        with pytest.raises(UserError, match=r"opt_state/0/mu/q/kernel is \[8, 16\] there and \[4, 16\] here") as error:
            restore(checkpoints, 1, state(5, size=4))
    assert "\n" not in str(error.value)


def test_checkpoint_of_other_parameters_is_refused(tmp_path):
    with Checkpoints(tmp_path, keep=1) as checkpoints:
        checkpoints.save(1, state(5), {})
        checkpoints.wait()
        other = TrainState({**state(5).params, "extra": jnp.ones(2)}, state(5).opt_state, state(5).step)
        with pytest.raises(UserError, match=r"params/extra is absent there and \[2\] here"):
            restore(checkpoints, 1, other)


def test_damaged_checkpoint_is_told(tmp_path):
    with Checkpoints(tmp_path, keep=1) as checkpoints:
        checkpoints.save(1, state(5), {})
    for file in (tmp_path / "checkpoints" / "1" / "state").rglob("*"):
        if file.is_file() and "d" in file.parts[-2:]:
            file.write_bytes(b"")
    with (
        Checkpoints(tmp_path, keep=1) as checkpoints,
        pytest.raises(UserError, match=r"cannot be read .* delete that folder"),
    ):
        restore(checkpoints, 1, state(0))


# The library's own thread complains once more when it is gone.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_failed_write_leaves_the_last_checkpoint_whole(tmp_path):
    big = TrainState({"q": {"kernel": jax.random.normal(jax.random.key(0), (512, 512))}}, (), jnp.array(2))
    with Checkpoints(tmp_path, keep=1) as checkpoints:
        checkpoints.save(1, state(5), {"step": 1})
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, limits[1]))  # a write beyond fails, as on a full disk
    try:
        with (
            pytest.raises(UserError, match=r"step 2 could not be written .*File too large.*last whole one is step 1"),
            Checkpoints(tmp_path, keep=1) as checkpoints,
        ):
            checkpoints.save(2, big, {"step": 2})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    with Checkpoints(tmp_path, keep=1) as checkpoints:
        assert checkpoints.latest() == 1
        jax.tree.map(np.testing.assert_array_equal, restore(checkpoints, 1, state(0)), state(5))
        checkpoints.save(2, big, {"step": 2})
    assert sorted(path.name for path in (tmp_path / "checkpoints").iterdir()) == ["2"]


def test_room_is_asked_for_before_anything_is_written(tmp_path, monkeypatch):
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(0, 0, 1000))
    with Checkpoints(tmp_path, keep=1) as checkpoints, pytest.raises(UserError, match="Make room"):
        checkpoints.save(1, state(5), {})
    assert list((tmp_path / "checkpoints").iterdir()) == []
    check_room(tmp_path, jax.eval_shape(lambda: jnp.ones(200)))
