"""The reader: pages with wishes of their own in, answers out; streams, second tries, what cannot be read."""

import dataclasses
import itertools
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import jax
import numpy as np
import pytest
from PIL import Image

from dsocr_jax.batch import collate, make_example
from dsocr_jax.errors import UserError
from dsocr_jax.modes import count_tokens
from dsocr_jax.preprocess import preprocess
from dsocr_jax.prompts import PROMPTS
from dsocr_jax.reading.asking import Answer, Ask, ReadOptions, plan_tries
from dsocr_jax.reading.choose import LoopRule, Sampling
from dsocr_jax.reading.documents import Failure, Page
from dsocr_jax.reading.reader import Reader
from dsocr_jax.reading.repetition import NoRepeat, named_rule
from tests.dsocr_jax.reading.small import CONFIG, MODES, loaded, model, page, picture, tokenizer

OPTIONS = ReadOptions("tiny", max_new_tokens=30, loops=LoopRule(48, 3), ladder=True, rows=4, steps=8, threads=2)
PAGES = [page(seed) for seed in range(5)]
MIXED = [
    Ask(one, mode=mode, prompt=prompt, locate="it", max_new_tokens=12)
    for one, (mode, prompt) in zip(
        itertools.cycle(PAGES), itertools.product(("tiny", "base", "gundam"), ("free", "locate", "What is it?")),
        strict=False,
    )
][:9]  # fmt: skip


@pytest.fixture(scope="module")
def reader() -> Reader:
    return Reader(loaded(), OPTIONS)


@pytest.fixture(scope="module")
def answers(reader: Reader) -> list[Answer]:
    found = list(reader.read(MIXED))
    assert all(isinstance(one, Answer) for one in found)
    return found  # type: ignore[return-value]


def said(items: list[Answer | Failure]) -> list[tuple[int, ...] | str]:
    return [one.message if isinstance(one, Failure) else one.token_ids for one in items]


def test_answers_come_in_order_each_as_it_was_asked(answers: list[Answer]) -> None:
    assert [one.page for one in answers] == [ask.page for ask in MIXED]
    assert [one.mode for one in answers] == [ask.mode for ask in MIXED]
    assert answers[1].prompt == PROMPTS["locate"].replace("{text}", "it")
    assert answers[2].prompt == "<image>\nWhat is it?"
    for one in answers:
        mode = next(mode for mode in MODES if mode.name == one.mode)
        assert one.vision_tokens == count_tokens(mode, preprocess(one.page.image, mode).grid, CONFIG.stride)
        assert one.prompt_tokens > one.vision_tokens
        assert 0 < one.confidence < 1
        assert one.confidence == pytest.approx(np.exp(np.mean(one.log_probs)))
        assert (one.finish_reason, len(one.token_ids), one.tries) == ("length", 12, 1)


def test_as_they_finish_they_are_the_same(reader: Reader, answers: list[Answer]) -> None:
    found = list(reader.read(MIXED[::-1], ordered=False))
    assert {(id(one.page), one.mode, one.prompt): one.token_ids for one in found if isinstance(one, Answer)} == {
        (id(one.page), one.mode, one.prompt): one.token_ids for one in answers
    }


