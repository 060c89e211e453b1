"""The desk between callers and the engine: pages are prepared in threads, read by one engine, answered to each caller.

The engine belongs to a thread of the desk's own, which lives while there is work. Callers on any thread put pages on
the desk and get tickets; the device never waits for them, nor they for each other.
"""

import itertools
import threading
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar

from dsocr_jax.batch import Example, make_example
from dsocr_jax.errors import UserError
from dsocr_jax.reading.asking import Answer, Ask, Try
from dsocr_jax.reading.blank import is_blank
from dsocr_jax.reading.documents import Failure
from dsocr_jax.reading.engine import Engine, Progress, Request
from dsocr_jax.reading.streaming import TextStream
from dsocr_jax.tokenizer import Tokenizer

Result = Answer | Failure
T = TypeVar("T")


class Ticket:
    """One page on the desk.

    Attributes:
        ask: what is asked.
        future: its answer, or the failure that became of it; cancelled when the ticket was.
    """

    def __init__(self, ask: Ask, tries: tuple[Try, ...], desk: "Desk", on_text: Callable[[str], None] | None):
        self.ask = ask
        self.tries = tries
        self.tried = 0
        self.future: Future[Result] = Future()
        self.before: Answer | None = None
        self._desk = desk
        self._on_text = on_text
        self._stream = TextStream(desk.tokenizer) if on_text is not None else None
        self._told = 0

    def cancel(self) -> None:
        """Give the page up, wherever it is; does nothing when it has been answered."""
        if self.future.cancel():
            self._desk.take_back([self])

    def tell(self, ids: list[int], ended: bool) -> None:
        """Stream the text of the ids so far, end mark excluded."""
        if self._stream is None or self._on_text is None:
            return
        # A row that began again repeats what was told.
        new, self._told = ids[self._told :], max(self._told, len(ids))
        for piece in (self._stream.feed(new) if new else "", self._stream.finish() if ended else ""):
            if piece:
                self._on_text(piece)


