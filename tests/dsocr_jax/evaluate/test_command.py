"""The commands: from recorded answers, and from a model that is stopped and asked again."""

import dataclasses
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jax
import pytest
from flax import nnx
from PIL import Image

from dsocr_jax.answers.geometry import Figure, Segment, normalise, write_figure
from dsocr_jax.answers.tables import write_table
from dsocr_jax.cli import app
from dsocr_jax.errors import UserError
from dsocr_jax.evaluate import asking
from dsocr_jax.evaluate.asking import answer
from dsocr_jax.evaluate.command import run
from dsocr_jax.evaluate.gather import asking_of
from dsocr_jax.evaluate.items import Item
from dsocr_jax.evaluate.options import Charts, Compression, Documents, Geometry, Molecules, Variants
from dsocr_jax.evaluate.result import read
from dsocr_jax.evaluate.sources import read_source
from dsocr_jax.reading import engine, shapes, vision
from dsocr_jax.weights.checkpoint import save_model
from tests.dsocr_jax.reading.small import CONFIG, model, picture, tokenizer


def lines(path: Path, *items: dict[str, Any]) -> Path:
    path.write_text("".join(json.dumps(item) + "\n" for item in items))
    return path


WORDS = [f"word{number}" for number in range(10)]
RECORDED = [
    # Nine of the ten words answered are right; eleven vision tokens are not known.
    {"id": "a", "token_count": 640, "truth": " ".join(WORDS), "prediction": " ".join([*WORDS[:9], "other"])},
    {"id": "b", "token_count": 660, "truth": "one two", "prediction": "one two"},
    {"id": "c", "token_count": 960, "truth": "one two", "prediction": None},
]


def test_recorded_pages_print_their_precision(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = lines(tmp_path / "x.jsonl", *RECORDED)
    assert run(Compression(recorded=file, out=tmp_path / "out", modes=("tiny",), samples=20)) == 0
    said = capsys.readouterr().out
    # (0.9 + 1) / 2 in the first bin, nothing in the other.
    assert "precision (tiny): 95.0 0.0 (2 1 pages)" in said
    assert "3 pages, 2 answered, 1 missing answers" in said
    found = read(tmp_path / "out")
    assert found.group(set="plain", mode="tiny", tokens="600-700").metrics["compression"].value == 650 / 64
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "compression.png", "evaluation.json", "report.html"
    ]  # fmt: skip


def test_missing_answers_may_be_left_out(tmp_path: Path) -> None:
    file = lines(tmp_path / "x.jsonl", *RECORDED)
    run(Compression(recorded=file, out=tmp_path / "out", missing="skip", samples=0))
    assert read(tmp_path / "out").counts["missing_answers"] == 1
    assert [group.count for group in read(tmp_path / "out").groups] == [2, 2]


def test_variants_stand_beside_the_plain_pages(tmp_path: Path) -> None:
    truths = {"plain": "one two", "shuffled": "two one"}
    paths = {
        name: lines(tmp_path / f"{name}.jsonl", {"image": "no.png", "id": "a", "truth": text})
        for name, text in truths.items()
    }
    answers = lines(tmp_path / "answers.jsonl", *({"id": "a", "set": name, "prediction": "two one"} for name in truths))
    job = Compression(
        data=paths["plain"], variants=(f"shuffled={paths['shuffled']}",), recorded=answers, out=tmp_path / "out",
        bins=(0, 100, 100), samples=0, tokenizer=tokenizer_file(tmp_path),
    )  # fmt: skip
    run(job)
    found = read(tmp_path / "out")
    # The same words, but of the plain page in the wrong order: the distance alone tells.
    assert [found.group(set=name, mode="").metrics["word_set_precision"].value for name in truths] == [1, 1]
    assert found.group(set="shuffled", mode="").metrics["edit_dist"].value == 0
    assert found.group(set="plain", mode="").metrics["edit_dist"].value > 0  # type: ignore[operator]
    assert found.counts["missing_pictures"] == 2


def tokenizer_file(folder: Path) -> Path:
    tokenizer().inner.save(str(folder / "tokenizer.json"))
    return folder / "tokenizer.json"


FIGURE = write_figure(normalise(Figure((Segment((0, 0), (4, 3)), Segment((0, 3), (4, 0))))))
TABLE = write_table([["", "v"], ["a", "1"], ["b", "2"]])


