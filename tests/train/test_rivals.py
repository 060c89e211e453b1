"""Runs with a rival of the encoder: the same rows but for what the encoder is given, on any mesh; and refusals."""

import dataclasses
import json
from collections.abc import Iterator
from pathlib import Path

import jax
import numpy as np
import pytest
from PIL import Image

from dsocr_jax.config import RIVALS, RivalConfig
from dsocr_jax.errors import UserError
from dsocr_jax.model.backends import Backends
from dsocr_jax.tokenizer import Tokenizer
from dsocr_jax.weights.checkpoint import load_model, read_config
from dsocr_jax.weights.params import abstract_model, flatten
from tests.train import tiny
from train import loop
from train.checks import check
from train.config import MeshConfig, TrainConfig
from train.data import BatchSource, Fed, Feed, open_sets, rooms
from train.data.examples import TOO_LONG
from train.dry_run import dry_run
from train.estimate import Load, encoder_activations
from train.flops import Work, products, step_flops
from train.pipeline import check_pipeline
from train.setup import Setup, prepare
from train.sharding import abstract_mesh, make_mesh, partition
from train.step import TrainState, put_batch

FREE = "<image>\nFree OCR."
#: A window of four tokens and 128 pixels a page: 16 tokens at most.
MODEL = dataclasses.replace(tiny.MODEL, rival=RivalConfig(window=4))
WORDS = ("bad cafe", "a", "deaf", "be a bee", "faded cabbage", "dab", "ace", "fee")


@pytest.fixture(scope="module", autouse=True)
def few_looked_at() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rooms, "FIRST", 16)
        yield


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("rivals")
    tiny.write_tokenizer(folder)
    Image.new("RGB", (100, 80)).save(folder / "page.png")
    write(folder / "pages.jsonl", *WORDS)
    return folder


def write(file: Path, *texts: str, prompt: str = FREE, picture: str = "page.png") -> Path:
    turns = [[{"role": "user", "text": prompt}, {"role": "assistant", "text": text}] for text in texts]
    file.write_text("".join(json.dumps({"images": [picture], "turns": one}) + "\n" for one in turns))
    return file


def config_of(folder: Path, rival: str | None, **changes: object) -> TrainConfig:
    base = {"model": MODEL if rival else tiny.MODEL, "rival": rival, "data": (str(folder / "pages.jsonl"),)}
    return tiny.tiny_config(
        folder, **{**base, "modes": ("small",), "length": 48, "pictures_per_row": 2, "freeze": (), **changes}
    )


def feed(config: TrainConfig, count: int = 3) -> list[Fed]:
    source = BatchSource(config, open_sets(config), Tokenizer.load(config.tokenizer))
    with Feed(source, config.workers) as made:
        return [next(made) for _ in range(count)]


@pytest.fixture(scope="module")
def optical(pages: Path) -> list[Fed]:
    return feed(config_of(pages, None))


@pytest.mark.parametrize("kind", RIVALS)
def test_rows_are_those_of_the_model_that_reads_to_the_bit(pages, optical, kind):
    for rival, reading in zip(feed(config_of(pages, kind)), optical, strict=True):
        for name in ("tokens", "labels", "segments", "positions", "vision_index", "kinds"):
            np.testing.assert_array_equal(getattr(rival.batch, name), getattr(reading.batch, name), err_msg=name)
        assert rival.samples == reading.samples
        one, other = ({size: x.shape[:2] for size, x in fed.batch.views.items()} for fed in (rival, reading))
        assert one == other


def test_workers_make_the_same_windows(pages):
    here, there = (feed(config_of(pages, "mean", workers=workers), 2) for workers in (0, 1))
    for one, other in zip(here, there, strict=True):
        np.testing.assert_array_equal(one.batch.views[128], other.batch.views[128])


def run(setup: Setup, steps: int = 2) -> tuple[dict[str, np.ndarray], list[dict[str, np.ndarray]]]:
    moments = jax.tree.map(lambda leaf: np.zeros(leaf.shape, leaf.dtype), setup.abstract.opt_state)
    state = TrainState(tiny.random_params(setup.abstract.params), moments, np.zeros((), np.int32))
    state, lines = jax.device_put(state, setup.shardings), []
    for batch in tiny.batches(setup.source, steps):
        state, metrics = setup.step(state, put_batch(batch, setup.mesh))
        lines.append(jax.device_get(metrics))
    return jax.device_get(state.params), lines


def test_eight_devices_compute_what_one_computes(pages):
    one = run(prepare(config_of(pages, "convolved", mesh=MeshConfig(data=1)), jax.devices()[:1]))
    mesh = MeshConfig(data=2, fsdp=2, tensor=2)
    many = run(prepare(config_of(pages, "convolved", mesh=mesh)))
    for line, right in zip(many[1], one[1], strict=True):
        for name, value in right.items():
            np.testing.assert_allclose(line[name], value, rtol=3e-5, err_msg=name)
    assert one[1][0]["norm/convolutions"] > 0
    near = [np.ravel(np.abs(many[0][name] - x) < 1e-4) for name, x in one[0].items()]
    assert np.concatenate(near).mean() > 0.999