def test_several_threads_read_at_once(reader: Reader, answers: list[Answer]) -> None:
    found: dict[int, list[Answer | Failure]] = {}

    def read(number: int) -> None:
        found[number] = list(reader.read(MIXED[number::3]))

    threads = [threading.Thread(target=read, args=(number,)) for number in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [said(found[number]) for number in range(3)] == [said(list(answers[number::3])) for number in range(3)]


def test_a_stream_joins_to_the_answer(reader: Reader, answers: list[Answer]) -> None:
    pieces = list(reader.stream(MIXED[4]))
    assert len(pieces) > 1
    assert "".join(pieces) == answers[4].text


def test_a_stream_that_is_left_gives_its_row_back(reader: Reader) -> None:
    stream = reader.stream(Ask(PAGES[0], max_new_tokens=200))
    next(stream)
    stream.close()
    (after,) = reader.read([PAGES[1]])
    assert isinstance(after, Answer)
    assert reader.desk.call(lambda: reader.desk.engine.free) == 4


def test_a_stream_of_what_cannot_be_read_raises(reader: Reader) -> None:
    with pytest.raises(UserError, match=r"picture 0: a prompt of .* leaves no room"):
        list(reader.stream(Ask(PAGES[0], prompt="x" * 300)))


def test_a_listener_that_fails_fails_alone(reader: Reader) -> None:
    def listen(piece: str) -> None:
        raise KeyError(piece)

    bad, good = reader.submit(PAGES[0], listen), reader.submit(PAGES[1])
    with pytest.raises(KeyError):
        bad.future.result()
    assert isinstance(good.future.result(), Answer)


def test_pages_of_any_size(reader: Reader) -> None:
    sizes = [(1, 1), (1, 7), (10_000, 50), (50, 10_000), (3, 2000), (64, 64), (65, 64)]
    asks = [
        Ask(Page(picture(0, *size), str(size)), mode=mode.name, max_new_tokens=2) for size in sizes for mode in MODES
    ]
    found = list(reader.read(asks))
    blank = [one.tries == 0 for one in found if isinstance(one, Answer)]
    assert len(blank) == len(asks)
    assert blank == [size == (1, 1) for size in sizes for _ in MODES]  # one pixel is of one colour


def test_what_cannot_be_read_fails_alone(reader: Reader) -> None:
    items = [
        Failure("a.png", "a.png: damaged"),
        Ask(PAGES[0], mode="tinny"),
        Ask(PAGES[0], rule="sometimes"),
        Ask(PAGES[0], prompt="<image> and <image>"),
        Ask(PAGES[0], prompt="x" * 300),
        Ask(PAGES[0], max_new_tokens=2),
    ]
    found = list(reader.read(items))
    messages = [one.message for one in found if isinstance(one, Failure)]
    assert len(messages) == 5 and isinstance(found[5], Answer)
    for message, part in zip(messages, ("damaged", "'tiny'", "'sometimes'", "at most once", "no room"), strict=True):
        assert part in message


def test_a_blank_page_is_not_shown_to_the_model(reader: Reader) -> None:
    white = Page(Image.new("RGB", (300, 200), "white"), "white")
    (found,) = reader.read([white])
    assert isinstance(found, Answer)
    assert (found.text, found.token_ids, found.finish_reason, found.tries) == ("", (), "stop", 0)
    assert found.confidence == 1
    assert list(reader.stream(white)) == []


LOOPS = Ask(page(4), mode="base", prompt="Read.", max_new_tokens=100)


def test_a_loop_is_read_again_with_a_stronger_rule(reader: Reader) -> None:
    (found,) = reader.read([LOOPS])
    assert isinstance(found, Answer)
    assert (found.tries, found.finish_reason) == (2, "length")
    plain = dataclasses.replace(OPTIONS, ladder=False)
    tries = plan_tries(plain, CONFIG, tokenizer(), LOOPS)
    once = reader.desk.submit(LOOPS, tries).future.result()
    assert isinstance(once, Answer)
    assert (once.tries, once.finish_reason) == (1, "repetition")
    assert found.token_ids[:20] == once.token_ids[:20]


def test_the_ladder_ends_in_the_next_mode() -> None:
    tries = plan_tries(OPTIONS, CONFIG, tokenizer())
    assert [(one.mode.name, one.rule) for one in tries] == [
        ("tiny", None), ("tiny", NoRepeat(20)), ("base", NoRepeat(20)),
    ]  # fmt: skip
    last = plan_tries(OPTIONS, CONFIG, tokenizer(), Ask(PAGES[0], mode="gundam", rule="plain"))
    assert [(one.mode.name, one.rule) for one in last] == [("gundam", NoRepeat(20)), ("gundam", NoRepeat(10))]


def test_a_later_try_that_does_not_fit_leaves_the_answer_before(reader: Reader) -> None:
    first, second, _ = plan_tries(OPTIONS, CONFIG, tokenizer(), LOOPS)[:3]
    too_long = dataclasses.replace(second, prompt="<image>" + "x" * 300)
    found = reader.desk.submit(LOOPS, (first, too_long)).future.result()
    assert isinstance(found, Answer)
    assert (found.tries, found.finish_reason) == (1, "repetition")


def test_rules_by_name_spare_the_tokenizers_own_tags() -> None:
    tags = tokenizer().special_ids["<td>"], tokenizer().special_ids["</td>"]
    assert named_rule("image", tokenizer()) == NoRepeat(30, 90, tags)
    assert named_rule("plain", tokenizer()) == NoRepeat(20)


def test_sampled_pages_repeat_with_their_seed(reader: Reader) -> None:
    def read(seed: int, *others: Page) -> tuple[int, ...]:
        ask = Ask(PAGES[0], sampling=Sampling(1.2, 0.95, seed), max_new_tokens=12)
        found = list(reader.read([*others, ask]))[-1]
        assert isinstance(found, Answer)
        return found.token_ids

    assert read(1) == read(1, *PAGES[1:]) != read(2)


def test_vision_tokens_alone(reader: Reader) -> None:
    embed = jax.jit(lambda model, batch: model.embed(batch))
    for mode in MODES:
        found = list(reader.encode(PAGES, mode.name))
        assert len(found) == len(PAGES)
        example = make_example(tokenizer(), CONFIG, mode, "<image>", PAGES[3].image)
        embedded = np.asarray(embed(model(), collate([example], CONFIG, 32, {64: 5, 128: 1})))[0]
        expected = embedded[: len(example.tokens)][example.tokens == CONFIG.image_token_id]
        assert found[3].dtype == np.float32
        np.testing.assert_allclose(found[3], expected, atol=1e-5)


def test_every_shape_that_occurs_was_listed(monkeypatch: pytest.MonkeyPatch) -> None:
    """After the warm-up, nothing of the engine compiles any more."""
    from dsocr_jax.reading import slots, vision

    reader = Reader(loaded(), OPTIONS)
    names = [mode.name for mode in MODES]
    assert reader.warm_up(names) == len(reader.shapes(names)) == len(set(reader.shapes(names)))
    before = [one._cache_size() for one in (slots.insert, slots.advance, vision.encode_views)]
    asks = [Ask(page(9, *size), mode=mode) for size in ((30, 30), (200, 90), (90, 200)) for mode in names]
    assert all(isinstance(one, Answer) for one in reader.read([*asks, Ask(page(8), max_new_tokens=200)]))
    assert [one._cache_size() for one in (slots.insert, slots.advance, vision.encode_views)] == before


def test_what_the_source_raises_comes_after_the_answers_before_it(reader: Reader) -> None:
    def items() -> Iterator[Page]:
        yield from PAGES[:2]
        raise KeyError("source")

    found = []
    with pytest.raises(KeyError, match="source"):
        for one in reader.read(items()):
            found.append(one)
    assert len(found) == 2


def test_stopping_finishes_what_is_at_work_and_begins_nothing_more(reader: Reader) -> None:
    stop = threading.Event()
    taken = []

    def items() -> Iterator[Page]:
        for number in itertools.count():
            taken.append(number)
            yield page(number)

    found = []
    for one in reader.read(items(), stopping=stop.is_set):
        found.append(one)
        stop.set()
    assert 1 <= len(found) <= len(taken) <= 4 * 4 + 2
    assert all(isinstance(one, Answer) and len(one.token_ids) == 30 for one in found)


def test_the_thread_ends_with_the_work(reader: Reader) -> None:
    list(reader.read(PAGES[:1]))
    deadline = time.monotonic() + 30
    while any(thread.name == "reading" for thread in threading.enumerate()):
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_broken_engine_is_told_to_every_caller(monkeypatch: pytest.MonkeyPatch) -> None:
    reader = Reader(loaded(), OPTIONS)

    def fail() -> None:
        raise MemoryError("no more memory")

    monkeypatch.setattr(reader.desk.engine, "step", fail)
    with pytest.raises(MemoryError, match="no more memory"):
        list(reader.read(PAGES))
    with pytest.raises(RuntimeError, match="make a new reader"):
        reader.submit(PAGES[0])


def test_a_call_that_waits_for_a_broken_engine_is_told_too(monkeypatch: pytest.MonkeyPatch) -> None:
    reader, at_work, go = Reader(loaded(), OPTIONS), threading.Event(), threading.Event()

    def fail() -> None:
        at_work.set()
        go.wait(30)
        raise MemoryError("no more memory")

    monkeypatch.setattr(reader.desk.engine, "step", fail)
    reader.submit(PAGES[0])
    assert at_work.wait(30)
    with ThreadPoolExecutor(1) as pool:
        call = pool.submit(reader.desk.call, lambda: "too late")
        while not reader.desk._jobs:
            time.sleep(0.01)
        go.set()
        with pytest.raises(MemoryError, match="no more memory"):
            call.result(30)


@pytest.mark.parametrize("field", ["rows", "steps", "threads", "ahead", "length", "max_new_tokens"])
def test_options_that_mean_nothing_are_refused(field: str) -> None:
    with pytest.raises(UserError, match="at least 1, got 0"):
        ReadOptions("tiny", **{field: 0})
