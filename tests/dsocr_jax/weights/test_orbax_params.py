"""Parameters in orbax's layout: pieces worth reading, groups that do not matter, damage that is named."""

import jax
import jax.numpy as jnp
import numpy as np
import orbax.checkpoint as ocp
import pytest

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
