"""Shards and index: every way in which they can be wrong is found, and named."""

import json
import struct

import numpy as np
import pytest
import safetensors.numpy
from hypothesis import given
from hypothesis import strategies as st

from dsocr_jax.weights.safetensors_files import (
    INDEX_FILE,
    MAX_HEADER_BYTES,
    SHARD_FILE,
    read_folder,
    read_header,
    write_shard,
)
from dsocr_jax.weights.strict_json import parse_json, read_json
from tests.dsocr_jax.weights import layouts

A, B = np.arange(6, dtype=np.float32).reshape(2, 3), np.ones(4, np.float16)
GOOD = {"a": layouts.entry(A, 0), "b": layouts.entry(B, A.nbytes)}
DATA = A.tobytes() + B.tobytes()


def altered(name: str, **values: object) -> dict[str, object]:
    return {**GOOD, name: {**GOOD[name], **values}}


def test_what_the_usual_library_writes_is_read(tmp_path) -> None:
    file = tmp_path / "x.safetensors"
    safetensors.numpy.save_file({"a": A, "b": B}, file, metadata={"format": "pt"})
    tensors, _ = read_header(file)
    np.testing.assert_array_equal(tensors["a"].open(), A)
    np.testing.assert_array_equal(tensors["b"].open(), B)


def test_what_we_write_the_usual_library_reads(tmp_path) -> None:
    arrays = {name: array.astype(np.float32) for name, array in (("b", B), ("a", A))}
    write_shard(tmp_path, {name: array.shape for name, array in arrays.items()}, "F32", arrays.items())
    read = safetensors.numpy.load_file(tmp_path / SHARD_FILE)
    assert sorted(read) == ["a", "b"]
    np.testing.assert_array_equal(read["a"], A)
    assert all(tensor.start % 8 == 0 for tensor in read_header(tmp_path / SHARD_FILE)[0].values())
    index = json.loads((tmp_path / INDEX_FILE).read_text())
    assert index == {"metadata": {"total_size": 40}, "weight_map": {"a": SHARD_FILE, "b": SHARD_FILE}}


HEADERS = {
    "not json": (b"{'a'", "damaged header"),
    "not text": (b"\xff\xfe", "damaged header"),
    "a list": ([], "no object"),
    "nested": (b"[" * 100_000, "nested too deeply"),
    "twice": (b'{"a": 1, "a": 2}', "'a' twice"),
    "nan": (b'{"a": NaN}', "NaN"),
    "no entry": ({**GOOD, "b": 7}, "b: its entry"),
    "more in the entry": (altered("b", more=1), "b: its entry"),
    "unknown type": (altered("b", dtype="F7"), "b: type 'F7'"),
    "type is a list": (altered("b", dtype=["F16"]), "b: type"),
    "negative size": (altered("b", shape=[-4]), "b: its shape"),
    "size is true": (altered("b", shape=[True]), "b: its shape"),
    "size is real": (altered("b", shape=[4.0]), "b: its shape"),
    "huge size": (altered("b", shape=[1 << 60]), "b: its shape"),
    "too many axes": (altered("b", shape=[1] * 8 + [4]), "b: its shape"),
    "one offset": (altered("b", data_offsets=[24]), "b: its data_offsets"),
    "offsets of another length": (altered("b", data_offsets=[24, 30]), "b: its data_offsets span 6 bytes"),
    "overlap": (altered("b", data_offsets=[20, 28]), "b overlaps"),
    "gap": (altered("b", data_offsets=[26, 34]), "b leaves a gap"),
    "beyond the end": ({**GOOD, "c": layouts.entry(B, 32)}, "truncated: 8 bytes are missing"),
    "data of no tensor": ({"a": GOOD["a"]}, "8 bytes at the end belong to no tensor"),
}


@pytest.mark.parametrize("case", HEADERS)
def test_a_damaged_header_is_refused(tmp_path, case: str) -> None:
    header, message = HEADERS[case]
    layouts.write_raw(tmp_path / "x.safetensors", header, DATA)
    (problem,) = read_folder(tmp_path).problems
    assert problem.startswith("x.safetensors: ") and message in problem


def test_all_faults_of_a_header_are_named(tmp_path) -> None:
    layouts.write_raw(tmp_path / "x.safetensors", {"a": 1, "b": {**GOOD["b"], "shape": [5]}}, DATA)
    (problem,) = read_folder(tmp_path).problems
    assert "a: " in problem and "b: " in problem


def test_one_tensor_inside_another_is_one_fault(tmp_path) -> None:
    header = {"a": layouts.entry(A, 0), "inside": layouts.entry(B, 8), "b": layouts.entry(B, A.nbytes)}
    layouts.write_raw(tmp_path / "x.safetensors", header, DATA)
    assert read_folder(tmp_path).problems == ["x.safetensors: damaged header: inside overlaps the tensor before it"]