@pytest.fixture(scope="module")
def trained(pages: Path) -> TrainConfig:
    """A run of four steps, stopped after three and begun again, with an evaluation at its end."""
    original = tiny.sample
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tiny, "sample", lambda *words: dataclasses.replace(original(*words), prompt=FREE))
        held_out = tiny.write_set(pages / "held out", {"pages": 3}, "test", {"pages": [1]})
        patch.setattr(loop, "prepare", lambda config: prepare(config, jax.devices()[:1]))
        config = config_of(
            pages, "mean", out=pages / "run", steps=3, mesh=MeshConfig(), evaluate_every=4, evaluate_on=held_out
        )
        assert loop.train(dataclasses.replace(config, evaluate_every=None, evaluate_on=None)) == 0
        config = dataclasses.replace(config, steps=4)
        assert loop.train(config) == 0
    return config


def test_the_rival_is_stored_with_the_model(trained):
    assert read_config(trained.out).rival == RivalConfig("mean", 4)
    loaded = load_model(trained.out)
    assert not any("sam" in name for name in flatten(abstract_model(loaded.config)[1]))


def test_evaluations_give_the_text_and_leave_out_what_is_too_long(trained):
    line = json.loads((trained.out / "evaluations" / "evaluations.jsonl").read_text())
    assert np.isfinite(line["loss"]["small"])
    page = (trained.out / "evaluations" / "step-000004.html").read_text()
    assert "Too long for a row in mode small: 1 of 3 samples." in page
    assert page.count("cannot read a picture") == 0
    assert page.count("a text of 300 tokens") == 1  # the one that is too long has no answer


def test_a_run_does_not_go_on_as_another(trained):
    with pytest.raises(UserError, match="rival: mean"):
        loop.train(dataclasses.replace(trained, rival="truncated", steps=9))


def test_another_prompt_than_that_for_text_is_refused_at_once(pages):
    data = write(pages / "figures.jsonl", "CCO", prompt="<image>\nParse the figure.")
    with pytest.raises(UserError, match=r"--rival: .*figures.jsonl line 1: answer that is not a page's plain text"):
        feed(config_of(pages, "mean", data=(str(data),)))


def test_longer_texts_than_the_windows_hold_are_counted(pages):
    data = write(pages / "long.jsonl", *WORDS, "decade decade decade")
    fed = feed(config_of(pages, "mean", data=(str(data),), max_bad=1.0), 1)[0]
    assert fed.bad[TOO_LONG] > 0
    assert feed(config_of(pages, "truncated", data=(str(data),)), 1)[0].bad.total() == 0


def test_pictures_are_not_opened(pages):
    data = write(pages / "blind.jsonl", *WORDS, picture="missing.png")
    assert feed(config_of(pages, "mean", data=(str(data),)), 1)[0].bad.total() == 0


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"modes": ("gundam",), "model": "nano", "length": 256}, "mode gundam cuts pictures into tiles"),
        ({"degradation": "scan"}, "--degradation scan has no effect with --rival"),
    ],
)
def test_what_does_not_go_together_is_refused(pages, changes, message):
    with pytest.raises(UserError, match=message):
        check(config_of(pages, "mean", **changes))


def test_a_pipeline_is_refused(pages):
    config = config_of(pages, "mean", accumulate=8)
    with pytest.raises(UserError, match=r"--mesh.stage does not go with --rival"):
        check_pipeline(config, abstract_mesh(MeshConfig(stage=2), 2))


def test_the_option_keeps_the_windows_of_the_file(pages):
    assert config_of(pages, "convolved").model_config.rival == RivalConfig("convolved", 4)
    assert config_of(pages, "mean", model="nano").model_config.rival == RivalConfig("mean")
    assert config_of(pages, None).model_config.rival is None


def test_a_dry_run_lists_the_convolutions(pages, capsys):
    assert dry_run(config_of(pages, "convolved", mesh=MeshConfig(data=-1))) == 0
    said = capsys.readouterr().out
    assert "encoder/convolutions/1/conv/kernel" in said
    assert "encoder/sam" not in said
    # Two levels of four positions and one product behind them, and two scales, at a width of 32.
    assert f"{2 * (5 * 32 * 32 + 32):,}" in said


def test_large_convolutions_are_split():
    mesh = make_mesh(MeshConfig(data=1, fsdp=8))
    assert partition("encoder/convolutions/3/conv/kernel", (4, 1280, 1280), mesh) == jax.P(None, None, "fsdp")
    assert partition("encoder/convolutions/3/out/kernel", (1280, 1280), mesh)[1] == "fsdp"


def test_work_of_the_convolutions_by_hand():
    work = Work(tokens=0, pairs=0, labelled=0, views={128: 3})
    model = config_of(Path(), "convolved").model_config
    found = [product for product in products(model, work) if product.part == "projector"]
    # Three pages of four vectors with windows of four: 24 pairs, then 12, each a kernel of four positions and a matrix.
    assert [product.vectors * product.size for product in found] == [
        24 * 4 * 32 * 32, 24 * 32 * 32, 12 * 4 * 32 * 32, 12 * 32 * 32
    ]  # fmt: skip
    # The embeddings before them are trained: forward, and two products backward.
    flops = step_flops(config_of(Path(), "convolved"), work)
    assert flops["projector"] == 3 * 2 * sum(product.vectors * product.size for product in found)
    assert step_flops(config_of(Path(), "mean"), work)["projector"] == 0


@pytest.mark.parametrize(("kind", "arrays"), [("mean", 2), ("truncated", 2), ("convolved", 8)])
def test_memory_of_windows(kind, arrays):
    width = 1 if kind == "truncated" else 4
    found = encoder_activations(config_of(Path(), kind), Load(0, 0, {128: 3}), Backends(), 2)
    assert found == 3 * 4 * width * 32 * 2 * arrays
