"""The compression study: bins, tokens, ratios, loops, missing answers."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsocr_jax.errors import UserError
from dsocr_jax.evaluate import paper
from dsocr_jax.evaluate.bootstrap import Bootstrap
from dsocr_jax.evaluate.compression import OUTSIDE, Bins, group_compression, limits_of, score_compression
from dsocr_jax.evaluate.compression_plot import plot_compression
from dsocr_jax.evaluate.items import Item, Reply
from dsocr_jax.evaluate.result import Evaluation, Scored
from dsocr_jax.evaluate.tables import make_grid, precision_lines

HOW = Bootstrap(samples=50)


def score(items: list[Item], replies: list[Reply], bins: Bins | None = None, **words: object) -> list[Scored]:
    return score_compression(items, replies, bins or Bins(), None, {"tiny": 64, "small": 100}, **words)[0]  # type: ignore[arg-type]


def test_bins_begin_at_their_first_token() -> None:
    bins = Bins()
    assert bins.names() == ["600-700", "700-800", "800-900", "900-1000", "1000-1100", "1100-1200", "1200-1300"]
    assert [bins.find(tokens) for tokens in (599, 600, 699, 700, 1299, 1300)] == [
        OUTSIDE, "600-700", "600-700", "700-800", "1200-1300", OUTSIDE
    ]  # fmt: skip


@given(st.integers(0, 50), st.integers(1, 40), st.integers(1, 30), st.integers(0, 3000))
def test_every_count_of_tokens_is_in_one_bin_or_outside(first: int, steps: int, width: int, tokens: int) -> None:
    bins = Bins(first, first + steps * width, width)
    name = bins.find(tokens)
    if name == OUTSIDE:
        assert not first <= tokens < first + steps * width
    else:
        low, high = limits_of(name)
        assert low <= tokens < high and high - low == width and name in bins.names()


@pytest.mark.parametrize("bins", [(600, 1300, 0), (1300, 600, 100), (600, 1290, 100), (0, 1000, 1), (-100, 0, 100)])
def test_bins_that_mean_nothing(bins: tuple[int, int, int]) -> None:
    with pytest.raises(UserError, match="FIRST LAST WIDTH"):
        Bins(*bins)


def test_a_page_by_hand() -> None:
    # Truth {a b c d}, answer {a b x}: both hold a and b. 640 text tokens through 64 vision tokens.
    (page,) = score([Item("1", "a b c d", tokens=640)], [Reply("1", "a b x", mode="tiny", answer_tokens=9)])
    assert page.labels == {"set": "plain", "mode": "tiny", "tokens": "600-700"}
    assert page.metrics == {
        "word_set_precision": 2 / 3,
        "word_set_recall": 2 / 4,
        "word_set_f1": 4 / 7,
        "fox_precision_as_released": 2 / 4,
        "fox_recall_as_released": 2 / 3,
        # "a b x" against "a b c d": c for x, and two characters more, of seven.
        "edit_dist": 3 / 7,
        "loops": 0.0,
        "text_tokens": 640.0,
        "answer_tokens": 9.0,
        "vision_tokens": 64.0,
        "compression": 10.0,
    }


def test_tokens_are_counted_where_nobody_said_them() -> None:
    count: Callable[[str], int] = len
    items, replies = [Item("1", "x" * 650), Item("2", "y", tokens=900)], [Reply("1", ""), Reply("2", "")]
    scored = score_compression(items, replies, Bins(), count, {})[0]
    assert [item.labels["tokens"] for item in scored] == ["600-700", "900-1000"]


def test_tokens_that_nobody_can_count() -> None:
    with pytest.raises(UserError, match=r"text tokens of '1'.*--tokenizer"):
        score([Item("1", "x")], [Reply("1", "x")])


def test_a_reply_says_its_own_vision_tokens() -> None:
    (page,) = score([Item("1", "a", tokens=700)], [Reply("1", "a", mode="tiny", vision_tokens=70)])
    assert page.metrics["compression"] == 10


def test_without_a_known_mode_there_is_no_ratio() -> None:
    (page,) = score([Item("1", "a", tokens=700)], [Reply("1", "a")])
    assert page.metrics["compression"] is None


def test_the_models_own_word_for_a_loop_counts() -> None:
    (page,) = score([Item("1", "a", tokens=700)], [Reply("1", "a", finish_reason="repetition")])
    assert page.metrics["loops"] == 1


ITEMS = [Item(str(number), f"word{number}", tokens=tokens) for number, tokens in enumerate((650, 660, 750, 2000))]


@pytest.mark.parametrize(("missing", "pages", "precision"), [("empty", 4, 0.5), ("skip", 2, 1.0)])
def test_missing_answers_are_counted(missing: str, pages: int, precision: float) -> None:
    replies = [Reply("0", "word0"), Reply("3", "word3")]
    scored, counts = score_compression(ITEMS, replies, Bins(), None, {}, missing=missing)  # type: ignore[arg-type]
    assert (len(scored), counts["pages"], counts["answered"], counts["missing_answers"]) == (pages, 4, 2, 2)
    assert counts["outside_the_bins"] == 1
    # Of the two pages in the first bin, one is answered.
    assert group_compression(scored, Bins(), HOW)[0].metrics["word_set_precision"].value == precision


def test_every_mode_has_every_page() -> None:
    replies = [Reply("0", "word0", mode="tiny"), Reply("0", "word0", mode="small"), Reply("1", "word1", mode="small")]
    groups = group_compression(score(ITEMS, replies), Bins(), HOW)
    assert [(group.title, group.count) for group in groups] == [
        ("plain, tiny, 600-700", 2), ("plain, tiny, 700-800", 1), ("plain, tiny", 3),
        ("plain, small, 600-700", 2), ("plain, small, 700-800", 1), ("plain, small", 3),
    ]  # fmt: skip


def test_no_answers_at_all() -> None:
    with pytest.raises(UserError, match="none of the 4 pages has an answer"):
        score(ITEMS, [])


def test_no_page_in_the_bins() -> None:
    scored = score(ITEMS, [Reply("0", "x")], Bins(5000, 6000, 500))
    with pytest.raises(UserError, match=r"5000 to 6000 text tokens.*650 to 2000"):
        group_compression(scored, Bins(5000, 6000, 500), HOW)


@pytest.mark.parametrize(
    ("low", "high", "vision", "expected"),
    [
        (600, 700, 64, 0.965),
        (1200, 1300, 100, 0.871),
        (1300, 1400, 100, None),
        (500, 600, 64, None),
        (600, 800, 64, None),
        (600, 700, 65, None),
        (600, 700, None, None),
    ],
)
def test_published_numbers(low: int, high: int, vision: float | None, expected: float | None) -> None:
    assert paper.published_precision(low, high, vision) == expected


def test_the_papers_ratios_are_tokens_in_its_bins() -> None:
    for vision, ratios in paper.COMPRESSION.items():
        for number, ratio in enumerate(ratios):
            low = paper.FIRST + paper.WIDTH * number
            assert low <= ratio * vision <= low + paper.WIDTH


def evaluation() -> Evaluation:
    replies = [Reply(item.id, item.truth, mode="tiny") for item in ITEMS[:2]] + [Reply("2", "wrong", mode="tiny")]
    scored = score(ITEMS, replies)
    return Evaluation("compression", {}, {"pages": 4}, group_compression(scored, Bins(), HOW), tuple(scored))


def test_the_table_has_the_papers_numbers_beside_ours() -> None:
    grid = make_grid(evaluation())
    table = [dict(zip(grid.head, row, strict=True)) for row in grid.rows]
    assert [(row["text tokens"], row["pages"], row["paper"]) for row in table] == [
        ("600-700", "2", "96.5"), ("700-800", "1", "93.8"), ("all", "3", "")
    ]  # fmt: skip
    assert (table[0]["precision, %"], table[1]["precision, %"]) == ("100.0 [100.0, 100.0]", "0.0")
    assert precision_lines(evaluation()) == ("precision (tiny): 100.0 0.0 (2 1 pages)",)


def test_the_plot_is_a_picture() -> None:
    assert plot_compression(evaluation().groups).startswith(b"\x89PNG")
