"""The tool itself: what is right is met, what is wrong is noticed in every stage, what is unknown is said."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jax
import numpy as np
import pytest

from dsocr_jax.errors import UserError
from dsocr_jax.parity import source, synthetic
from dsocr_jax.parity.check import Report, check
from dsocr_jax.parity.fixture import read_fixture, write_fixture
from dsocr_jax.parity.folder import open_folder
from dsocr_jax.parity.results import Limits, Verdict
from dsocr_jax.parity.settings import Check, run, without_autotuning
from dsocr_jax.weights.released import released_shapes
from dsocr_jax.weights.released_config import config_to_released
from dsocr_jax.weights.safetensors_files import write_shard
from tests.dsocr_jax.parity import made

MODEL = "small/made"


@pytest.fixture(scope="module", autouse=True)
def quick_compilation() -> Iterator[None]:
    """Compiling is most of the work here, and what is compiled runs once."""
    jax.config.update("jax_disable_most_optimizations", True)
    yield
    jax.config.update("jax_disable_most_optimizations", False)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("parity") / "fixtures"
    made.write_all(root)
    return root


def whole_arrays(root: Path, name: str) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Meta and arrays of a fixture; those of which a sample is stored become arrays of the sample alone."""
    fixture = read_fixture(root, name)
    return fixture.meta, {key: entry.sample for key, entry in fixture.entries.items()}


@pytest.fixture(scope="module")
def clean(folder: Path) -> Report:
    return check(folder)


def spoil(file: Path) -> None:
    """Change the last stored value of every array but the inputs, and every number of the meta part."""
    described = json.loads(file.read_text())
    arrays = dict(np.load(file.with_suffix(".npz")))
    for name, array in arrays.items():
        if name not in ("input_ids", "labels"):
            flat = array.reshape(-1)
            flat[-1] += 1 if array.dtype.kind != "f" else max(np.abs(array).max(), 1e-6) * 1e-3
    meta = described["meta"]
    meta |= {"loss": meta["loss"] * 1.001, "aux": [value * 1.001 for value in meta["aux"]]}
    meta["grad_norm"] = {name: norm * 1.001 for name, norm in meta["grad_norm"].items() if norm}
    file.write_text(json.dumps(described))
    np.savez(file.with_suffix(".npz"), **arrays)


@pytest.fixture(scope="module")
def spoilt(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Verdict]:
    copy = tmp_path_factory.mktemp("spoilt") / "fixtures"
    shutil.copytree(folder, copy)
    spoil(copy / f"{MODEL}.json")
    return {found.name: found.verdict for found in check(copy, only=MODEL).checks}


def test_an_untouched_folder_is_met(clean: Report) -> None:
    assert clean.missed() == []


def test_every_stage_is_compared(clean: Report) -> None:
    assert {found.stage for found in clean.checks} == {
        *("inputs", "SAM", "CLIP", "projector", "sequence", "taps", "router 1", "logits", "argmax", "greedy"),
        *("greedy, n-gram rule", "loss", "router loss", "gradients", "operations", "preprocessing", "repetition"),
    }


@pytest.mark.parametrize(
    "name",
    [
        *("sam_global", "sam_local", "clip_global", "clip_local", "proj_global", "proj_local", "sequence"),
        *("tap_sam_patch", "tap_sam_block0", "tap_sam_block1", "tap_sam_neck", "tap_sam_net2"),
        *("tap_clip_embed", "tap_clip_preln", "tap_clip_layer0", "tap_dec_layer0", "tap_dec_layer1", "tap_dec_norm"),
        *("router1_experts", "router1_weights", "router1_margin", "logits", "argmax"),
        *("greedy_ids", "greedy_ngram2_ids", "grad:lm_head.weight", "grad:model.sam_model.pos_embed"),
        *("meta.loss", "meta.loss (compiled as one)", "meta.aux[0]", "sum of meta.aux"),
        *("meta.grad_norm[model.norm.weight]", "meta.grad_norm[model.layers.1.mlp.experts.3.up_proj.weight]"),
    ],
)
def test_a_planted_fault_is_noticed(spoilt: dict[str, Verdict], name: str) -> None:
    assert spoilt[name] == Verdict.MISS


def test_a_fault_of_one_array_is_only_there(folder: Path, tmp_path: Path) -> None:
    shutil.copytree(folder, tmp_path / "copy")
    meta, arrays = whole_arrays(folder, "single")
    arrays["sam_gelu"] = arrays["sam_gelu"] * np.float32(1 + 1e-4)
    write_fixture(tmp_path / "copy", "single", meta, arrays)
    report = check(tmp_path / "copy", only="[!s]*")
    assert report.missed() == []
    assert [found.name for found in check(tmp_path / "copy", only="single").missed()] == ["sam_gelu"]


