"""Turns to pages: exact, repeatable, and never changed by what comes later."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dsocr_jax.errors import UserError
from dsocr_jax.memory import Memory, MemoryOptions, Turn, load, save
from dsocr_jax.memory.fonts import UNKNOWN
from dsocr_jax.memory.legibility import correlation, letters, x_height
from dsocr_jax.memory.options import fading_modes
from dsocr_jax.memory.store import read_turns
from dsocr_jax.memory.typeset import typeset
from dsocr_jax.modes import MODES, NO_TILES, Mode, count_tokens

SMALL = MemoryOptions(
    modes=tuple(Mode(f"m{size}", size, size, crop=False, fit="pad") for size in (256, 128, 64)), font_size=12
)
TEXTS = st.text(st.sampled_from("abc de,W\n\t你好שa\u0301😀"), min_size=1, max_size=120)
TURNS = st.lists(st.builds(Turn, TEXTS, st.sampled_from(["", "user", "assistant"])), min_size=1, max_size=12)


def pixels(memory: Memory) -> list[np.ndarray]:
    return [np.asarray(page.image) for page in memory.render().pages]


@settings(max_examples=25, deadline=None)
@given(TURNS, TURNS)
def test_adding_changes_nothing_above_the_last_line(first: list[Turn], second: list[Turn]) -> None:
    before, after = Memory(SMALL, first), Memory(SMALL, first + second)
    old, new = before.pages, after.pages
    assert old[:-1] == new[: len(old) - 1]
    assert old[-1] == new[len(old) - 1][: len(old[-1])]
    # Letters of the next line reach a little above its row, hence the half row.
    edge = SMALL.page_margin + len(old[-1]) * SMALL.row_height - SMALL.row_height // 2
    drawn, redrawn = pixels(before), pixels(after)
    for one, other in zip(drawn[:-1], redrawn, strict=False):
        np.testing.assert_array_equal(one, other)
    np.testing.assert_array_equal(drawn[-1][:edge], redrawn[len(drawn) - 1][:edge])


@settings(max_examples=25, deadline=None)
@given(TURNS, st.integers(0, 200))
def test_a_render_counts_every_page_and_turn_once(turns: list[Turn], more: int) -> None:
    memory = Memory(SMALL, turns)
    budget = SMALL.tokens[-1] + more
    rendered = memory.render(budget)
    assert rendered.tokens == memory.tokens(budget) <= budget
    assert rendered.tokens == sum(count_tokens(page.mode, NO_TILES, 64) for page in rendered.pages)
    assert [*rendered.gone, *(page.number for page in rendered.pages)] == list(range(len(memory.pages)))
    shown = {turn for page in rendered.pages for turn in page.turns}
    assert not shown & set(rendered.gone_turns)
    assert shown | set(rendered.gone_turns) == set(range(len(turns)))
    lost = {line.turn for page in memory.pages[: len(rendered.gone)] for line in page}
    assert set(rendered.cut_turns) == lost & shown
    assert tuple(page.mode for page in reversed(rendered.pages)) == memory.plan(budget)


@settings(max_examples=25, deadline=None)
@given(TURNS)
def test_equal_turns_give_equal_bytes_at_once_or_one_by_one(turns: list[Turn]) -> None:
    one = Memory(SMALL)
    for turn in turns:
        one.add(turn.text, turn.role)
        one.render(SMALL.tokens[-1])
    for first, second in zip(pixels(one), pixels(Memory(SMALL, turns)), strict=True):
        np.testing.assert_array_equal(first, second)


@settings(max_examples=50, deadline=None)
@given(TEXTS)
def test_no_ink_reaches_the_edge(text: str) -> None:
    for page in pixels(Memory(SMALL, [Turn(text, "W" * 40)])):
        inner = page[2:-2, 2:-2]
        assert (page == 255).sum() - (inner == 255).sum() == page.size - inner.size


@given(st.text(st.sampled_from("ab -\n"), max_size=200))
def test_only_white_space_at_breaks_is_lost(text: str) -> None:
    lines = [line.text for line in typeset(text, "", 0, SMALL)]
    assert "".join("".join(lines).split()) == "".join(text.split())
    assert len(lines) >= text.count("\n") + 1


def test_words_ideographs_and_long_words_break_where_they_should() -> None:
    words = [line.text for line in typeset("one two " * 20, "", 0, SMALL)]
    assert len(words) > 1 and all(set(line.split()) == {"one", "two"} for line in words)
    assert "".join(line.text for line in typeset("漢字" * 40, "", 0, SMALL)) == "漢字" * 40
    long = [line.text for line in typeset("x" * 200, "", 0, SMALL)]
    assert "".join(long) == "x" * 200 and len(long) > 2


def test_roles_stand_in_bold_before_their_text() -> None:
    line = next(typeset("Hello", "user", 3, SMALL))
    assert [(run.face, run.text) for run in line.runs] == [("DejaVuSans-Bold", "user: "), ("DejaVuSans", "Hello")]
    assert line.turn == 3


def test_what_cannot_be_drawn_is_replaced_and_counted() -> None:
    page = Memory(SMALL, [Turn("a\tb שלום 👍 \x07 e\u0301 x\u200dy \ud800 你")]).render().pages[0]
    assert page.text == f"a    b {UNKNOWN * 4} {UNKNOWN} {UNKNOWN} é xy {UNKNOWN} 你"
    assert page.unknown == 7


def test_an_empty_memory_shows_nothing() -> None:
    assert Memory(SMALL).render(0).pages == () and Memory(SMALL).tokens() == 0


@pytest.mark.parametrize(("text", "role"), [("", ""), ("a", "x" * 41), ("a", "two\nlines")])
def test_bad_turns_are_refused_and_nothing_is_added(text: str, role: str) -> None:
    memory = Memory(SMALL)
    with pytest.raises(UserError, match="memory"):
        memory.add(text, role)
    assert memory.turns == () == memory.pages


def test_the_models_own_preprocessing_makes_what_is_seen() -> None:
    memory = Memory(MemoryOptions(), [Turn("The quick brown fox. " * 2000)])
    page = memory.render(300).pages[0]
    assert page.mode is MODES["tiny"]
    assert page.image.size == (1280, 1280) and page.seen().size == (512, 512)
    assert page.seen().tobytes() == page.image.resize((512, 512), 3).tobytes()


def test_legibility_falls_with_the_mode() -> None:
    page = Memory(MemoryOptions(), [Turn("The quick brown fox. " * 200)]).render().pages[0]
    kept = [correlation(replace(page, mode=MODES[name])) for name in ("large", "base", "small", "tiny")]
    assert kept == sorted(kept, reverse=True)
    assert kept[0] == pytest.approx(1, abs=1e-12) and 0.5 < kept[-1] < 0.9
    told = [letters(MemoryOptions(font_size=8), MODES[name]) for name in ("large", "tiny")]
    assert 0.9 < told[0] <= 1 and 0.1 < told[1] < told[0] - 0.1
    # DejaVu's x is 0.547 em high.
    heights = [x_height(MemoryOptions(), mode) for mode in fading_modes(tuple(MODES.values()))]
    assert heights == pytest.approx([0.547 * 16 * size / 1280 for size in (1280, 1024, 640, 512)], abs=0.02)


@settings(max_examples=25, deadline=None)
@given(turns=TURNS)
def test_a_memory_is_saved_whole(turns: list[Turn], tmp_path_factory: pytest.TempPathFactory) -> None:
    file = tmp_path_factory.mktemp("memory") / "memory.jsonl"
    options = MemoryOptions(modes=SMALL.modes, font_size=11, ages=(1, 2, 9))
    save(Memory(options, turns), file)
    again = load(file)
    assert again.options == options and list(again.turns) == turns == read_turns(file)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "line 1"),
        (b'{"text": "a"}\n', "line 1"),
        (b'{"memory": {"version": 2}}\n', "another version"),
        (b'{"memory": {"version": 1, "modes": [{"sides": 3}]}}\n', "not those of a memory"),
        (b'{"memory": {"version": 1, "modes": 3, "ages": null}}\n', "not those of a memory"),
        (b"\xff\n", "line 1"),
    ],
)
def test_bad_files_are_refused(content: bytes, message: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    file = tmp_path_factory.mktemp("memory") / "bad.jsonl"
    file.write_bytes(content)
    with pytest.raises(UserError, match=message):
        load(file)


@pytest.mark.parametrize("line", ['{"role": "user"}', '{"text": 3}', '{"text": "a", "more": 1}', "[]", "{", "null"])
def test_bad_turns_in_files_name_their_line(line: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    file = tmp_path_factory.mktemp("memory") / "bad.jsonl"
    file.write_text(f'{{"text": "good"}}\n{line}\n')
    with pytest.raises(UserError, match="line 2"):
        read_turns(file)
