"""Models that are given the text beside one that reads it: one table, said loudly; and what cannot be compared."""

import dataclasses
import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from dsocr_jax.batch import collate, make_example
from dsocr_jax.config import RIVALS, ModelConfig, RivalConfig
from dsocr_jax.errors import UserError
from dsocr_jax.evaluate.command import run
from dsocr_jax.evaluate.options import Charts, Compression
from dsocr_jax.evaluate.result import read
from dsocr_jax.evaluate.rivals import check_equal, is_rival, shown_mode
from dsocr_jax.model.ocr import DeepseekOCR
from dsocr_jax.reading import engine, shapes, vision
from dsocr_jax.reading.asking import Ask, ReadOptions
from dsocr_jax.reading.documents import Failure
from dsocr_jax.reading.generate import generate
from dsocr_jax.reading.reader import Reader
from dsocr_jax.weights.checkpoint import LoadedModel, save_model
from dsocr_jax.weights.params import abstract_model
from tests.dsocr_jax.evaluate.test_command import lines, tokenizer_file
from tests.dsocr_jax.reading.small import CONFIG, model, page, picture, tokenizer

TEXTS = ("a few words on a page", "another one", "short")
MOST = 5


def config(kind: str, window: int = 16) -> ModelConfig:
    return dataclasses.replace(CONFIG, rival=RivalConfig(kind, window))


