"""Our small tokenizer, and prompts as the original builds them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsocr_jax.config import preset
from dsocr_jax.errors import UserError
from dsocr_jax.prompts import PROMPTS, prompt_text
from dsocr_jax.tokenizer import OCR_TOKENS, SMALL_TOKENIZER, Tokenizer

SMALL = Tokenizer.load()


@given(st.text(max_size=80))
def test_any_text_comes_back(text: str) -> None:
    if not any(token in text for token in SMALL.special_ids):
        assert SMALL.decode(SMALL.encode(text)) == text


def test_the_small_tokenizer_belongs_to_nano() -> None:
    config = preset("nano")
    assert SMALL.vocab_size == config.decoder.vocab_size
    ids = SMALL.special_ids
    assert [ids[token] for token in OCR_TOKENS] == list(range(config.image_token_id, config.image_token_id + 12))
    assert (config.bos_token_id, config.eos_token_id, config.pad_token_id) == tuple(range(3))


def test_cell_tags_are_single_tokens_and_survive_decoding() -> None:
    ids = SMALL.encode("<tr><td>7</td></tr>")
    assert len(ids) == 5
    assert SMALL.decode(ids, skip_special=True) == "<tr><td>7</td></tr>"


def test_prompts_are_stripped_split_and_get_one_bos() -> None:
    image = SMALL.special_ids["<image>"]
    ids = SMALL.prompt_ids("<image>\nFree OCR. ", 4)
    assert ids[:5] == [0, image, image, image, image]
    assert ids[5:] == SMALL.encode("\nFree OCR.")


def test_a_prompt_without_a_picture() -> None:
    assert SMALL.prompt_ids("hello", 4) == [0, *SMALL.encode("hello")]


def test_named_and_free_prompts() -> None:
    assert prompt_text("free") == PROMPTS["free"]
    assert prompt_text("locate", "a word") == "<image>\nLocate <|ref|>a word<|/ref|> in the image."
    assert prompt_text("Read this.") == "<image>\nRead this."


def test_a_missing_tokenizer_is_named(tmp_path) -> None:
    with pytest.raises(UserError, match=r"tokenizer\.json"):
        Tokenizer.load(tmp_path)


@pytest.mark.parametrize("content", ["", "{}", '{"model": 3}'])
def test_a_broken_tokenizer_is_named(tmp_path, content: str) -> None:
    (tmp_path / "tokenizer.json").write_text(content)
    with pytest.raises(UserError, match="not a readable"):
        Tokenizer.load(tmp_path)


def test_a_tokenizer_without_our_tokens_is_refused(tmp_path) -> None:
    text = SMALL_TOKENIZER.read_text().replace("<|grounding|>", "<|other|>")
    (tmp_path / "tokenizer.json").write_text(text)
    with pytest.raises(UserError, match=r"<\|grounding\|>"):
        Tokenizer.load(tmp_path)
