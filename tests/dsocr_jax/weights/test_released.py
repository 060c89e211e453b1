"""Folders in the released layout: refused with all their problems, or loaded to the bit, onto any devices."""

import copy
import json
import shutil
from collections import Counter
from functools import cache

import jax
import jax.numpy as jnp
import ml_dtypes
import numpy as np
import pytest
from flax import nnx
from jax.sharding import NamedSharding
from jax.sharding import PartitionSpec as P

from dsocr_jax.batch import Example, collate
from dsocr_jax.config import preset
from dsocr_jax.errors import UserError
from dsocr_jax.tokenizer import SMALL_TOKENIZER
from dsocr_jax.weights import params, released
from dsocr_jax.weights.checkpoint import load_model, read_config, save_model
from dsocr_jax.weights.params import flatten
from dsocr_jax.weights.released import POSITION_IDS, open_released, released_shapes
from dsocr_jax.weights.table import entries
from tests.dsocr_jax.weights import layouts
from tests.reference import weights

CONFIG = preset("test")
TENSORS = layouts.tensors()
EXPERT = "model.layers.1.mlp.experts.3.up_proj.weight"
NORM = "model.norm.weight"
POSITIONS = np.arange(257, dtype=np.int64)[None]


@cache
def expected() -> dict[str, np.ndarray]:
    """Our arrays, by the table."""
    return {entry.path: entry.load(TENSORS.__getitem__) for entry in entries(CONFIG)}


def loaded(path, **options) -> dict[str, jax.Array]:
    return flatten(nnx.state(load_model(path, **options).model, nnx.Param))


def assert_same(arrays, dtype=ml_dtypes.bfloat16) -> None:
    assert arrays.keys() == expected().keys()
    for name, array in arrays.items():
        assert array.dtype == dtype, name
        assert np.asarray(array).tobytes() == expected()[name].astype(dtype).tobytes(), name


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("released")
    weights.write_checkpoint(path, layouts.TINY, "s0")
    return path


def test_the_shapes_are_those_of_the_layout() -> None:
    assert released_shapes(CONFIG) == layouts.SHAPES


def test_a_released_folder_loads_to_the_bit(folder) -> None:
    assert read_config(folder) == CONFIG
    assert_same(loaded(folder))


@pytest.mark.parametrize("dtype", ["float32", jnp.float32, "float16"])
def test_loading_converts(folder, dtype) -> None:
    assert_same(loaded(folder, dtype=dtype), jnp.dtype(dtype))


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_a_loaded_model_computes_in_the_type_of_its_parameters(folder, dtype) -> None:
    ids = np.zeros(5, np.int32)
    batch, model = collate([Example(ids, ids)], CONFIG, 5), load_model(folder, dtype=dtype).model
    assert jax.eval_shape(lambda batch: model.hidden_states(batch)[0], batch).dtype == dtype


@pytest.mark.parametrize("count", [2, 5])
def test_several_shards(tmp_path, count: int) -> None:
    assert_same(loaded(layouts.write_folder(tmp_path, layouts.split(TENSORS, count))))


def test_one_shard_needs_no_index(folder, tmp_path) -> None:
    for name in ("config.json", weights.SHARD):
        shutil.copyfile(folder / name, tmp_path / name)
    assert_same(loaded(tmp_path))


@pytest.mark.parametrize("dtype", [np.float16, np.float32])
def test_other_types_are_kept(tmp_path, dtype) -> None:
    arrays = {name: array.astype(dtype) for name, array in TENSORS.items()}
    assert_same(loaded(layouts.one_shard(tmp_path, arrays)), dtype)


def test_mixed_types_become_float32(tmp_path) -> None:
    arrays = {**TENSORS, EXPERT: TENSORS[EXPERT].astype(np.float32), NORM: TENSORS[NORM].astype(np.float16)}
    layouts.one_shard(tmp_path, arrays)
    assert_same(loaded(tmp_path), np.float32)
    assert_same(loaded(tmp_path, dtype="bfloat16"))


def test_the_buffer_of_positions_passes(tmp_path) -> None:
    assert_same(loaded(layouts.one_shard(tmp_path, {**TENSORS, POSITION_IDS: POSITIONS})))


def test_sizes_that_the_real_file_leaves_out(tmp_path) -> None:
    values = copy.deepcopy(layouts.TINY)
    sam, clip = (values["vision_config"]["width"][name] for name in ("sam_vit_b", "clip-l-14-224"))
    sam["neck_channels"] = 256
    for part in (values, values["language_config"]):
        part["vocab_size"] = 128_900
    del values["image_token_id"]
    arrays = {name: np.zeros(shape, np.float16) for name, shape in weights.tensor_shapes(values).items()}
    layouts.write_folder(tmp_path, {"x.safetensors": arrays}, values)
    complete = read_config(tmp_path)
    del sam["neck_channels"], clip["ffn"]
    (tmp_path / "config.json").write_text(json.dumps(values))
    assert read_config(tmp_path) == complete
    assert (complete.sam.neck, complete.clip.ffn, complete.image_token_id) == (256, 384, 128_815)
    assert open_released(tmp_path, complete).size == sum(array.size for array in arrays.values())