@cache
def rival(kind: str) -> DeepseekOCR:
    graph, state = abstract_model(config(kind))
    rng = np.random.default_rng(0)
    params = jax.tree.map(lambda leaf: jnp.asarray(rng.normal(scale=0.15, size=leaf.shape), leaf.dtype), state)
    return nnx.merge(graph, params)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Checkpoints by name, pages with truths, and quick compilation while they are used."""
    folder = tmp_path_factory.mktemp("rivals")
    words = tokenizer_file(folder)
    save_model(folder / "optical", CONFIG, nnx.state(model()), words)
    for kind in RIVALS:
        save_model(folder / kind, config(kind), nnx.state(rival(kind)), words)
    for number in range(len(TEXTS)):
        picture(number).save(folder / f"{number}.png")
    lines(folder / "pages.jsonl", *({"image": f"{i}.png", "truth": text} for i, text in enumerate(TEXTS)))
    before = jax.config.values["jax_disable_most_optimizations"]
    jax.config.update("jax_disable_most_optimizations", True)
    with pytest.MonkeyPatch.context() as patch:
        for module in (engine, shapes):
            patch.setattr(module, "GROUPS", (4,))
        patch.setattr(vision, "VIEW_BUCKETS", (4,))
        yield folder
    jax.config.update("jax_disable_most_optimizations", before)


def job(folder: Path, out: Path, **changes: Any) -> Compression:
    base = Compression(
        data=folder / "pages.jsonl", checkpoint=folder / "optical", out=out, bins=(0, 100, 100), samples=0,
        max_new_tokens=MOST, rows=4, threads=2, compile_cache=False, modes=("base",), loops=False,
    )  # fmt: skip
    return dataclasses.replace(base, **changes)


def answers(kind: str) -> list[str]:
    """What the plain loop writes when it is given the texts."""
    mode = CONFIG.modes[1]
    prompts = [make_example(tokenizer(), config(kind), mode, "<image>\nFree OCR.", text) for text in TEXTS]
    found = generate(rival(kind), collate(prompts, config(kind), 64), MOST)
    rows = zip(np.asarray(found.tokens).tolist(), found.lengths.tolist(), found.ended.tolist(), strict=True)
    return [tokenizer().decode(ids[: length - ended]).strip() for ids, length, ended in rows]


def test_one_table_shows_all_and_says_who_was_given_the_text(folder, tmp_path, capsys):
    asked = ("truncated", "convolved")  # to the engine, a mean is a truncated text of several tokens a vector
    assert run(job(folder, tmp_path / "out", rivals=tuple(folder / kind for kind in asked))) == 0
    said = capsys.readouterr()
    assert said.out.count("GIVEN THE TEXT ITSELF") == 1
    assert "GIVEN THE TEXT" in (tmp_path / "out" / "report.html").read_text()
    assert said.err.count("GIVEN THE TEXT of each page itself") == len(asked)
    found = read(tmp_path / "out")
    modes = [group.name["mode"] for group in found.groups if "tokens" not in group.name]
    assert modes == ["base", *(f"base, {kind}" for kind in asked)]
    for kind in asked:
        group = found.group(set="plain", mode=f"base, {kind}")
        assert (group.count, group.metrics["vision_tokens"].value) == (len(TEXTS), 4)
    told = [json.loads(line) for line in (tmp_path / "out" / "answers.jsonl").read_text().splitlines()]
    for kind in asked:
        texts = {line["id"]: line["prediction"] for line in told if line["mode"] == f"base, {kind}"}
        assert [texts[f"{i}.png"] for i in range(len(TEXTS))] == answers(kind)


def test_a_rival_alone_is_asked_once(folder, tmp_path, capsys):
    changes = {"checkpoint": folder / "mean", "limit": 1}
    run(job(folder, tmp_path / "out", **changes))
    run(job(folder, tmp_path / "out", **changes))
    assert "1 answers are there already" in capsys.readouterr().err
    assert read(tmp_path / "out").groups[-1].name["mode"] == "base, mean"


def test_tables_without_rivals_say_nothing_of_them(folder, tmp_path, capsys):
    run(job(folder, tmp_path / "out", limit=1))
    assert "GIVEN" not in capsys.readouterr().out


def test_other_evaluations_refuse_a_rival(folder, tmp_path):
    charts = Charts(data=folder / "pages.jsonl", checkpoint=folder / "mean", out=tmp_path, compile_cache=False)
    with pytest.raises(UserError, match=r"given text \(mean\) and reads no picture"):
        run(charts)


def test_pictures_alone_are_refused_page_by_page(folder):
    reader = Reader(LoadedModel(config("mean"), rival("mean"), tokenizer()), ReadOptions("base", rows=4))
    (result,) = reader.read([Ask(page(0))])
    assert isinstance(result, Failure) and "cannot read a picture" in result.message


def test_texts_that_do_not_fit_are_not_read_and_counted(folder, tmp_path):
    data = lines(folder / "long.jsonl", {"image": "0.png", "truth": "x" * 65}, {"image": "1.png", "truth": "x" * 64})
    run(job(folder, tmp_path / "out", checkpoint=folder / "mean", data=data))
    counts = read(tmp_path / "out").counts
    assert {name: counts[name] for name in ("pages", "answered", "missing_answers", "not_read")} == {
        "pages": 2, "answered": 1, "missing_answers": 1, "not_read": 1
    }  # fmt: skip


def test_every_shape_of_a_rival_can_be_compiled_beforehand(folder):
    reader = Reader(LoadedModel(config("mean"), rival("mean"), tokenizer()), ReadOptions("base", rows=4, length=64))
    assert reader.warm_up(["base"]) == len(reader.shapes(["base"]))


@pytest.mark.parametrize(
    ("checkpoint", "rivals", "message"),
    [
        ("optical", ["optical"], "that model reads pictures"),
        ("optical", ["mean", "mean"], "is mean already"),
        ("mean", ["mean"], "is mean already"),
        ("optical", ["large"], "it has 16 vectors and .* 4; compare at equal numbers"),
        ("optical", ["words"], "its tokenizer is not that of"),
    ],
)
def test_what_cannot_be_compared_is_refused(folder, tmp_path, checkpoint, rivals, message):
    if "large" in rivals:
        modes = tuple(dataclasses.replace(mode, base_size=256) for mode in CONFIG.modes)
        save_model(tmp_path / "large", dataclasses.replace(config("mean"), modes=modes), nnx.state(rival("mean")))
    if "words" in rivals:
        save_model(tmp_path / "words", config("mean"), nnx.state(rival("mean")), None)
    places = [tmp_path / name if (tmp_path / name).exists() else folder / name for name in rivals]
    with pytest.raises(UserError, match=message):
        check_equal(folder / checkpoint, places, ["base"])


def test_recorded_answers_are_not_asked(folder, tmp_path):
    recorded = lines(tmp_path / "r.jsonl", {"id": "a", "prediction": "b", "truth": "c"})
    with pytest.raises(UserError, match="--rivals are models"):
        run(job(folder, tmp_path / "out", checkpoint=None, recorded=recorded, rivals=(folder / "mean",)))


@pytest.mark.parametrize("kind", RIVALS)
def test_names_of_rivals_are_known_again(kind):
    assert is_rival(shown_mode("tiny", config(kind)))
    assert not is_rival(shown_mode("tiny", CONFIG))
