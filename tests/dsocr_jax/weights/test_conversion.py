"""Released to ours and back: the same bits, the same files, and nothing lost when it fails."""

import dataclasses
import errno
import json
import shutil
from collections import namedtuple

import jax
import jax.numpy as jnp
import ml_dtypes
import numpy as np
import pytest
import safetensors.numpy
from flax import nnx

from dsocr_jax import cli
from dsocr_jax.config import config_to_dict, preset
from dsocr_jax.errors import UserError
from dsocr_jax.tokenizer import SMALL_TOKENIZER
from dsocr_jax.weights import conversion, folders
from dsocr_jax.weights.checkpoint import load_model, read_config, save_model
from dsocr_jax.weights.conversion import convert, export
from dsocr_jax.weights.params import abstract_model, from_released
from dsocr_jax.weights.safetensors_files import INDEX_FILE, SHARD_FILE
from tests.dsocr_jax.weights import layouts
from tests.reference import weights

TENSORS = layouts.tensors()


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    path = tmp_path_factory.mktemp("source") / "released"
    weights.write_checkpoint(path, layouts.TINY, "s0")
    (path / "generation_config.json").write_text('{"eos_token_id": 1}')
    (path / "tokenizer_config.json").write_text("{}")
    (path / "modeling_deepseekocr.py").write_text("raise SystemExit")
    return path


@pytest.fixture(scope="module")
def converted(source, tmp_path_factory):
    path = tmp_path_factory.mktemp("converted") / "ours"
    convert(source, path)
    return path


def stored(folder) -> dict[str, np.ndarray]:
    return safetensors.numpy.load_file(folder / SHARD_FILE)


def test_there_and_back_is_the_same_to_the_bit(source, converted, tmp_path) -> None:
    export(converted, tmp_path / "back")
    before, after = stored(source), stored(tmp_path / "back")
    assert before.keys() == after.keys()
    for name, tensor in after.items():
        assert (tensor.dtype, tensor.shape) == (before[name].dtype, before[name].shape)
        assert tensor.tobytes() == before[name].tobytes(), name
    index = [json.loads((folder / INDEX_FILE).read_text()) for folder in (source, tmp_path / "back")]
    assert index[0] == index[1]


def test_the_files_beside_the_weights_come_back(source, converted, tmp_path) -> None:
    export(converted, tmp_path / "back")
    names = {"config.json", "generation_config.json", "tokenizer_config.json"}
    assert {path.name for path in (tmp_path / "back").iterdir()} == names | {SHARD_FILE, INDEX_FILE}
    for name in names:
        assert (tmp_path / "back" / name).read_bytes() == (source / name).read_bytes()


def test_no_code_is_carried(converted) -> None:
    assert not list(converted.rglob("*.py"))


def test_a_converted_model_is_ours(converted) -> None:
    assert read_config(converted) == preset("test")
    assert json.loads((converted / "config.json").read_text())["format"] == "dsocr-jax model"


def test_several_shards_become_one(tmp_path) -> None:
    layouts.write_folder(tmp_path / "source", layouts.split(TENSORS, 3))
    convert(tmp_path / "source", tmp_path / "ours")
    export(tmp_path / "ours", tmp_path / "back")
    after = stored(tmp_path / "back")
    assert all(after[name].tobytes() == array.tobytes() for name, array in TENSORS.items())


def test_a_released_folder_can_be_exported_itself(tmp_path) -> None:
    layouts.write_folder(tmp_path / "source", layouts.split(TENSORS, 3))
    export(tmp_path / "source", tmp_path / "back")
    assert all(stored(tmp_path / "back")[name].tobytes() == array.tobytes() for name, array in TENSORS.items())


def test_trained_weights_are_rounded_to_nearest_even(tmp_path) -> None:
    rng = np.random.default_rng(0)
    trained = {name: rng.standard_normal(shape, np.float32) for name, shape in layouts.SHAPES.items()}
    save_model(tmp_path / "run" / "model", preset("test"), from_released(preset("test"), trained.__getitem__), None)
    export(tmp_path / "run", tmp_path / "rounded")
    export(tmp_path / "run", tmp_path / "whole", dtype="float32")
    whole, rounded = stored(tmp_path / "whole"), stored(tmp_path / "rounded")
    assert whole.keys() == rounded.keys() == trained.keys()
    for name, array in trained.items():
        assert whole[name].tobytes() == array.tobytes(), name
        assert rounded[name].tobytes() == array.astype(ml_dtypes.bfloat16).tobytes(), name


def test_without_a_kept_configuration_one_is_made(converted, tmp_path) -> None:
    shutil.copytree(converted, tmp_path / "ours")
    shutil.rmtree(tmp_path / "ours" / "released")
    export(tmp_path / "ours", tmp_path / "back")
    made = json.loads((tmp_path / "back" / "config.json").read_text())
    expected = json.loads(json.dumps(layouts.TINY))
    del expected["vision_config"]["width"]["clip-l-14-224"]["ffn"]  # four times the width: left to the code
    assert made == expected
    assert read_config(tmp_path / "back") == preset("test")


def test_a_kept_configuration_of_another_model_is_not_used(converted, tmp_path) -> None:
    shutil.copytree(converted, tmp_path / "ours")
    config = dataclasses.replace(preset("test"), eos_token_id=5)
    described = json.loads((converted / "config.json").read_text()) | {"model": config_to_dict(config)}
    (tmp_path / "ours" / "config.json").write_text(json.dumps(described))
    export(tmp_path / "ours", tmp_path / "back")
    assert read_config(tmp_path / "back") == config