def without(name: str) -> dict[str, np.ndarray]:
    return {key: array for key, array in TENSORS.items() if key != name}


FAULTS = {
    "missing": (without(EXPERT), [f"{EXPERT} is missing"]),
    "unknown": ({**TENSORS, "model.extra": POSITIONS}, [f"model.extra in {layouts.SHARD_FILE} is unknown"]),
    "shape": ({**TENSORS, EXPERT: TENSORS[EXPERT].T}, [f"{EXPERT} has shape [80, 56] in {layouts.SHARD_FILE}"]),
    "type": ({**TENSORS, NORM: np.zeros(80, np.int64)}, [f"{NORM} has type I64 in {layouts.SHARD_FILE}"]),
    "double": ({**TENSORS, NORM: np.zeros(80)}, [f"{NORM} has type F64"]),
    "positions": (
        {**TENSORS, POSITION_IDS: POSITIONS[:, 1:]},
        [f"{POSITION_IDS} in {layouts.SHARD_FILE} is I64 [1, 256]"],
    ),
    "several": (
        {**without(EXPERT), NORM: np.zeros(81, np.float32), "lm_head.bias": np.zeros(2)},
        [f"{EXPERT} is missing", f"{NORM} has shape [81]", "lm_head.bias"],
    ),
}


@pytest.mark.parametrize("case", FAULTS)
def test_what_does_not_fit_is_refused_before_anything_is_allocated(tmp_path, monkeypatch, case: str) -> None:
    arrays, messages = FAULTS[case]
    monkeypatch.setattr(released, "from_released", None)
    with pytest.raises(UserError) as error:
        load_model(layouts.one_shard(tmp_path, arrays))
    lines = str(error.value).splitlines()[1:]
    assert [line.strip().startswith(message) for line, message in zip(lines, messages, strict=True)]


def test_faults_of_shards_and_of_tensors_are_said_together(tmp_path) -> None:
    shards = layouts.split({**TENSORS, NORM: np.zeros(81, np.float32)}, 3)
    layouts.write_folder(tmp_path, shards)
    lost = next(name for name, arrays in shards.items() if NORM not in arrays)
    (tmp_path / lost).write_bytes(b"short")
    with pytest.raises(UserError) as error:
        load_model(tmp_path)
    lines = str(error.value).splitlines()[1:]
    assert len(lines) == 2
    assert lost in lines[0] and NORM in lines[1]


def test_what_a_truncated_shard_promises_is_checked_too(tmp_path) -> None:
    layouts.one_shard(tmp_path, {**without(EXPERT), NORM: np.zeros(81, np.float32)})
    shard = tmp_path / layouts.SHARD_FILE
    shard.write_bytes(shard.read_bytes()[:-1000])
    with pytest.raises(UserError) as error:
        load_model(tmp_path, check_finite=True)
    assert {line.strip() for line in str(error.value).splitlines()[1:]} == {
        f"{layouts.SHARD_FILE}: truncated: 1000 bytes are missing at the end; copy it again",
        f"{NORM} has shape [81] in {layouts.SHARD_FILE}, config.json asks for [80]",
        f"{EXPERT} is missing",
    }


@pytest.mark.parametrize("dtype", [ml_dtypes.bfloat16, np.float16, np.float32])
@pytest.mark.parametrize("value", [np.inf, -np.inf, np.nan])
def test_values_that_are_not_finite_are_found_on_request(tmp_path, dtype, value: float) -> None:
    arrays = {name: array.astype(dtype) for name, array in TENSORS.items()}
    arrays[EXPERT][-1, -1] = value
    layouts.one_shard(tmp_path, arrays)
    load_model(tmp_path)
    with pytest.raises(UserError, match=f"{EXPERT} holds values that are not finite"):
        load_model(tmp_path, check_finite=True)


def test_they_are_found_in_our_layout_too(tmp_path) -> None:
    arrays = dict(expected()) | {"decoder/norm/scale": np.full(80, np.nan, ml_dtypes.bfloat16)}
    state = params.unflatten(CONFIG, {name: jnp.asarray(array) for name, array in arrays.items()})
    save_model(tmp_path / "model", CONFIG, state, None)
    with pytest.raises(UserError, match="not finite in decoder/norm/scale"):
        load_model(tmp_path / "model", check_finite=True)