@pytest.mark.parametrize(
    ("kind", "truth", "metric"),
    [(Charts, TABLE, "rms"), (Molecules, "CCO", "exact"), (Geometry, FIGURE, "f1_0.75_fixed")],
)
def test_single_kinds(tmp_path: Path, kind: Any, truth: str, metric: str) -> None:
    file = lines(
        tmp_path / "x.jsonl",
        {"id": "right", "truth": truth, "prediction": f" {truth}\n", "mode": "tiny"},
        {"id": "wrong", "truth": truth, "prediction": "junk", "mode": "tiny"},
        {"id": "none", "truth": truth},
    )
    assert run(kind(recorded=file, out=tmp_path / "out", samples=0)) == 0
    found = read(tmp_path / "out")
    assert found.groups[0].metrics[metric].value == pytest.approx(1 / 3)
    assert found.counts == {"examples": 3, "answered": 2, "missing_answers": 1}
    assert (tmp_path / "out" / "report.html").is_file()


def test_groups_of_a_kind(tmp_path: Path) -> None:
    data = lines(
        tmp_path / "data.jsonl",
        {"image": "1", "truth": "CCO", "style": "acs"},
        {"image": "2", "truth": "CCN", "style": "book"},
        {"image": "3", "truth": "CCC"},
    )
    answers = lines(tmp_path / "answers.jsonl", {"id": "1", "prediction": "CCO"}, {"id": "2", "prediction": "CCO"})
    run(Molecules(data=data, recorded=answers, by=("style",), out=tmp_path / "out", samples=0))
    found = read(tmp_path / "out")
    assert [(group.title, group.count, group.metrics["exact"].value) for group in found.groups] == [
        ("all", 3, 1 / 3), ("acs", 1, 1.0), ("book", 1, 0.0)
    ]  # fmt: skip


def test_a_malformed_truth_is_named(tmp_path: Path) -> None:
    file = lines(tmp_path / "x.jsonl", {"id": "p7", "truth": "no table", "prediction": "x"})
    with pytest.raises(UserError, match=r"the truth of 'p7' cannot be used"):
        run(Charts(recorded=file, out=tmp_path / "out"))


def test_many_processes_score_the_same(tmp_path: Path) -> None:
    file = lines(tmp_path / "x.jsonl", *({"id": str(n), "truth": "CCO", "prediction": "CC"} for n in range(3)))
    for workers in (1, 2):
        run(Molecules(recorded=file, out=tmp_path / str(workers), workers=workers, samples=10))
    assert read(tmp_path / "1").groups == read(tmp_path / "2").groups


# Documents

BENCHMARK = [
    {
        "layout_dets": [{"anno_id": 1, "category_type": "text_block", "order": 1, "text": text}],
        "extra": {"relation": []},
        "page_info": {"image_path": f"{name}.jpg", "page_attribute": {"language": language}},
    }
    for name, language, text in (("p", "english", "abcdefghij"), ("q", "english", "b"), ("r", "other", "c"))
]


@pytest.fixture
def benchmark(tmp_path: Path) -> Path:
    folder = tmp_path / "benchmark"
    (folder / "images").mkdir(parents=True)
    (folder / "OmniDocBench.json").write_text(json.dumps(BENCHMARK))
    picture(1).save(folder / "images" / "p.jpg")
    return folder