def test_the_configuration_says_the_type(converted, tmp_path) -> None:
    export(converted, tmp_path / "back", dtype="float32")
    values = json.loads((tmp_path / "back" / "config.json").read_text())
    assert values["torch_dtype"] == values["language_config"]["torch_dtype"] == "float32"


def test_the_tokenizer_goes_along(tmp_path) -> None:
    values = config_with_small_vocabulary()
    arrays = {name: np.zeros(shape, np.float16) for name, shape in weights.tensor_shapes(values).items()}
    layouts.write_folder(tmp_path / "source", {SHARD_FILE: arrays}, values)
    shutil.copyfile(SMALL_TOKENIZER, tmp_path / "source" / "tokenizer.json")
    convert(tmp_path / "source", tmp_path / "ours")
    assert load_model(tmp_path / "ours").tokenizer.encode("x")
    export(tmp_path / "ours", tmp_path / "back")
    assert (tmp_path / "back" / "tokenizer.json").read_bytes() == SMALL_TOKENIZER.read_bytes()


def config_with_small_vocabulary() -> dict:
    values = json.loads(json.dumps(layouts.TINY))
    for part in (values, values["language_config"]):
        part["vocab_size"] = 2048
    return values | {"image_token_id": 2036}


def test_what_the_layout_cannot_express_is_not_exported(tmp_path) -> None:
    zeros = jax.tree.map(lambda leaf: jnp.zeros(leaf.shape, jnp.bfloat16), abstract_model(preset("nano"))[1])
    save_model(tmp_path / "ours", preset("nano"), zeros)
    with pytest.raises(UserError, match=r"sam\.window"):
        export(tmp_path / "ours", tmp_path / "back")
    assert not (tmp_path / "back").exists()


@pytest.mark.parametrize("direction", [convert, export])
def test_nothing_is_overwritten(source, tmp_path, direction) -> None:
    (tmp_path / "target").mkdir()
    (tmp_path / "target" / "mine.txt").write_text("mine")
    with pytest.raises(UserError, match="nothing is overwritten"):
        direction(source, tmp_path / "target")
    with pytest.raises(UserError, match="nothing is overwritten"):
        direction(source, tmp_path / "target" / "mine.txt")
    assert (tmp_path / "target" / "mine.txt").read_text() == "mine"


@pytest.mark.parametrize("direction", [convert, export])
def test_an_empty_folder_is_filled(source, tmp_path, direction) -> None:
    (tmp_path / "target").mkdir()
    direction(source, tmp_path / "target")
    assert read_config(tmp_path / "target") == preset("test")
    assert [path.name for path in tmp_path.iterdir()] == ["target"]


def test_only_a_released_folder_is_converted(converted, tmp_path) -> None:
    with pytest.raises(UserError, match="is a model of ours already"):
        convert(converted, tmp_path / "again")


def test_a_refused_folder_leaves_nothing(source, tmp_path) -> None:
    shutil.copytree(source, tmp_path / "source")
    (tmp_path / "source" / SHARD_FILE).write_bytes(b"")
    with pytest.raises(UserError, match="truncated"):
        convert(tmp_path / "source", tmp_path / "target")
    assert [path.name for path in tmp_path.iterdir()] == ["source"]


@pytest.mark.parametrize("direction", [convert, export])
def test_a_disk_without_room_is_refused_first(source, tmp_path, monkeypatch, direction) -> None:
    usage = namedtuple("usage", "free")(1_000_000)
    monkeypatch.setattr(folders.shutil, "disk_usage", lambda _: usage)
    with pytest.raises(UserError, match=r"the disk has 0\.00 GB left"):
        direction(source, tmp_path / "target")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("failure", [OSError(errno.ENOSPC, "No space left on device"), KeyboardInterrupt()])
@pytest.mark.parametrize("direction", [convert, export])
def test_a_failure_while_writing_leaves_nothing(source, tmp_path, monkeypatch, direction, failure) -> None:
    def fail(*_) -> None:
        raise failure

    monkeypatch.setattr("dsocr_jax.weights.checkpoint.write_params", fail)
    monkeypatch.setattr(conversion, "write_shard", fail)
    with pytest.raises((UserError, KeyboardInterrupt)) as error:
        direction(source, tmp_path / "target")
    assert isinstance(failure, KeyboardInterrupt) or "No space left on device" in str(error.value)
    assert not list(tmp_path.iterdir())


def test_a_model_is_replaced_only_by_a_complete_one(converted, tmp_path, monkeypatch) -> None:
    shutil.copytree(converted, tmp_path / "model")
    loaded = load_model(converted)
    monkeypatch.setattr("dsocr_jax.weights.checkpoint.write_params", lambda *_: (_ for _ in ()).throw(OSError("full")))
    with pytest.raises(UserError, match="what was there is intact"):
        save_model(tmp_path / "model", loaded.config, nnx.state(loaded.model, nnx.Param), None)
    assert [path.name for path in tmp_path.iterdir()] == ["model"]
    load_model(tmp_path / "model")


def test_the_commands(source, tmp_path) -> None:
    for words in (
        ["convert", source, tmp_path / "ours", "--check-finite"],
        ["export", tmp_path / "ours", tmp_path / "back"],
    ):
        cli.app.cli(prog="dsocr", args=[str(word) for word in words])
    assert stored(tmp_path / "back").keys() == TENSORS.keys()
