"""Adapters against the formula that they stand for, on arrays of every layout: plain, stacked, experts'."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from dsocr_jax.errors import UserError
from dsocr_jax.model.scan import stack_arrays, unstack_arrays
from dsocr_jax.weights.checkpoint import load_model, save_model
from dsocr_jax.weights.conversion import export
from dsocr_jax.weights.params import abstract_model, flatten, unflatten
from tests.train import tiny
from train import lora
from train.config import LoraConfig
from train.lora_files import load_adapters, save_adapters
from train.merge_lora import merge

#: A dense layer and two mixtures, which are stacked; what the released layout does not name is as released.
MODEL = dataclasses.replace(
    tiny.MODEL,
    sam=dataclasses.replace(tiny.MODEL.sam, window=14, grid=64),
    clip=dataclasses.replace(tiny.MODEL.clip, grid=16),
    decoder=dataclasses.replace(tiny.MODEL.decoder, layers=3, dense_layers=1),
)
LORA = LoraConfig(rank=4, alpha=6.0, on=(r"/attn/(q|o)/kernel$", r"/experts/(gate|down)$"))
#: One array of each layout: of a single layer, of stacked layers, of the experts of stacked layers.
NAMES = (
    "decoder/layers/0/attn/q/kernel",
    "decoder/layers/1-2by1/attn/o/kernel",
    "decoder/layers/1-2by1/moe/experts/gate",
)


@pytest.fixture(scope="module")
def params():
    return stack_arrays(flatten(tiny.random_params(abstract_model(MODEL)[1])), np.stack)


@pytest.fixture(scope="module")
def grown(params):
    """Adapters as they might be after training: neither half is zero."""
    rng = np.random.default_rng(1)
    fresh = lora.adapters(params, LORA, jax.random.key(0))
    return {name: rng.normal(size=x.shape, scale=0.1).astype(np.float32) for name, x in fresh.items()}


def test_adapters_belong_to_the_matrices_named(params):
    assert set(lora.targets(params, LORA)) == {
        *(f"decoder/layers/{i}/attn/{p}/kernel" for i in ("0", "1-2by1") for p in "qo"),
        *(f"decoder/layers/1-2by1/moe/experts/{p}" for p in ("gate", "down")),
    }


def test_whatever_multiplies_vectors_can_have_adapters_and_nothing_else(params):
    found = set(lora.targets(params, LoraConfig(rank=1, on=("",))))
    assert {"decoder/embed/embedding", "decoder/lm_head/kernel", "encoder/projector/kernel"} <= found
    assert {"encoder/sam/blocks/0/mlp/fc1/kernel", "decoder/layers/1-2by1/moe/router/kernel"} <= found
    others = {name.rpartition("/")[2] for name in set(params) - found}
    tables = {"pos_embed", "class_embed", "rel_pos_h", "rel_pos_w", "image_newline", "view_separator"}
    assert others <= {"scale", "bias", "kernel", *tables}
    # Kernels without adapters are convolutions.
    assert {name.split("/")[2] for name in set(params) - found if name.endswith("/kernel")} <= {
        "patch_embed",
        "neck",
        "compressor",
    }


def test_first_matrix_is_random_the_second_zero_and_both_float32(params):
    found = lora.adapters(params, LORA, jax.random.key(0))
    assert set(found) == {name + end for name in lora.targets(params, LORA) for end in (lora.A, lora.B)}
    for name, array in found.items():
        assert array.dtype == jnp.float32
        assert bool(array.any()) == name.endswith(lora.A)
    assert found[NAMES[2] + lora.A].shape == (2, 4, 32, 4)
    assert found[NAMES[2] + lora.B].shape == (2, 4, 4, 16)


def test_seed_decides_and_other_matrices_do_not(params):
    name = NAMES[0] + lora.A
    found = lora.adapters(params, LORA, jax.random.key(0))
    alone = lora.adapters(params, dataclasses.replace(LORA, on=("layers/0/attn/q",)), jax.random.key(0))
    np.testing.assert_array_equal(found[name], alone[name])
    assert not np.array_equal(found[name], lora.adapters(params, LORA, jax.random.key(1))[name])
    assert not np.array_equal(found[name], found[name.replace("/q/", "/o/")])


@pytest.mark.parametrize("dtype", [jnp.float32, jnp.bfloat16])
def test_new_adapters_change_nothing(params, dtype):
    found = lora.merged(params, lora.adapters(params, LORA, jax.random.key(0)), LORA, dtype)
    for name, array in params.items():
        np.testing.assert_array_equal(found[name], jnp.asarray(array).astype(dtype), err_msg=name)


@pytest.mark.parametrize("name", NAMES)
def test_merged_parameters_compute_what_the_two_paths_compute(params, grown, name):
    weight, a, b = params[name], grown[name + lora.A], grown[name + lora.B]
    x = np.random.default_rng(2).normal(size=(*weight.shape[:-2], 5, weight.shape[-2])).astype(np.float32)
    expected = x @ weight + LORA.alpha / LORA.rank * ((x @ a) @ b)
    np.testing.assert_allclose(x @ lora.merged(params, grown, LORA)[name], expected, atol=2e-5)


@pytest.mark.parametrize("name", NAMES)
def test_gradient_is_that_of_the_formula(params, grown, name):
    weight, a, b = params[name], grown[name + lora.A], grown[name + lora.B]
    x = np.random.default_rng(3).normal(size=(*weight.shape[:-2], 5, weight.shape[-2])).astype(np.float32)

    def loss(adapters):
        return jnp.sum(jnp.tanh(x @ lora.merged(params, adapters, LORA)[name]))

    found = jax.grad(loss)(grown)
    scale = LORA.alpha / LORA.rank
    slope = x.swapaxes(-1, -2) @ (1 - np.tanh(x @ (weight + scale * a @ b)) ** 2)
    np.testing.assert_allclose(found[name + lora.A], scale * slope @ b.swapaxes(-1, -2), atol=2e-5)
    np.testing.assert_allclose(found[name + lora.B], scale * a.swapaxes(-1, -2) @ slope, atol=2e-5)


def test_sum_is_rounded_once(params, grown):
    """bfloat16 has 8 bits: a product that was rounded by itself would differ from this in many places."""
    name = NAMES[0]
    exact = lora.merged(params, grown, LORA, jnp.float32)[name]
    rounded = {key: jnp.asarray(x).astype(jnp.bfloat16) for key, x in params.items()}
    np.testing.assert_array_equal(lora.merged(params, grown, LORA, jnp.bfloat16)[name], exact.astype(jnp.bfloat16))
    assert lora.merged(rounded, grown, LORA)[name].dtype == jnp.bfloat16


def test_count_is_the_number_of_all_adapters(params):
    found = lora.adapters(params, LORA, jax.random.key(0))
    assert lora.count(params, LORA) == sum(array.size for array in found.values())


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"on": ("/atn/q",)}, "'/atn/q' names no matrix; did you mean 'attn'"),
        ({"on": ("norm/scale$",)}, "names no matrix"),
        ({"rank": 17}, "--lora.rank 17 is more than .*/experts/(gate|down) can have, which is 16 wide"),
    ],
)
def test_refuses_what_cannot_have_adapters(params, changes, message):
    with pytest.raises(UserError, match=message):
        lora.targets(params, dataclasses.replace(LORA, **changes))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda x: x | {"decoder/nothing/lora_a": x[NAMES[0] + lora.A]}, "decoder/nothing/lora_a belongs to no param"),
        (lambda x: {name: y for name, y in x.items() if name != NAMES[0] + lora.B}, "lora_a lacks its other half"),
        (lambda x: x | {NAMES[0] + lora.A: x[NAMES[0] + lora.A][:, :3]}, r"has shape \(32, 3\), expected \(32, 4\)"),
    ],
)
def test_refuses_adapters_that_do_not_fit(params, grown, change, message):
    with pytest.raises(UserError, match=message):
        lora.merged(params, change(grown), LORA)


def test_folder_gives_back_what_was_saved_each_layer_for_itself(tmp_path, grown):
    save_adapters(tmp_path / "adapters", grown, LORA, MODEL)
    found = load_adapters(tmp_path / "adapters")
    assert (found.lora, found.model) == (LORA, MODEL)
    expected = unstack_arrays(grown)
    assert set(found.arrays) == set(expected)
    for name, array in expected.items():
        np.testing.assert_array_equal(found.arrays[name], array, err_msg=name)


@pytest.mark.parametrize("file", ["adapters.json", "adapters.safetensors"])
def test_damaged_folder_is_refused(tmp_path, grown, file):
    save_adapters(tmp_path / "adapters", grown, LORA, MODEL)
    path = tmp_path / "adapters" / file
    path.write_bytes(path.read_bytes()[:20])
    with pytest.raises(UserError, match="not readable"):
        load_adapters(tmp_path / "adapters")


def test_folder_without_adapters_is_refused(tmp_path):
    with pytest.raises(UserError, match="holds no adapters"):
        load_adapters(tmp_path)


@pytest.fixture(scope="module")
def folders(params, grown, tmp_path_factory):
    """A model, adapters, and both merged."""
    folder = tmp_path_factory.mktemp("lora")
    file = tiny.write_tokenizer(folder / "tokenizer")
    save_model(folder / "model", MODEL, unflatten(MODEL, unstack_arrays(params, np.split)), file)
    save_adapters(folder / "adapters", grown, LORA, MODEL)
    merge(folder / "model", folder / "adapters", folder / "merged")
    return folder


def test_merged_and_exported_models_have_the_parameters_that_the_run_computed_with(folders, params, grown):
    expected = unstack_arrays(lora.merged(params, grown, LORA))
    export(folders / "merged", folders / "exported", "float32")
    for folder in ("merged", "exported"):
        loaded = load_model(folders / folder)
        found = flatten(nnx.state(loaded.model, nnx.Param))
        assert set(found) == set(expected)
        for name, array in expected.items():
            np.testing.assert_allclose(found[name], array, atol=1e-6, err_msg=f"{folder} {name}")
    assert np.abs(expected[NAMES[0]] - params[NAMES[0]]).max() > 0.1


def test_merging_takes_no_other_model(folders, tmp_path):
    found = load_adapters(folders / "adapters")
    other = dataclasses.replace(MODEL, decoder=dataclasses.replace(MODEL.decoder, dense_ffn=64))
    save_adapters(tmp_path / "adapters", found.arrays, LORA, other)
    with pytest.raises(UserError, match="belong to a model of other sizes"):
        merge(folders / "model", tmp_path / "adapters", tmp_path / "merged")
    assert not (tmp_path / "merged").exists()


def test_merging_overwrites_nothing(folders):
    with pytest.raises(UserError, match="exists already"):
        merge(folders / "model", folders / "adapters", folders / "merged")