def test_documents_from_a_folder_of_markdown(
    tmp_path: Path, benchmark: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    answers = tmp_path / "answers"
    answers.mkdir()
    (answers / "p.md").write_text("abcdefghiX")
    (answers / "q.jpg.md").write_text("<|ref|>text<|/ref|><|det|>[[1, 2, 3, 4]]<|/det|>\nb")
    assert run(Documents(data=benchmark, recorded=answers, out=tmp_path / "out", samples=10)) == 0
    found = read(tmp_path / "out")
    # One edit in ten, none, and a page without an answer.
    assert found.groups[0].metrics["text_edit"].value == pytest.approx((0.1 + 0 + 1) / 3)
    assert found.group(language="english").metrics["text_edit"].value == pytest.approx(0.05)
    assert found.counts == {
        "pages": 3, "answered": 2, "missing_answers": 1, "missing_pictures": 2, "tables_too_large": 0
    }  # fmt: skip
    assert "3 pages, 2 answered, 1 missing answers, 2 missing pictures" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({}, "holds no .md files"),
        ({"p.md": "x", "elsewhere.md": "y"}, r"1 answers .* not among the 3 truths \('elsewhere'\), 1 are"),
        ({"p.md": "x", "p.jpg.md": "y"}, "two answers for 'p'"),
        ({"p.md": b"\xff"}, "p.md: cannot be read"),
    ],
)
def test_folders_of_answers_that_do_not_fit(tmp_path: Path, benchmark: Path, files: dict, message: str) -> None:
    answers = tmp_path / "answers"
    answers.mkdir()
    for name, content in files.items():
        (answers / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(UserError, match=message):
        run(Documents(data=benchmark, recorded=answers, out=tmp_path / "out"))


# Bad words


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({}, "give either --recorded FILE or --checkpoint MODEL"),
        ({"recorded": Path("x"), "checkpoint": Path("y")}, "give either --recorded FILE or --checkpoint MODEL"),
        ({"checkpoint": Path("y")}, "give --data"),
        ({"recorded": Path("nowhere.jsonl")}, "nowhere.jsonl: cannot be read"),
        ({"recorded": Path("x"), "level": 1.0}, "--level between 0 and 1"),
        ({"recorded": Path("x"), "bins": (0, 10, 3)}, "--bins takes"),
        ({"recorded": Path("x"), "data": Path("nowhere")}, "nowhere: no such file or folder"),
        ({"recorded": Path("x"), "tokenizer": Path("nowhere")}, "no tokenizer found"),
    ],
)
def test_words_that_make_no_sense(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError, match=message):
        run(Compression(out=tmp_path / "out", **changes))
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("variants", [("x",), ("=y",), ("plain=y",), ("a=x", "a=y")])
def test_variants_without_names(tmp_path: Path, variants: tuple[str, ...]) -> None:
    data = lines(tmp_path / "d.jsonl", {"image": "i", "truth": "t"})
    with pytest.raises(UserError, match="NAME=PATH"):
        run(Compression(data=data, recorded=data, variants=variants, out=tmp_path / "out"))


def test_out_must_be_a_folder(tmp_path: Path) -> None:
    (tmp_path / "out").touch()
    with pytest.raises(UserError, match="--out must be a folder"):
        run(Compression(recorded=tmp_path / "x", out=tmp_path / "out"))


def test_a_mode_that_was_not_recorded(tmp_path: Path) -> None:
    file = lines(tmp_path / "x.jsonl", {**RECORDED[0], "mode": "tiny"})
    with pytest.raises(UserError, match="no recorded answer is in the mode base; their modes: tiny"):
        run(Compression(recorded=file, modes=("base",), out=tmp_path / "out"))


def test_the_words_reach_the_command(tmp_path: Path) -> None:
    file = lines(tmp_path / "x.jsonl", *RECORDED)
    words = ["evaluate", "compression", "--recorded", str(file), "--out", str(tmp_path / "out"), "--samples", "0"]
    assert app.cli(args=words) == 0
    assert read(tmp_path / "out").settings["recorded"] == str(file)


def test_texts_of_variants_are_written(tmp_path: Path) -> None:
    data = lines(tmp_path / "d.jsonl", *({"image": str(n), "truth": "one two three four five"} for n in range(2)))
    for name in ("1", "2"):
        run(Variants(data, tmp_path / name, "shuffled"))
    texts = [json.loads(line)["text"] for line in (tmp_path / "1").read_text().splitlines()]
    assert all(sorted(text.split()) == ["five", "four", "one", "three", "two"] for text in texts)
    assert texts[0] != texts[1] and (tmp_path / "1").read_text() == (tmp_path / "2").read_text()


# A model


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A small model, and quick compilation while it is used."""
    folder = tmp_path_factory.mktemp("evaluate")
    save_model(folder / "model", CONFIG, nnx.state(model()), tokenizer_file(folder))
    before = jax.config.values["jax_disable_most_optimizations"]
    jax.config.update("jax_disable_most_optimizations", True)
    with pytest.MonkeyPatch.context() as patch:
        for module in (engine, shapes):
            patch.setattr(module, "GROUPS", (4,))
        patch.setattr(vision, "VIEW_BUCKETS", (4,))
        yield folder / "model"
    jax.config.update("jax_disable_most_optimizations", before)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Keys of the pages that the model was asked about."""
    keys: list[str] = []
    original = asking._read

    def noting(wanted: dict[str, Any], *rest: Any) -> Any:
        keys.extend(wanted)
        return original(wanted, *rest)

    monkeypatch.setattr(asking, "_read", noting)
    return keys


