"""Settings of typeset pages: mixtures, tokens, corpora, and what is said when they are wrong."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from datagen.pages import FAMILY, corpus
from datagen.pages.density import counter
from datagen.pages.mixture import read_mixture
from datagen.pages.settings import DENSE, STANDARD, PageSettings
from datagen.pages.words import Dice
from datagen.settings import read_changes
from dsocr_jax.errors import UserError


def dice(seed: int = 0) -> Dice:
    return Dice(np.random.default_rng(seed))


@pytest.mark.parametrize("tokens", [200, 600, 1300])
def test_labels_have_the_tokens_asked_for(tokens: int) -> None:
    languages, layouts = ("en",), ("plain", "book", "report")
    settings = replace(STANDARD, tokens=(tokens, tokens), labels=("free",), languages=languages, layouts=layouts)
    rng = np.random.default_rng(tokens)
    drawn = FAMILY.render(FAMILY.compose(rng, settings), rng, settings)
    assert drawn.meta["tokens"] == counter(None)(drawn.label)
    assert abs(drawn.meta["tokens"] - tokens) <= 0.03 * tokens
    assert drawn.meta["left_out"] == 0


def test_tokens_are_spread_over_their_range() -> None:
    settings = replace(STANDARD, tokens=(100, 400), languages=("de", "zh-Hans"), layouts=("plain",))
    found = []
    for seed in range(10):
        rng = np.random.default_rng(seed)
        found.append(FAMILY.render(FAMILY.compose(rng, settings), rng, settings).meta["tokens"])
    assert min(found) < 200
    assert 300 < max(found) <= 400


def test_changes_of_a_command_become_settings() -> None:
    words = [
        'pages.languages=["ar:2", "Deva"]',
        'pages.labels=["grounded"]',
        "pages.tokens=[600, 1300]",
        "pages.figures=0",
    ]
    changed = replace(STANDARD, **read_changes(words, "standard", ["pages"])["pages"])
    mixture = changed.language_mixture()
    assert "ar" in mixture.names and "hi" in mixture.names and "en" not in mixture.names
    assert changed.tokens == (600, 1300)
    assert set(changed.layout_mixture().names) <= set(DENSE)


def test_weights_are_shared_within_a_group() -> None:
    mixture = read_mixture("x", ["a:3", "both:2"], {"a": ("a",), "b": ("b",), "both": ("a", "b")})
    assert mixture.names == ("a", "b")
    drawn = [mixture.draw(dice(seed)) for seed in range(400)]
    assert 0.7 < drawn.count("a") / 400 < 0.9


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"languages": ("xyz",)}, "pages know no language 'xyz'"),
        ({"languages": ()}, "must name something"),
        ({"languages": ("en:0",)}, "must name something"),
        ({"languages": ("en:many",)}, "weight of at least 0"),
        ({"layouts": ("books",)}, "did you mean 'book'"),
        ({"labels": ("html",)}, "pages.labels names 'html'"),
        ({"tokens": (5,)}, "pages.tokens is a pair"),
        ({"tokens": (300, 200)}, "pages.tokens is a pair"),
        ({"tokens": (10, 1_000_000)}, "pages.tokens is a pair"),
        ({"tokens": (10, 20), "layouts": ("receipt",)}, "holds any amount of text"),
        ({"figures": 2.0}, "pages.figures is a share"),
        ({"corpus_language": "xx"}, "pages.corpus_language"),
        ({"width": (0, 100)}, "pages.width is a pair"),
    ],
)
def test_wrong_settings(changes: dict[str, object], message: str) -> None:
    with pytest.raises(UserError) as caught:
        PageSettings(**changes)  # type: ignore[arg-type]
    assert message in str(caught.value)


TEXT = "The first paragraph of it. It goes on.\n\nAnother one with other words. And a last sentence here.\n"


def drawn_from(path: Path, seed: int = 0) -> str:
    settings = replace(STANDARD, corpus=str(path), layouts=("plain",), labels=("free",))
    rng = np.random.default_rng(seed)
    return FAMILY.render(FAMILY.compose(rng, settings), rng, settings).label


def test_a_page_of_an_own_text(tmp_path: Path) -> None:
    (tmp_path / "own.txt").write_text(TEXT, encoding="utf-8")
    sentences = {
        "The first paragraph of it.",
        "It goes on.",
        "Another one with other words.",
        "And a last sentence here.",
    }
    for seed in range(3):
        label = drawn_from(tmp_path / "own.txt", seed)
        body = [paragraph for paragraph in label.split("\n\n") if paragraph.endswith(".")]
        assert body
        for paragraph in body:
            assert {f"{piece}." for piece in paragraph.removesuffix(".").split(". ")} <= sentences


def test_a_page_of_jsonl_in_a_folder(tmp_path: Path) -> None:
    lines = [json.dumps({"text": f"Entry number {n} says so. " * 8, "id": n}) for n in range(50)]
    (tmp_path / "a.jsonl").write_text("\n".join(lines), encoding="utf-8")
    (tmp_path / "notes.md").write_text("not read", encoding="utf-8")
    assert "Entry number" in drawn_from(tmp_path)


def test_corpora_are_read_from_any_place_without_end(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("\n\n".join(f"Ünïcödé paragraph {n}." for n in range(30)), encoding="utf-8")
    (tmp_path / "b.txt").write_text("\n\n".join(f"Other {n}." for n in range(30)), encoding="utf-8")
    found = corpus.find(str(tmp_path))
    starts = set()
    for seed in range(60):
        paragraphs = found.paragraphs(dice(seed))
        first = [next(paragraphs) for _ in range(35)]
        assert len(set(first)) == 30
        starts.add(first[0])
    assert len(starts) > 20
    assert {start.split()[0] for start in starts} == {"Ünïcödé", "Other"}


def test_large_corpora_are_not_read_whole(tmp_path: Path) -> None:
    file = tmp_path / "large.txt"
    with file.open("wb") as stream:
        stream.write(b"A paragraph of the beginning.\n\n" * 1000)
        stream.seek(3_000_000_000)  # a hole: nothing is on the disk
        stream.write(b"\n\nThe end.\n")
    assert corpus.find(str(file)).files[0][1] > 3_000_000_000


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.txt", b"", "holds no text"),
        ("a.txt", b" \n\n \n", "no text in"),
        ("a.txt", b"good line\nbad \xff byte\n", "byte 14 is no UTF-8"),
        ("a.jsonl", b'{"text": "fine"}\n{"text": 3}\n', 'the line at byte 17 has no field "text"'),
        ("a.jsonl", b"{not json}\n", "the line at byte 0 is no JSON"),
        ("a.jsonl", b'["text"]\n', 'no field "text"'),
        ("a.pdf", b"text", "must be a .txt or a .jsonl file"),
    ],
)
def test_bad_corpora_are_found_before_anything_is_made(tmp_path: Path, name: str, content: bytes, message: str) -> None:
    (tmp_path / name).write_bytes(content)
    settings = replace(STANDARD, corpus=str(tmp_path / name))
    assert FAMILY.fingerprint
    with pytest.raises(UserError) as caught:
        FAMILY.fingerprint(settings)
    assert message in str(caught.value)


def test_a_corpus_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="is not there"):
        corpus.find(str(tmp_path / "nothing"))
    with pytest.raises(UserError, match="holds no text"):
        corpus.find(str(tmp_path))


def test_fingerprints_tell_texts_apart(tmp_path: Path) -> None:
    assert FAMILY.fingerprint
    (tmp_path / "a.txt").write_text(TEXT, encoding="utf-8")
    (tmp_path / "b.txt").write_text(TEXT.replace("first", "other"), encoding="utf-8")
    one, two, none = (
        FAMILY.fingerprint(replace(STANDARD, corpus=file))
        for file in (str(tmp_path / "a.txt"), str(tmp_path / "b.txt"), None)
    )
    assert one["pages.corpus"] != two["pages.corpus"]
    assert none == {}


def test_an_unknown_tokenizer(tmp_path: Path) -> None:
    assert FAMILY.fingerprint
    with pytest.raises(UserError, match="no tokenizer found"):
        FAMILY.fingerprint(replace(STANDARD, tokens=(10, 20), tokenizer=str(tmp_path)))


HOSTILE = (
    'Text with #panic("x") and $math$ and "quotes" \\ and *stars* _lines_ `ticks` @refs <tags> // and /* more */ [x].'
)


def test_markup_in_a_text_is_drawn_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "own.txt").write_text((HOSTILE + "\n\n") * 5, encoding="utf-8")
    for layout in ("plain", "report"):
        settings = replace(
            STANDARD, corpus=str(tmp_path / "own.txt"), layouts=(layout,), labels=("markdown",), figures=0.0
        )
        rng = np.random.default_rng(2)
        drawn = FAMILY.render(FAMILY.compose(rng, settings), rng, settings)
        assert '#panic("x") and $math$ and "quotes" \\ and' in drawn.label
