"""Files of pictures and turns, and of texts."""

import json
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from dsocr_jax.batch import IGNORED, make_example
from dsocr_jax.errors import UserError
from dsocr_jax.tokenizer import BOS, Tokenizer
from tests.train import tiny
from train.config import TrainConfig
from train.data import BatchSource, Fed, Feed, open_sets
from train.data.examples import build, measure
from train.data.jsonl import LinesSource

MODE = tiny.MODEL.modes[0]


def turns(*texts: str) -> list[dict[str, str]]:
    return [{"role": ("user", "assistant")[i % 2], "text": text} for i, text in enumerate(texts)]


def lines(file: Path, *samples: object) -> Path:
    file.write_text("".join((one if isinstance(one, str) else json.dumps(one)) + "\n" for one in samples))
    return file


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    for name, value in (("a.png", 10), ("b.jpg", 200)):
        Image.new("RGB", (40, 30), (value, 0, 0)).save(tmp_path / name)
    return tmp_path


def feed(folder: Path, count: int, *data: Path, **changes: object) -> list[Fed]:
    config: TrainConfig = tiny.tiny_config(folder, data=tuple(map(str, data)), **changes)
    source = BatchSource(config, open_sets(config), Tokenizer.load(config.tokenizer))
    with Feed(source, 0) as found:
        return [next(found) for _ in range(count)]


def made(source: LinesSource, folder: Path, kind: str, index: int = 0, length: int = 100):
    sample = source.read(kind, index)
    tokenizer = Tokenizer.load(folder / "tokenizer.json")
    example = build(sample, tokenizer, tiny.MODEL, MODE, length, "none", np.random.default_rng(0))
    size = measure(sample, tokenizer, tiny.MODEL, MODE, length)
    assert (size.tokens, size.pictures) == (len(example.tokens), len(example.pictures))
    return example, tokenizer


def test_one_turn_is_as_a_record_is(folder, pictures):
    file = lines(pictures / "l.jsonl", {"images": ["a.png"], "turns": turns("<image>\nRead.", "abba"), "id": 3})
    example, tokenizer = made(LinesSource(file), folder, "l")
    picture = Image.open(pictures / "a.png")
    expected = make_example(tokenizer, tiny.MODEL, MODE, "<image>\nRead.", picture, "abba")
    np.testing.assert_array_equal(example.tokens, expected.tokens)
    np.testing.assert_array_equal(example.labels, expected.labels)
    np.testing.assert_array_equal(example.views.global_view, expected.views.global_view)


