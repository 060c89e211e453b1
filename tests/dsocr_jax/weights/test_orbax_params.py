"""Parameters in orbax's layout: pieces worth reading, groups that do not matter, damage that is named."""

import re
import threading
from pathlib import Path

import jax
import jax.numpy as jnp
import ml_dtypes
import numpy as np
import orbax.checkpoint as ocp
import pytest
from flax import nnx

from dsocr_jax.config import preset
from dsocr_jax.errors import UserError
from dsocr_jax.weights import orbax_params
from dsocr_jax.weights.orbax_params import read_params, write_params
from dsocr_jax.weights.params import flatten, from_released
from tests.dsocr_jax.weights import layouts

CONFIG = preset("test")
PARAMS = from_released(CONFIG, layouts.tensors().__getitem__)
EXPERTS = "decoder/layers/1/moe/experts/up"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("orbax") / "params"
    write_params(path, PARAMS)
    return path


def test_experts_are_stored_one_by_one_and_small_arrays_whole(folder) -> None:
    with ocp.Checkpointer(ocp.PyTreeCheckpointHandler()) as checkpointer:
        stored = orbax_params._flat(checkpointer.metadata(folder).item_metadata.tree)
    for name, array in stored.items():
        whole = array.storage.write_shape
        assert array.storage.chunk_shape == ((1, *whole[1:]) if "/experts/" in name else whole), name


@pytest.mark.parametrize("size", [1, 100_000])
def test_groups_do_not_matter(folder, monkeypatch, size: int) -> None:
    monkeypatch.setattr(orbax_params, "GROUP_BYTES", size)
    told: list[int] = []
    read, expected = flatten(read_params(folder, CONFIG, advance=told.append)), flatten(PARAMS)
    assert all(np.asarray(read[name]).tobytes() == np.asarray(array).tobytes() for name, array in expected.items())
    assert sum(told) == sum(array.size for array in expected.values())
    assert len(told) > 1


def test_a_missing_file_is_named(folder, tmp_path) -> None:
    with pytest.raises(UserError, match="the parameters are missing"):
        read_params(tmp_path / "none", CONFIG)


@pytest.mark.parametrize("name", ["_METADATA", "manifest.ocdbt"])
def test_a_damaged_folder_is_named(tmp_path, name: str) -> None:
    write_params(tmp_path / "params", PARAMS)
    (tmp_path / "params" / name).write_bytes(b"x")
    with pytest.raises(UserError, match="damaged or incomplete"):
        read_params(tmp_path / "params", CONFIG)


def test_parameters_of_another_shape_are_refused(folder, tmp_path) -> None:
    other = jax.tree.map(lambda leaf: leaf[..., :1], PARAMS)
    write_params(tmp_path / "params", other)
    with pytest.raises(UserError, match=rf"{EXPERTS} has shape \(8, 80, 1\), expected \(8, 80, 56\)"):
        read_params(tmp_path / "params", CONFIG)


def test_narrower_types_are_rounded_to_nearest_even(tmp_path) -> None:
    rng = np.random.default_rng(1)
    wide = jax.tree.map(lambda leaf: jnp.asarray(rng.standard_normal(leaf.shape, np.float32)), PARAMS)
    write_params(tmp_path / "params", wide)
    read = flatten(read_params(tmp_path / "params", CONFIG, "bfloat16"))
    for name, array in flatten(wide).items():
        assert np.asarray(read[name]).tobytes() == np.asarray(array).astype(jnp.bfloat16).tobytes(), name


STATUS = Path("/proc/self/status")


class Peak:
    """How much more anonymous memory this process holds than at the beginning, at most."""

    def __enter__(self):
        self.most, self.first, self._stop = 0, self._held(), threading.Event()
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._stop.wait(0.002):
            self.most = max(self.most, self._held() - self.first)

    def _held(self) -> int:
        return 1024 * int(re.search(r"RssAnon:\s+(\d+)", STATUS.read_text())[1])


@pytest.mark.skipif(not STATUS.exists(), reason="the memory held is read from Linux's /proc")
def test_writing_holds_little_beyond_the_parameters(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(orbax_params, "WRITTEN_BYTES", 8_000_000)
    rng = np.random.default_rng(0)
    noise = [rng.integers(0, 1 << 16, 1 << 21, np.uint16).view(ml_dtypes.bfloat16) for _ in range(48)]
    params = nnx.State({f"a{i}": jnp.asarray(array) for i, array in enumerate(noise)})
    write_params(tmp_path / "first", nnx.State({"a": params["a0"]}))  # what the libraries keep for themselves
    with Peak() as peak:
        write_params(tmp_path / "params", params)
    # 201 MB in all; without a limit 160 to 195 of them were held at once, with this one 25.
    assert sum(array.nbytes for array in noise) > 200e6
    assert peak.most < 80e6


def test_an_array_beyond_the_limit_is_written(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(orbax_params, "WRITTEN_BYTES", 1)
    write_params(tmp_path / "params", PARAMS)
    read = flatten(read_params(tmp_path / "params", CONFIG))
    assert all(
        np.asarray(read[name]).tobytes() == np.asarray(array).tobytes() for name, array in flatten(PARAMS).items()
    )