@pytest.fixture
def job(checkpoint: Path, tmp_path: Path) -> Callable[..., Compression]:
    """Three pages, of one the picture is missing and of another it is none."""
    for number in range(2):
        picture(number).save(tmp_path / f"{number}.png")
    (tmp_path / "2.png").write_text("no picture")
    pages = [{"image": f"{number}.png", "truth": f"text {number}"} for number in range(4)]
    base = Compression(
        data=lines(tmp_path / "pages.jsonl", *pages), checkpoint=checkpoint, out=tmp_path / "out", bins=(0, 100, 100),
        samples=0, max_new_tokens=6, rows=4, threads=2, compile_cache=False, modes=("tiny",), loops=False,
    )  # fmt: skip
    return lambda **changes: dataclasses.replace(base, **changes)


def test_a_model_is_asked_once(job: Callable[..., Compression], asked: list[str], capsys: Any) -> None:
    assert run(job()) == 0
    assert len(asked) == 3  # the page without a picture is not asked about
    assert "4 pages, 2 answered, 2 missing answers, 1 missing pictures, 1 not read" in capsys.readouterr().out
    first = (job().out / "evaluation.json").read_text()
    asked.clear()
    assert run(job()) == 0
    assert len(asked) == 1  # what could not be read is tried again
    assert (job().out / "evaluation.json").read_text() == first


def test_answers_are_kept_while_a_model_is_stopped(
    job: Callable[..., Compression], asked: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    original = asking._read

    def torn(*words: Any) -> Any:
        for number, result in enumerate(original(*words)):
            if number == 1:
                raise KeyboardInterrupt
            yield result

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(asking, "_read", torn)
        run(job())
    kept = [json.loads(line) for line in (job().out / asking.FILE).read_text().splitlines()]
    asked.clear()
    run(job())
    assert len(kept) == 1 and len(asked) == 3 - sum("error" not in line for line in kept)


def test_a_stopped_command_says_so(job: Callable[..., Compression], monkeypatch: pytest.MonkeyPatch) -> None:
    def stopped(*words: Any) -> Any:
        raise asking.Stopped
        yield

    monkeypatch.setattr(asking, "_read", stopped)
    assert run(job()) == 130
    assert not (job().out / "evaluation.json").exists()


def test_other_settings_and_truths_are_asked_anew(
    job: Callable[..., Compression], asked: list[str], tmp_path: Path
) -> None:
    items = [item for item in read_source(job().data or tmp_path, "pages").items if item.id != "2.png"][:2]
    for change in ({}, {"max_new_tokens": 5}, {}):
        answer(items, asking_of(job(**change), ("tiny",), "free"), tmp_path / "kept", "free")
    assert len(asked) == 4  # twice two pages; the third call finds the first one's answers
    answer(
        [dataclasses.replace(items[0], truth="corrected")],
        asking_of(job(), ("tiny",), "free"),
        tmp_path / "kept",
        "free",
    )
    assert len(asked) == 5


def test_every_mode_is_read(job: Callable[..., Compression], tmp_path: Path) -> None:
    items = [Item("a", "text", picture=lambda: picture(1))]
    replies, counts = answer(items, asking_of(job(), ("tiny", "BASE"), "free"), tmp_path / "kept", "free")
    # 64 pixels are one token; 128 are four, of which 90 x 60 pixels padded to a square show two thirds.
    assert [(reply.mode, reply.vision_tokens) for reply in replies] == [("tiny", 1), ("base", 3)]
    assert counts == {"not_read": 0}


def test_a_mode_that_the_model_does_not_have(job: Callable[..., Compression]) -> None:
    with pytest.raises(UserError, match="no mode is called 'tinny'; did you mean 'tiny'"):
        run(job(modes=("tinny",)))


def test_documents_are_read(job: Callable[..., Compression], benchmark: Path, checkpoint: Path) -> None:
    words = {"max_new_tokens": 6, "rows": 4, "compile_cache": False, "samples": 0}
    assert run(Documents(data=benchmark, checkpoint=checkpoint, out=job().out, **words)) == 0  # type: ignore[arg-type]
    assert read(job().out).counts["answered"] == 1


def test_the_picture_stands_in_the_report(job: Callable[..., Compression], tmp_path: Path) -> None:
    Image.new("RGB", (2000, 3000), "red").save(tmp_path / "0.png")
    run(job(limit=1))
    page = (job().out / "report.html").read_text()
    assert "data:image/jpeg;base64," in page and len(page) < 300_000
