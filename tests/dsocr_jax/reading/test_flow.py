"""Many pages through a stub of a model: memory is bounded by the window, order is kept, nothing is lost."""

import random
import threading
import weakref
from collections.abc import Callable, Iterator
from concurrent.futures import Future

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from dsocr_jax.reading import flow as flow_module
from dsocr_jax.reading.asking import Answer, Ask
from dsocr_jax.reading.documents import Failure, Page
from dsocr_jax.reading.flow import Flow
from dsocr_jax.reading.loading import load_documents
from tests.dsocr_jax.reading.made_documents import pdf, sized


class StubTicket:
    """Answered at once, or when told."""

    def __init__(self, item: Page | Ask):
        self.page = item if isinstance(item, Page) else item.page
        self.future: Future[Answer | Failure] = Future()

    def answer(self) -> None:
        if self.future.set_running_or_notify_cancel():
            self.future.set_result(Answer(self.page, self.page.source, (1,), (0.0,), "stop", 1, 0))

    def cancel(self) -> None:
        self.future.cancel()


def flow(submit: Callable[[Page | Ask], StubTicket], ahead: int, ordered: bool = True) -> Flow:
    return Flow(submit, lambda tickets: None, ahead, ordered, None)  # type: ignore[arg-type]


def at_once(item: Page | Ask) -> StubTicket:
    ticket = StubTicket(item)
    ticket.answer()
    return ticket


def pages(count: int) -> Iterator[Page]:
    for number in range(count):
        yield Page(Image.new("L", (1, 1)), str(number))


@settings(max_examples=30, deadline=None)
@given(
    count=st.integers(0, 40), ahead=st.integers(1, 8), ordered=st.booleans(), fail=st.integers(0, 40),
    seed=st.integers(0, 99),
)  # fmt: skip
def test_every_page_is_answered_once_and_never_more_are_held(
    count: int, ahead: int, ordered: bool, fail: int, seed: int
) -> None:
    """Answers come back in any order, from another thread."""
    rng = random.Random(seed)
    waiting: list[StubTicket] = []
    changed = threading.Condition()
    held = most = 0
    over = False

    def submit(item: Page | Ask) -> StubTicket:
        nonlocal held, most
        with changed:
            held += 1
            most = max(most, held)
            waiting.append(StubTicket(item))
            changed.notify()
            return waiting[-1]

    def work() -> None:
        while True:
            with changed:
                while not waiting and not over:
                    changed.wait()
                if over and not waiting:
                    return
                ticket = waiting.pop(rng.randrange(len(waiting)))
            ticket.answer()

    worker = threading.Thread(target=work)
    worker.start()
    items = (Failure("bad", "bad") if number == fail else one for number, one in enumerate(pages(count)))
    found = []
    for one in flow(submit, ahead, ordered).run(items):
        found.append("bad" if isinstance(one, Failure) else one.text)
        held -= not isinstance(one, Failure)
    with changed:
        over = True
        changed.notify()
    worker.join()
    expected = ["bad" if number == fail else str(number) for number in range(count)]
    assert (found if ordered else sorted(found)) == (expected if ordered else sorted(expected))
    assert most <= ahead


def test_ten_thousand_pages_pass_in_the_memory_of_a_few() -> None:
    """A PDF of 10,000 pages: no more pictures are alive than the windows of opening and reading allow."""
    document = pdf(*[sized(12, 12)] * 10_000)
    alive: list[weakref.ref[Image.Image]] = []
    most = 0

    def submit(item: Page | Ask) -> StubTicket:
        nonlocal most
        assert isinstance(item, Page)
        alive[:] = [*(image for image in alive if image() is not None), weakref.ref(item.image)]
        most = max(most, len(alive))
        return at_once(item)

    numbers = [
        one.page.page for one in flow(submit, 8).run(load_documents(document, threads=2)) if isinstance(one, Answer)
    ]
    assert numbers == list(range(1, 10_001))
    assert most <= 8 + 2 * 2 + 4


def test_large_pictures_are_held_one_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(flow_module, "MAX_BYTES", 100 * 100 * 3)
    held: list[StubTicket] = []
    most = 0

    def submit(item: Page | Ask) -> StubTicket:
        nonlocal most
        held.append(StubTicket(item))
        most = max(most, len(held))
        threading.Timer(0.02, lambda: held.pop(0).answer()).start()
        return held[-1]

    items = (Page(Image.new("RGB", (100, 100)), str(number)) for number in range(5))
    assert len(list(flow(submit, 64).run(items))) == 5
    assert most == 1


def test_leaving_early_cancels_what_is_at_work_and_closes_the_source() -> None:
    tickets: list[StubTicket] = []
    closed = threading.Event()

    def submit(item: Page | Ask) -> StubTicket:
        tickets.append(StubTicket(item))
        if len(tickets) == 1:
            tickets[0].answer()
        return tickets[-1]

    def items() -> Iterator[Page]:
        try:
            yield from pages(1000)
        finally:
            closed.set()

    answers = flow(submit, 4).run(items())
    next(answers)
    answers.close()
    assert closed.wait(30)
    assert all(ticket.future.cancelled() for ticket in tickets[1:])
    assert len(tickets) < 10