def test_a_shard_that_vanishes_while_loading(folder, tmp_path) -> None:
    shutil.copytree(folder, tmp_path / "copy")
    checkpoint = open_released(tmp_path / "copy", CONFIG)
    (tmp_path / "copy" / weights.SHARD).unlink()
    with pytest.raises(UserError, match="cannot be read any more"):
        checkpoint.load()


@pytest.mark.parametrize(
    ("text", "message"),
    [("{", "not readable"), ("[]", "neither"), ('{"model_type": "llama"}', "neither"), ('{"a": 1, "a": 2}', "twice")],
)
def test_a_folder_of_another_kind_is_refused(tmp_path, text: str, message: str) -> None:
    (tmp_path / "config.json").write_text(text)
    with pytest.raises(UserError, match=message):
        load_model(tmp_path)


MESH = jax.make_mesh((2, 4), ("data", "fsdp"), axis_types=(jax.sharding.AxisType.Auto,) * 2)


def split(name: str) -> NamedSharding | None:
    """Every kind of slice: of experts, of either axis of a matrix, of convolutions; whole, and left to the default."""
    if name.endswith("/norm1/bias"):
        return None
    specs = {
        "experts/gate": P(("data", "fsdp")),
        "experts/up": P("data", "fsdp"),
        "experts/down": P(None, "fsdp", "data"),
        "qkv/kernel": P("fsdp", "data"),
        "gate/kernel": P(None, "fsdp"),
        "embed/embedding": P("data", "fsdp"),
        "pos_embed": P(None, "fsdp"),
        "conv2/kernel": P(None, None, "data", "fsdp"),
    }
    return NamedSharding(MESH, next((spec for end, spec in specs.items() if name.endswith(end)), P()))


@pytest.mark.parametrize("dtype", [None, "float32"])
def test_loading_onto_several_devices(folder, dtype) -> None:
    arrays = loaded(folder, dtype=dtype, shardings=split)
    assert_same(arrays, jnp.dtype(dtype or "bfloat16"))
    assert all(array.sharding == (split(name) or params.default_sharding()) for name, array in arrays.items())


def test_our_own_layout_onto_several_devices(folder, tmp_path) -> None:
    model = load_model(folder)
    save_model(tmp_path / "model", CONFIG, nnx.state(model.model, nnx.Param), None)
    arrays = loaded(tmp_path / "model", shardings=split)
    assert_same(arrays)
    assert all(array.sharding == (split(name) or params.default_sharding()) for name, array in arrays.items())


def test_every_device_reads_only_its_slice(folder, monkeypatch) -> None:
    opened, copied = Counter(), []
    open_, copy_ = released.Tensor.open, params._copy
    checkpoint = open_released(folder, CONFIG)
    monkeypatch.setattr(released.Tensor, "open", lambda tensor: opened.update([tensor]) or open_(tensor))
    monkeypatch.setattr(params, "_copy", lambda out, view: copied.append(view.nbytes) or copy_(out, view))
    one_each = NamedSharding(MESH, P(("data", "fsdp")))
    state = checkpoint.load(np.float32, lambda name: one_each if "experts" in name else None)
    # Eight experts on eight devices: each tensor is opened for one device alone, and read once.
    assert {opened[checkpoint.tensors[name]] for name in TENSORS if ".experts." in name} == {1}
    assert sum(copied) == sum(array.nbytes for array in TENSORS.values())
    shards = flatten(state)["decoder/layers/1/moe/experts/up"].addressable_shards
    assert [shard.data.shape for shard in shards] == [(1, 80, 56)] * 8


def test_a_matrix_is_read_in_slices(folder) -> None:
    entry = next(entry for entry in entries(CONFIG) if entry.path == "decoder/lm_head/kernel")
    source = TENSORS[entry.released[0]].astype(np.float32)
    source[:, :40] = np.nan  # beside the slice
    index = (slice(40, 60), slice(None))
    part = params.read_part(entry, index, (80, 512), lambda _: source, np.dtype(np.float32))
    np.testing.assert_array_equal(part, expected()[entry.path][40:60].astype(np.float32))
    assert part.ctypes.data % params.ALIGNMENT == 0


def test_a_folder_without_tokenizer_says_so_when_it_is_used(folder) -> None:
    tokenizer = load_model(folder).tokenizer
    with pytest.raises(UserError, match=r"no tokenizer\.json: run 'dsocr tokenizer"):
        tokenizer.prompt_ids("<image>", 1)
    with pytest.raises(UserError, match=r"no tokenizer\.json"):
        _ = tokenizer.vocab_size


def test_a_tokenizer_of_another_model_is_refused(folder, tmp_path) -> None:
    shutil.copytree(folder, tmp_path / "copy")
    shutil.copyfile(SMALL_TOKENIZER, tmp_path / "copy" / "tokenizer.json")
    with pytest.raises(UserError, match=r"<image> is 2036, the model has 500.*2048 ids, the model 512"):
        load_model(tmp_path / "copy")