@pytest.mark.parametrize("length", [0, 5, 8, 30, -1])
def test_a_truncated_shard_is_refused(tmp_path, length: int) -> None:
    file = tmp_path / "x.safetensors"
    layouts.write_raw(file, GOOD, DATA)
    file.write_bytes(file.read_bytes()[:length])
    (problem,) = read_folder(tmp_path).problems
    assert problem.startswith("x.safetensors: ") and "truncated" in problem


def test_a_header_beyond_the_limit_is_refused_unread(tmp_path) -> None:
    file = tmp_path / "x.safetensors"
    with file.open("wb") as stream:
        stream.write(struct.pack("<Q", MAX_HEADER_BYTES + 1))
        stream.truncate(MAX_HEADER_BYTES + 100)  # a hole: takes no disk
    (problem,) = read_folder(tmp_path).problems
    assert "header" in problem and str(MAX_HEADER_BYTES) in problem


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(tmp_path_factory, data: bytes) -> None:
    file = tmp_path_factory.mktemp("any") / "x.safetensors"
    file.write_bytes(data)
    contents = read_folder(file.parent)
    assert len(contents.problems) == 1 or not contents.tensors


ONE, TWO = "one.safetensors", "two.safetensors"


@pytest.fixture
def pair(tmp_path):
    return layouts.write_folder(tmp_path, {ONE: {"a": A}, TWO: {"b": B}})


def test_several_shards_are_one_set_of_tensors(pair) -> None:
    contents = read_folder(pair)
    assert not contents.problems
    assert {name: tensor.file.name for name, tensor in contents.tensors.items()} == {"a": ONE, "b": TWO}


NO_SHARDS = [
    "../x.safetensors",
    "/x.safetensors",
    "d/x.safetensors",
    "d\\x.safetensors",
    "..",
    "",
    ".safetensors",
    "x.bin",
]


@pytest.mark.parametrize("shard", [*NO_SHARDS, 3, None, ["x.safetensors"]])
def test_a_shard_outside_the_folder_is_refused(pair, shard: object) -> None:
    layouts.write_shard(pair.parent / "x.safetensors", {"a": A})
    layouts.write_index(pair, {"a": shard})
    contents = read_folder(pair)
    assert not contents.tensors
    assert contents.problems == [f"{INDEX_FILE}: names a shard that is no plain file name: {shard!r}"]


MAPS = {
    "absent shard": ({"a": ONE, "b": TWO, "c": "three.safetensors"}, "three.safetensors: is listed"),
    "other shard": ({"a": ONE, "b": ONE, "c": TWO}, f"b is in {TWO}, the index places it in {ONE}"),
    "not listed": ({"a": ONE, "c": TWO}, f"b is in {TWO}, the index does not list it"),
    "not there": ({"a": ONE, "b": TWO, "c": TWO}, f"c is not in {TWO}"),
}


@pytest.mark.parametrize("case", MAPS)
def test_an_index_that_disagrees_is_refused(pair, case: str) -> None:
    weight_map, message = MAPS[case]
    layouts.write_index(pair, weight_map)
    assert any(problem.startswith(message) for problem in read_folder(pair).problems)


def test_a_tensor_in_two_shards_is_refused(pair) -> None:
    layouts.write_shard(pair / TWO, {"a": A, "b": B})
    assert f"a is in {ONE} and again in {TWO}" in read_folder(pair).problems


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"weight_map": {}}', '{"weight_map": [1]}', '{"weight_map": 1} x'])
def test_a_broken_index_is_refused(pair, text: str) -> None:
    (pair / INDEX_FILE).write_text(text)
    (problem,) = read_folder(pair).problems
    assert problem.startswith(INDEX_FILE)


def test_shards_without_their_index_are_refused(pair) -> None:
    (pair / INDEX_FILE).unlink()
    assert read_folder(pair).problems == [f"2 shards and no {INDEX_FILE}; copy it too"]


def test_what_a_lost_shard_held_is_not_missing_as_well(pair) -> None:
    (pair / TWO).unlink()
    contents = read_folder(pair)
    assert len(contents.problems) == 1
    assert not contents.lacks("b") and contents.lacks("c")


def test_pickles_are_refused_by_name(tmp_path) -> None:
    (tmp_path / "pytorch_model.bin").write_bytes(b"\x80\x02.")
    (problem,) = read_folder(tmp_path).problems
    assert problem.startswith("pytorch_model.bin is a pickle")


def test_an_empty_folder_is_refused(tmp_path) -> None:
    assert read_folder(tmp_path).problems == ["no safetensors files"]


def test_json_beyond_its_limit_is_refused(tmp_path) -> None:
    (tmp_path / "x.json").write_text("[1, 2]")
    assert read_json(tmp_path / "x.json", 6) == [1, 2]
    with pytest.raises(ValueError, match="larger than 5"):
        read_json(tmp_path / "x.json", 5)


@given(st.recursive(st.integers() | st.text() | st.none(), lambda x: st.lists(x) | st.dictionaries(st.text(), x)))
def test_json_is_read_as_usual(value: object) -> None:
    assert parse_json(json.dumps(value).encode()) == value
