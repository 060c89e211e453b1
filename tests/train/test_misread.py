"""A word that is wrong among right ones is told from a lost place."""

from hypothesis import given
from hypothesis import strategies as st

from train.misread import RUN, Misread, misread, shares

TEXT = " ".join(f"word{number}" for number in range(30))
words = st.lists(st.sampled_from("abcdefgh"), max_size=30).map(" ".join)


def test_what_is_right_counts_as_words_alone():
    assert misread(TEXT, TEXT) == Misread(30, 0, 0, 0)


def test_one_wrong_word_stands_alone():
    assert misread(TEXT, TEXT.replace("word7", "ward7")) == Misread(30, 1, 0, 0)


def test_a_line_left_out_is_a_lost_place():
    kept = TEXT.split()
    assert misread(TEXT, " ".join(kept[:10] + kept[20:])) == Misread(30, 0, 10, 1)


def test_words_that_were_made_up_are_a_lost_place_without_words():
    made_up = TEXT.split()
    made_up[5:5] = ["x"] * RUN
    assert misread(TEXT, " ".join(made_up)) == Misread(30, 0, 0, 1)


def test_an_empty_answer_has_lost_all():
    assert misread(TEXT, "") == Misread(30, 0, 30, 1)


@given(words, words)
def test_no_more_words_are_wrong_than_there_are(truth: str, answer: str):
    found = misread(truth, answer)
    assert 0 <= found.alone + found.lost <= found.words == len(truth.split())


def test_shares_are_those_of_all_pages_together():
    found = shares([Misread(100, 10, 30, 2), Misread(300, 10, 10, 2)])
    assert found == {"words": 400, "alone": 0.05, "lost": 0.1, "places in 100 words": 1.0, "words a place": 10.0}


def test_no_words_are_no_fault():
    assert shares([Misread(0, 0, 0, 0)])["alone"] == 0