def test_every_answer_is_labelled_and_nothing_else(folder, pictures):
    texts = ("<image> one <image>", "first", "and?", "second one")
    file = lines(pictures / "l.jsonl", {"images": ["a.png", "b.jpg"], "turns": turns(*texts)})
    example, tokenizer = made(LinesSource(file), folder, "l")
    end = tiny.MODEL.eos_token_id
    answers = [*tokenizer.encode("first"), end, *tokenizer.encode("second one"), end]
    labelled = example.labels != IGNORED
    assert example.labels[labelled].tolist() == example.tokens[labelled].tolist() == answers
    placeholders = (example.tokens == tiny.MODEL.image_token_id).sum()
    others = [*tokenizer.encode(" one "), *tokenizer.encode("and?")]
    plain = example.tokens[~labelled & (example.tokens != tiny.MODEL.image_token_id)].tolist()
    assert plain == [tokenizer.special_ids[BOS], *others]
    assert placeholders == 2 * 3  # one token, its newline and the separator for each picture
    assert [int(views.global_view[0, 0, 0]) // 100 for views in example.pictures] == [0, 2]


def test_of_a_text_every_token_is_labelled_and_it_is_cut(folder, tmp_path):
    file = lines(tmp_path / "words.jsonl", {"text": "abc"}, {"text": "d" * 5000, "kind": "long"})
    source = LinesSource(file)
    assert source.counts == {"long": 1, "words": 1}
    short, tokenizer = made(source, folder, "words")
    ids = [*tokenizer.encode("abc"), tiny.MODEL.eos_token_id]
    assert short.tokens.tolist() == [tokenizer.special_ids[BOS], *ids]
    assert short.labels.tolist() == [IGNORED, *ids]
    long, _ = made(source, folder, "long")
    assert long.labels.tolist() == [IGNORED, *tokenizer.encode("d") * 99]


def test_sets_lines_and_texts_mix_in_one_batch(folder, pictures):
    texts = lines(pictures / "texts.jsonl", *({"text": "w" * n} for n in range(5, 60, 5)))
    two = {"images": ["a.png", "b.jpg"], "turns": turns("<image><image>", "ab")}
    own = lines(pictures / "own.jsonl", {"turns": turns("no picture", "yes")}, two)
    mixture = {"charts": 2, "pages": 0, "own": 1, "texts": 1}
    found = feed(folder, 6, folder / "data", texts, own, mixture=mixture, length=128, rows=2)
    kinds = sum((one.kinds for one in found), Counter())
    assert set(kinds) == {"charts", "own", "texts"}
    assert abs(kinds["charts"] - kinds["own"] - kinds["texts"]) < 30
    assert np.mean([one.filled for one in found]) > 0.9
    assert {name for one in found for name in one.samples if "own" in name} == {f"{own} line 1", f"{own} line 2"}


def test_text_alone_needs_no_room_for_views(folder, tmp_path):
    found = feed(folder, 2, lines(tmp_path / "t.jsonl", {"text": "some words"}))
    assert found[0].batch.views == {}
    assert (found[0].pictures, found[0].views_filled) == (0, 1.0)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("{", "not JSON"),
        ("[" * 100_000, "not JSON"),
        ("[]", "either 'turns' or 'text'"),
        ({"images": []}, "either 'turns' or 'text'"),
        ({"text": "a", "turns": turns("a", "b")}, "either 'turns' or 'text'"),
        ({"text": ""}, "'text' must be a text that is not empty"),
        ({"text": 3}, "'text' must be a text"),
        ({"text": "see <image>"}, "holds <image>, which only users' turns may"),
        ('{"text": "\\ud800"}', "half of a surrogate pair"),
        ({"text": "a", "kind": 4}, "'kind' must be a name"),
        ({"turns": turns("a")}, "users and assistants take turns"),
        ({"turns": []}, "users and assistants take turns"),
        ({"turns": [*turns("a"), *turns("b")]}, "turn 2 must be an object whose 'role' is 'assistant'"),
        ({"turns": turns("a", "<image>")}, "turn 2: 'text' holds <image>"),
        ({"turns": turns("<image>", "b")}, "1 <image> in the users' turns for 0 images"),
        ({"images": ["a", "b"], "turns": turns("<image>", "b")}, "1 <image> in the users' turns for 2 images"),
        ({"images": "a.png", "turns": turns("<image>", "b")}, "'images' must be a list of paths"),
    ],
)
def test_a_malformed_line_is_named(tmp_path, line, message):
    file = lines(tmp_path / "l.jsonl", {"text": "fine"}, "", line)
    with pytest.raises(UserError, match=f"l.jsonl, line 3: .*{message}") as error:
        LinesSource(file)
    assert len(str(error.value)) < 500


def test_missing_and_empty_files_are_refused(folder, tmp_path):
    with pytest.raises(UserError, match=r"none.jsonl cannot be read \(No such file"):
        feed(folder, 1, tmp_path / "none.jsonl")
    with pytest.raises(UserError, match=r"there are no samples in .*empty.jsonl"):
        feed(folder, 1, lines(tmp_path / "empty.jsonl", " "))


def test_pictures_that_cannot_be_read_are_skipped_and_counted(folder, pictures):
    (pictures / "torn.png").write_bytes((pictures / "a.png").read_bytes()[:60])
    good = [{"images": ["a.png"], "turns": turns("<image>", f"a{i}")} for i in range(30)]
    bad = [{"images": [name], "turns": turns("<image>", "b")} for name in ("torn.png", "gone.png")]
    file = lines(pictures / "own.jsonl", *good, *bad)
    found = feed(folder, 4, file, max_bad=0.5)
    assert sum((one.bad for one in found), Counter()).keys() == {"picture that cannot be read"}
    assert not any(name.endswith(("line 31", "line 32")) for one in found for name in one.samples)
    with pytest.raises(UserError, match=r"samples cannot be used, .* --max-bad 0.01; the last: .*own.jsonl line 3[12]"):
        feed(folder, 40, file)


def test_data_without_any_usable_sample_ends_the_run(folder, pictures):
    file = lines(pictures / "own.jsonl", {"images": ["gone.png"], "turns": turns("<image>", "b")})
    with pytest.raises(UserError, match=r"100 samples in a row cannot be used; the last: .*gone.png"):
        feed(folder, 1, file)