def test_a_changed_pixel_is_noticed(folder: Path, tmp_path: Path) -> None:
    meta, _ = whole_arrays(folder, "views")
    meta["cases"][0]["modes"]["gundam"]["global_uint8_sha256"] = "0" * 32
    write_fixture(tmp_path, "views", meta, {})
    assert [found.name for found in check(tmp_path).missed()] == ["200x90/gundam global_uint8_sha256"]


@pytest.mark.parametrize(("part", "value"), [("grid_w_h", [2, 1]), ("image_tokens", 8), ("valid_tokens", 99)])
def test_a_wrong_count_is_noticed(folder: Path, tmp_path: Path, part: str, value: Any) -> None:
    meta, _ = whole_arrays(folder, "views")
    meta["cases"][0]["modes"]["gundam"][part] = value
    write_fixture(tmp_path, "views", meta, {})
    assert [found.name for found in check(tmp_path).missed()] == [f"200x90/gundam {part}"]


def test_a_wrong_ban_is_noticed(folder: Path, tmp_path: Path) -> None:
    rules = json.loads((folder / "rules.json").read_text())
    rules["cases"][0]["whole"]["2"] = [5]
    (tmp_path / "rules.json").write_text(json.dumps(rules))
    assert [found.name for found in check(tmp_path).missed()] == ["n 2, whole sequence"]


def test_what_has_no_known_name_is_said(folder: Path, tmp_path: Path) -> None:
    meta, arrays = whole_arrays(folder, "single")
    write_fixture(tmp_path, "single", meta, {**arrays, "colour": np.ones(3, np.float32)})
    report = check(tmp_path)
    assert [(found.name, found.verdict) for found in report.missed()] == [("colour", Verdict.UNKNOWN)]
    assert report.missed(allow_unknown=True) == []


def test_files_that_are_no_fixtures_are_said(folder: Path, tmp_path: Path) -> None:
    shutil.copy(folder / "rules.json", tmp_path)
    (tmp_path / "notes.json").write_text('{"a": 1}')
    np.savez(tmp_path / "alone.npz", a=np.ones(1))
    assert sorted(found.name for found in check(tmp_path).missed()) == ["alone.npz", "notes.json"]
    assert [found.name for found in check(tmp_path, only="notes").missed()] == ["notes.json"]


def test_the_spread_is_not_left_out_in_silence(folder: Path, tmp_path: Path) -> None:
    shutil.copy(folder / "rules.json", tmp_path)
    (tmp_path / "bfloat16.json").write_text("{}")
    notes = [found.note for found in check(tmp_path).checks if found.verdict == Verdict.NOT_RUN]
    assert notes == ["for --dtype bfloat16"]


def test_prompt_ids_without_a_tokenizer_are_not_run(folder: Path, tmp_path: Path) -> None:
    meta, _ = whole_arrays(folder, "views")
    write_fixture(tmp_path, "views", {**meta, "prompts": {"<image>\nhello": [1, 2]}}, {})
    report = check(tmp_path)
    assert [found.verdict for found in report.checks if "hello" in found.name] == [Verdict.NOT_RUN]


def test_a_large_model_is_compared_part_by_part(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source, "KEPT", 0)
    report = check(folder, only=MODEL)
    assert report.missed() == []
    by_name = {found.name: found for found in report.checks}
    assert by_name["logits"].limit == Limits().full
    assert by_name["greedy_ngram2_ids"].verdict == Verdict.MET
    assert by_name["grad:lm_head.weight"].verdict == Verdict.NOT_RUN


@pytest.mark.parametrize(("seed", "met"), [(made.SEED, True), ("yet another", False)])
def test_a_folder_of_weights_takes_the_place_of_the_seed(folder: Path, tmp_path: Path, seed: str, met: bool) -> None:
    shapes = released_shapes(made.CONFIG)
    (tmp_path / "config.json").write_text(json.dumps(config_to_released(made.CONFIG)))
    write_shard(
        tmp_path, shapes, "BF16", ((name, synthetic.tensor(name, shape, seed)) for name, shape in shapes.items())
    )
    report = check(folder, tmp_path, only=MODEL)
    assert (report.missed() == []) == met


def test_a_fixture_without_a_seed_asks_for_weights(folder: Path, tmp_path: Path) -> None:
    shutil.copytree(folder / "small", tmp_path / "small")
    file = tmp_path / f"{MODEL}.json"
    described = json.loads(file.read_text())
    del described["meta"]["seed"]
    file.write_text(json.dumps(described))
    assert {found.note for found in check(tmp_path).missed()} == {
        "small/made: made from a model's own weights; name that model by --weights"
    }


@pytest.mark.parametrize(("spread", "met"), [(0.05, True), (1e-6, False), (100.0, False)])
def test_bfloat16_is_held_against_the_originals_spread(folder: Path, tmp_path: Path, spread: float, met: bool) -> None:
    """Farther is a miss, and so is so near that it cannot have been bfloat16."""
    shutil.copytree(folder / "small", tmp_path / "small")
    parts = {name: {"relative_norm": spread} for name in ("sam", "clip", "proj", "logits_made")}
    parts["logits_made"]["argmax_agree"] = 0.5
    (tmp_path / "small" / "bfloat16.json").write_text(json.dumps({"differences": parts}))
    report = check(tmp_path, dtype="bfloat16")
    wrong = {found.stage for found in report.missed()}
    assert wrong == (set() if met else {"SAM", "CLIP", "projector", "logits"})
    assert all(found.error is None or found.error > 0 or found.stage == "argmax" for found in report.checks)


