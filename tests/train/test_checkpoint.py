import dataclasses
import errno
import os
import re
import resource
import shutil
import threading
from collections import namedtuple
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.sharding import NamedSharding
from jax.sharding import PartitionSpec as P

from dsocr_jax.errors import UserError
from tests.train import tiny
from train import manifest
from train.checkpoint import Checkpoints, check_room
from train.config import MeshConfig
from train.setup import prepare
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
        assert checkpoints.newest() is None
        for step in (1, 2, 3):
            checkpoints.save(step, state(step + 0.1), {"step": step, "run": {"a.b": [1, "x"]}})
    with Checkpoints(tmp_path, keep=2) as checkpoints:
        assert checkpoints.newest() == 3
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


def two_checkpoints(folder) -> list[Path]:
    """Save steps 1 and 2; return the files of the second."""
    with Checkpoints(folder, keep=2) as checkpoints:
        for step in (1, 2):
            checkpoints.save(step, state(step), {"step": step})
    return sorted(path for path in (folder / "checkpoints" / "2").rglob("*") if path.is_file())


def flip(file: Path, bit: int) -> None:
    data = bytearray(file.read_bytes())
    data[bit // 8] ^= 1 << bit % 8
    file.write_bytes(data)


DAMAGES = {
    "flipped": (lambda file: flip(file, 8 * file.stat().st_size // 2), "has changed"),
    "cut": (lambda file: os.truncate(file, file.stat().st_size - 1), r"has \d+ bytes and was written with|has changed"),
    "emptied": (lambda file: os.truncate(file, 0), r"has \d+ bytes and was written with|has changed"),
    "missing": (lambda file: file.unlink(), r"is missing|cannot be read \(No such file"),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_every_file_is_guarded_and_the_checkpoint_before_is_used(tmp_path, capfd, damage):
    files = two_checkpoints(tmp_path / "whole")
    assert len([file for file in files if file.stat().st_size]) > 5
    spoil, said = DAMAGES[damage]
    for number, file in enumerate(file for file in files if file.stat().st_size):
        run = tmp_path / str(number)
        shutil.copytree(tmp_path / "whole", run)
        spoil(run / file.relative_to(tmp_path / "whole"))
        with Checkpoints(run, keep=2) as checkpoints:
            assert checkpoints.newest() == 1
            assert checkpoints.meta(1) == {"step": 1}
        message = capfd.readouterr().err
        assert re.search(
            rf"step 2 is damaged: {re.escape(file.relative_to(files[0].parent).as_posix())} ({said})", message
        )
        # Set aside as it is, and no longer in the way of a new one.
        assert sorted(path.name for path in (run / "checkpoints").iterdir()) == ["1", "2.damaged"]


def test_run_without_a_whole_checkpoint_does_not_begin_anew_by_itself(tmp_path):
    for file in two_checkpoints(tmp_path):
        if file.name == "manifest.json":
            file.unlink()
    os.truncate(tmp_path / "checkpoints" / "1" / "manifest.json", 10)
    with Checkpoints(tmp_path, keep=2) as checkpoints:
        with pytest.raises(UserError, match=r"no whole checkpoint is left .* 2.damaged was the newest"):
            checkpoints.newest()
        assert checkpoints.newest() is None


def test_second_damaged_checkpoint_of_one_step_finds_a_place(tmp_path):
    for name in ("2.damaged", "2.damaged.2"):
        two_checkpoints(tmp_path)[0].unlink()
        with Checkpoints(tmp_path, keep=2) as checkpoints:
            assert checkpoints.newest() == 1
        assert (tmp_path / "checkpoints" / name).is_dir()
        shutil.rmtree(tmp_path / "checkpoints" / "1")


def test_state_may_be_given_away_while_it_is_being_written(tmp_path, monkeypatch):
    """A step takes over the buffers of the state that was just saved; the files must not see it."""
    began = threading.Event()
    seal = manifest.seal
    monkeypatch.setattr(manifest, "seal", lambda *args: (began.wait(60), seal(*args)))
    sharding = NamedSharding(make_mesh(MeshConfig()), P())
    advance = jax.jit(lambda x: x + 1, donate_argnums=0)
    kernel = jax.device_put(jnp.arange(2.0**20).reshape(1024, 1024), sharding)
    expected = np.array(kernel)
    with Checkpoints(tmp_path, keep=1) as checkpoints:
        checkpoints.save(1, TrainState({"q": {"kernel": kernel}}, (), jnp.array(1)), {})
        for _ in range(10):
            kernel = advance(kernel)
        kernel.block_until_ready()
        assert checkpoints.steps() == []  # still being written
        began.set()
        checkpoints.wait()
        like = TrainState({"q": {"kernel": kernel}}, (), jnp.array(0))
        np.testing.assert_array_equal(restore(checkpoints, 1, like).params["q"]["kernel"], expected)


def test_leftovers_of_a_killed_save_are_removed(tmp_path):
    two_checkpoints(tmp_path)
    (tmp_path / "checkpoints" / "2").rename(tmp_path / "checkpoints" / "2.partial")
    with Checkpoints(tmp_path, keep=2) as checkpoints:
        assert checkpoints.newest() == 1
        checkpoints.clean()
    assert [path.name for path in (tmp_path / "checkpoints").iterdir()] == ["1"]


def test_failed_save_is_told_without_waiting_for_the_next_one(tmp_path, monkeypatch):
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with Checkpoints(tmp_path, keep=1) as checkpoints:
        checkpoints.save(1, state(5), {})
        checkpoints.wait()
        checkpoints.check()
        monkeypatch.setattr(manifest, "replace_file", full)
        checkpoints.save(2, state(6), {})
        checkpoints._thread.join()
        with pytest.raises(UserError, match=r"step 2 could not be written .*No space left.* step 1, untouched"):
            checkpoints.check()
    assert [path.name for path in (tmp_path / "checkpoints").iterdir()] == ["1"]


def test_what_follows_a_save_may_fail_without_harm_to_it(tmp_path):
    def fail() -> None:
        raise UserError("the model could not be written")

    with Checkpoints(tmp_path, keep=1) as checkpoints:
        checkpoints.save(1, state(5), {}, then=fail)
        with pytest.raises(UserError, match=r"^the model could not be written$"):
            checkpoints.wait()
        assert checkpoints.newest() == 1


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
        assert checkpoints.newest() == 1
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


def test_state_with_stacked_layers_moves_from_eight_devices_to_one_and_on_to_four_by_two(folder, tmp_path):
    decoder = dataclasses.replace(tiny.MODEL.decoder, layers=3, dense_layers=1)
    model = dataclasses.replace(tiny.MODEL, decoder=decoder)
    meshes = [(MeshConfig(data=1, fsdp=8), 8), (MeshConfig(data=1), 1), (MeshConfig(data=1, fsdp=4, tensor=2), 8)]
    setups = [
        prepare(tiny.tiny_config(folder, model=model, mesh=mesh), jax.devices()[:count]) for mesh, count in meshes
    ]
    rng = np.random.default_rng(0)
    drawn = jax.tree.map(lambda x: np.asarray(9 * rng.normal(size=x.shape)).astype(x.dtype), setups[0].abstract)
    assert any("1-2by1" in name for name in drawn.params)
    found = jax.device_put(drawn, setups[0].shardings)
    with Checkpoints(tmp_path, keep=3) as checkpoints:
        for step, setup in enumerate(setups[1:]):
            checkpoints.save(step, found, {})
            checkpoints.wait()
            found = checkpoints.restore(step, setup.abstract, setup.shardings)
            assert jax.tree.map(lambda x: x.sharding, found) == setup.shardings
    jax.tree.map(np.testing.assert_array_equal, found, drawn)