class Desk:
    """Reads pages for any number of callers with one engine.

    Args:
        engine: used by this desk alone.
        tokenizer: of the model.
        threads: pages prepared at the same time.
        blank: blank pages get an empty answer.
    """

    def __init__(self, engine: Engine, tokenizer: Tokenizer, threads: int, blank: bool):
        self.engine = engine
        self.tokenizer = tokenizer
        self.blank = blank
        self._pool = ThreadPoolExecutor(threads, "prepare")
        self._changed = threading.Condition()
        self._keys = itertools.count()
        self._open: dict[int, Ticket] = {}
        self._ready: deque[tuple[int, Example]] = deque()
        self._jobs: deque[Callable[[], object]] = deque()
        self._calls: set[Future[Any]] = set()
        self._thread: threading.Thread | None = None
        self._broken: BaseException | None = None

    def submit(self, ask: Ask, tries: tuple[Try, ...], on_text: Callable[[str], None] | None = None) -> Ticket:
        """Put a page on the desk; the call returns at once.

        Args:
            ask: the page.
            tries: how it may be read.
            on_text: told pieces of text as they come, on the desk's thread; for a single try.
        """
        ticket = Ticket(ask, tries, self, on_text)
        self._prepare(ticket)
        return ticket

    def call(self, function: Callable[[], T]) -> T:
        """Run a function on the engine's thread, between two of its steps, and return what it returns.

        What breaks the engine before its turn comes is raised here.
        """
        future: Future[T] = Future()

        def job() -> None:
            try:
                future.set_result(function())
            except BaseException as error:
                future.set_exception(error)

        self._calls.add(future)
        try:
            self._post(job)
            return future.result()
        finally:
            self._calls.discard(future)

    def take_back(self, tickets: Iterable[Ticket]) -> None:
        """Let the engine forget cancelled tickets."""
        gone = set(map(id, tickets))
        with self._changed:
            keys = [key for key, ticket in self._open.items() if id(ticket) in gone]
            for key in keys:
                del self._open[key]

        def forget() -> None:
            for key in keys:
                self.engine.cancel(key)

        if keys and self._broken is None:
            self._post(forget)

    def drop_waiting(self, tickets: Sequence[Ticket]) -> None:
        """Cancel those of the tickets that no row of the engine is at work on."""

        def drop() -> None:
            at_work = {progress.request.key for progress in self.engine.rows if progress is not None}
            begun = {id(ticket) for key, ticket in list(self._open.items()) if key in at_work}
            for ticket in tickets:
                if id(ticket) not in begun:
                    ticket.cancel()

        self._post(drop)

    def _post(self, job: Callable[[], object]) -> None:
        with self._changed:
            self._jobs.append(job)
            self._wake()

    def _wake(self) -> None:
        """Let the engine's thread look, and begin it where there is none; called with the condition held."""
        if self._broken is not None:
            raise RuntimeError("the engine has failed; make a new reader") from self._broken
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name="reading")
            self._thread.start()
        self._changed.notify()

    def _prepare(self, ticket: Ticket) -> None:
        key = next(self._keys)
        with self._changed:
            self._open[key] = ticket
            self._wake()
        if ticket.future.cancelled():  # between two tries
            self.take_back([ticket])
        self._pool.submit(self._make, key, ticket)

    def _make(self, key: int, ticket: Ticket) -> None:
        """Make a prompt of a page; runs in a thread of the pool."""
        now, page = ticket.tries[ticket.tried], ticket.ask.page
        try:
            context = page.image if ticket.ask.text is None else ticket.ask.text
            if ticket.tried == 0 and self.blank and ticket.ask.text is None and is_blank(page.image):
                self._settle(key, Answer(page, "", (), (), "stop", 0, 0, now.mode.name, now.prompt, tries=0))
                return
            example = make_example(self.tokenizer, self.engine.config, now.mode, now.prompt, context)
        except UserError as error:
            self._fail(key, ticket, error)
        except BaseException as error:
            self._settle(key, error)
        else:
            with self._changed:
                self._ready.append((key, example))
                self._changed.notify()

    def _fail(self, key: int, ticket: Ticket, error: UserError) -> None:
        """Settle with a failure, or with what an earlier try brought."""
        page = ticket.ask.page
        self._settle(key, ticket.before or Failure(page.source, f"{page.source}: {error}", page.page))

    def _settle(self, key: int, result: Result | BaseException) -> None:
        with self._changed:
            ticket = self._open.pop(key, None)
            self._changed.notify()
        # False when the ticket was cancelled meanwhile.
        if ticket is not None and ticket.future.set_running_or_notify_cancel():
            if isinstance(result, BaseException):
                ticket.future.set_exception(result)
            else:
                ticket.future.set_result(result)

    def _work(self) -> None:
        """Run the engine until nothing is left to do, or the program ends."""
        try:
            while threading.main_thread().is_alive():
                with self._changed:
                    while not (self._ready or self._jobs or self.engine.busy):
                        if not self._open:
                            self._thread = None
                            return
                        if not self._changed.wait(1) and not threading.main_thread().is_alive():
                            return
                    ready, jobs = list(self._ready), list(self._jobs)
                    self._ready.clear()
                    self._jobs.clear()
                for job in jobs:
                    job()
                for key, example in ready:
                    self._add(key, example)
                for progress in self.engine.step():
                    self._note(progress)
        except BaseException as error:
            with self._changed:
                self._broken = error
                left = list(self._open)
            for key in left:
                self._settle(key, error)
            for call in list(self._calls):
                if not call.done():
                    call.set_exception(error)

    def _add(self, key: int, example: Example) -> None:
        ticket = self._open.get(key)
        if ticket is None:
            return
        now = ticket.tries[ticket.tried]
        try:
            self.engine.add(Request(key, example, now.max_new_tokens, now.rule, now.sampling))
        except UserError as error:
            self._fail(key, ticket, error)

    def _note(self, progress: Progress) -> None:
        key = progress.request.key
        ticket = self._open.get(key)
        if ticket is None:
            return
        ids, reason = progress.tokens, progress.finish_reason
        text_ids = ids[:-1] if reason == "stop" else ids
        try:
            ticket.tell(text_ids, reason is not None)
        except Exception as error:  # the listener's own; it must not stop the others' pages
            self.engine.cancel(key)
            self._settle(key, error)
            return
        if reason is None:
            return
        ticket.tried += 1
        now, example = ticket.tries[ticket.tried - 1], progress.request.example
        answer = Answer(
            ticket.ask.page,
            self.tokenizer.decode(text_ids).strip(),
            tuple(ids),
            tuple(progress.log_probs),
            reason,
            len(example.tokens),
            int((example.tokens == self.engine.config.image_token_id).sum()),
            now.mode.name,
            now.prompt,
            ticket.tried,
        )
        if reason == "repetition" and ticket.tried < len(ticket.tries):
            ticket.before = answer
            with self._changed:
                self._open.pop(key, None)
            self._prepare(ticket)
        else:
            self._settle(key, answer)