def test_the_commands_status_and_report(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    document = tmp_path / "parity.md"
    document.write_text("before\n<!-- parity: fixtures -->\nold\n<!-- /parity: fixtures -->\nafter\n")
    assert run(Check(folder, out=tmp_path / "out", update=document, only="single")) == 0
    assert "operations" in capsys.readouterr().out
    report = json.loads((tmp_path / "out" / "parity.json").read_text())
    assert [found["verdict"] for found in report["checks"]] == ["met"]
    text = document.read_text()
    assert text.startswith("before\n") and text.endswith("after\n") and "old" not in text and "| operations |" in text


def test_a_miss_is_status_1_and_named(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.copy(folder / "single.json", tmp_path)
    _, arrays = whole_arrays(folder, "single")
    arrays["sam_gelu"][0, 0] = np.nan
    np.savez(tmp_path / "single.npz", **arrays)
    assert run(Check(tmp_path, out=tmp_path / "out")) == 1
    assert "single: sam_gelu" in capsys.readouterr().out
    assert json.loads((tmp_path / "out" / "parity.json").read_text())["checks"][0]["error"] == "infinite"


def test_a_document_without_the_place_is_refused(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "doc.md").write_text("text\n")
    with pytest.raises(UserError, match="parity: fixtures"):
        run(Check(folder, update=tmp_path / "doc.md", only="rules"))


def test_other_limits_judge_otherwise(folder: Path, tmp_path: Path) -> None:
    meta, arrays = whole_arrays(folder, "single")
    write_fixture(tmp_path, "single", meta, {"sam_gelu": arrays["sam_gelu"] * np.float32(1 + 1e-4)})
    assert check(tmp_path).missed() != []
    assert check(tmp_path, limits=Limits(operations=1e-3)).missed() == []


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({}, "holds no fixtures"),
        ({"a.json": b"{"}, "not readable"),
        ({"a.json": b'{"meta": {}, "arrays": {"x": {}}}'}, "a.npz: not readable"),
        ({"a.json": b'{"meta": {}, "arrays": {}}', "a.npz": b"PK nonsense"}, "a.npz: not readable"),
        ({"a.json": b'{"meta": 3, "arrays": {}}', "a.npz": b"PK"}, "not a fixture"),
    ],
)
def test_folders_that_cannot_be_read(tmp_path: Path, files: dict[str, bytes], message: str) -> None:
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    with pytest.raises(UserError, match=message):
        check(tmp_path)


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no such folder"):
        check(tmp_path / "absent")


def test_a_pattern_that_matches_nothing_lists_the_names(folder: Path) -> None:
    with pytest.raises(UserError, match="rules, single, small/made, views"):
        open_folder(folder, "colour/*")


def test_fixtures_can_be_left_out(folder: Path) -> None:
    assert [fixture.name for _, fixture in open_folder(folder, skip="s*").fixtures] == ["rules", "views"]
    with pytest.raises(UserError, match=r"matches 'single' and not 's\*'"):
        open_folder(folder, "single", "s*")


def test_gpu_kernels_are_not_tuned_unless_asked_for(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XLA_FLAGS", "--xla_dump_to=/tmp/x")
    assert run(Check(folder, only="rules")) == 0
    assert os.environ["XLA_FLAGS"] == "--xla_dump_to=/tmp/x --xla_gpu_autotune_level=0"
    assert without_autotuning("") == "--xla_gpu_autotune_level=0"
    assert without_autotuning("--xla_gpu_autotune_level=4") == "--xla_gpu_autotune_level=4"


def test_this_jaxlib_knows_the_flag() -> None:
    """A flag that it does not know would end the process; those for GPUs must be known without one too."""
    code = "import jax, jax.numpy as jnp; print(int(jax.jit(lambda x: x + 1)(jnp.ones(()))))"
    environment = {**os.environ, "XLA_FLAGS": without_autotuning(""), "JAX_PLATFORMS": "cpu"}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.strip()) == (0, "2"), done.stderr[-500:]


def test_another_size_is_read_from_the_nearest_configuration(folder: Path, tmp_path: Path) -> None:
    shutil.copytree(folder / "small", tmp_path / "deep" / "er")
    (tmp_path / "deep" / "er" / "config.json").rename(tmp_path / "deep" / "config.json")
    opened = open_folder(tmp_path)
    fallback = jax.eval_shape(lambda: 0)  # anything that is no configuration
    assert opened.config(opened.fixtures[0][1], fallback).decoder == made.CONFIG.decoder  # type: ignore[arg-type]
