"""Text as it comes: whole characters, and together the answer's text."""

from hypothesis import given
from hypothesis import strategies as st

from dsocr_jax.reading.streaming import BROKEN, TextStream
from tests.dsocr_jax.reading.small import SPECIAL, tokenizer


def pieces(chunks: list[list[int]]) -> list[str]:
    stream = TextStream(tokenizer())
    return [*(stream.feed(list(chunk)) for chunk in chunks), stream.finish()]


def bytes_of(text: str) -> list[int]:
    return tokenizer().encode(text)


def test_half_a_character_waits_for_its_other_half() -> None:
    first, *rest = bytes_of("é")
    assert pieces([[*bytes_of("caf"), first], rest]) == ["caf", "é", ""]


def test_half_a_character_at_the_end_is_told_as_the_text_tells_it() -> None:
    assert "".join(pieces([bytes_of("a"), bytes_of("é")[:1]])) == "a" + BROKEN


def test_white_space_at_either_end_is_not_told() -> None:
    assert pieces([bytes_of(" \n"), bytes_of(" a "), bytes_of(" b"), bytes_of(" \n")]) == ["", "a", "  b", "", ""]


ids = st.lists(st.integers(len(SPECIAL), tokenizer().vocab_size - 1) | st.integers(3, len(SPECIAL) - 1), max_size=12)
text = st.text(max_size=10).map(bytes_of)


@given(st.lists(ids | text, max_size=12))
def test_pieces_join_to_the_text(chunks: list[list[int]]) -> None:
    """For any ids at all, broken bytes and special tokens among them, cut anywhere."""
    every = [token for chunk in chunks for token in chunk]
    assert "".join(pieces(chunks)) == tokenizer().decode(every).strip()


@given(st.text(min_size=1, max_size=60))
def test_every_piece_of_sound_text_is_sound(written: str) -> None:
    told = pieces([[token] for token in bytes_of(written)])
    assert BROKEN in written or BROKEN not in "".join(told)
