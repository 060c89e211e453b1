"""The model behind the doors: lets requests in, reads their documents, and stops in good order."""

import asyncio
import logging
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress

import anyio
import anyio.to_thread

from dsocr_jax.reading.asking import ReadOptions
from dsocr_jax.reading.desk import Result
from dsocr_jax.reading.pdf_pool import PdfPool
from dsocr_jax.reading.reader import Reader
from dsocr_jax.serving.asks import Names
from dsocr_jax.serving.errors import ApiError, full, stopping
from dsocr_jax.serving.metrics import Metrics
from dsocr_jax.serving.pages import Document
from dsocr_jax.serving.reading import Asking, Reading, Sheet
from dsocr_jax.serving.settings import ServeOptions
from dsocr_jax.weights.checkpoint import LoadedModel

log = logging.getLogger(__name__)

#: Pages that may be open at once, for each row: one at work and one that waits for its place.
PLACES = 2
#: Seconds between two looks whether the warm-up is over.
WARM_SECONDS = 0.05
#: Seconds that an engine which may be broken gets to answer.
MEND_SECONDS = 30.0
#: Seconds that processes which draw PDF pages get to end.
PDF_SECONDS = 2.0


class Service:
    """A loaded model that reads for many clients. Except for `start` and `stop`, call it in one event loop only.

    Args:
        loaded: the model.
        options: how it reads.

    Raises:
        UserError: there is no such mode or rule.
    """

    def __init__(self, loaded: LoadedModel, options: ServeOptions):
        self.loaded, self.options = loaded, options
        self.names = Names(loaded, options)
        self.reader: Reader | None = self._make_reader()
        self.rows = self.reader.rows
        # What is compiled in for pages that wish for nothing special.
        self._compiled = self.reader.desk.engine.compiled
        self.admitted = 0
        self._state = "warming up"
        self._stop_at: float | None = None
        self._ended = False
        self._pdfs = PdfPool(options.threads)
        self._threads: anyio.CapacityLimiter | None = None
        self._places: asyncio.Semaphore | None = None
        self._readings: set[Reading] = set()
        self._mending: asyncio.Task[None] | None = None
        self.metrics = Metrics(
            self.rows,
            lambda: self.active,
            lambda: self.pages_open,
            lambda: self.admitted,
            lambda: self.state == "ready",
        )

    def _make_reader(self) -> Reader:
        options = self.options
        asked = ReadOptions(
            options.mode,
            rule=options.no_repeat,
            ladder=options.ladder,
            rows=options.rows,
            steps=options.steps,
            threads=options.threads,
        )
        return Reader(self.loaded, asked)

    def start(self) -> None:
        """Warm the reader up in a thread; requests are let in and wait."""
        threading.Thread(target=self._warm_up, name="warm up", daemon=True).start()

    def _warm_up(self) -> None:
        try:
            if self.options.warm and self.reader is not None:
                self.reader.warm_up()
        except Exception:  # pages came first: they compile what they need
            log.warning("the warm-up was not finished", exc_info=True)
        self._state = "ready"

    @property
    def state(self) -> str:
        """``ready``, or why not: ``warming up``, ``failed`` or ``stopping``."""
        return self._state if self._stop_at is None else "stopping"

    @property
    def active(self) -> int:
        """Rows at work."""
        return 0 if self.reader is None else sum(row is not None for row in self.reader.desk.engine.rows)

    @property
    def pages_open(self) -> int:
        """Pages that were opened and are not read yet."""
        return sum(one.pages_open for one in self._readings)

    @contextmanager
    def admission(self) -> Iterator[None]:
        """Let a request in before its body is read: the queue bounds the memory that bodies take, too.

        Raises:
            ApiError: the queue is full, or the server stops or has failed.
        """
        if self._stop_at is not None:
            raise stopping()
        if self.reader is None:
            raise ApiError(503, "the engine has failed; the server's log says why", code="engine_failed")
        if self.admitted >= self.rows + self.options.limits.queue:
            raise full()
        self.admitted += 1
        try:
            yield
        finally:
            self.admitted -= 1

    @asynccontextmanager
    async def reading(self, body: bytes, asking: Asking, stream: bool = False) -> AsyncIterator[AsyncIterator[Sheet]]:
        """Read a document: gives its pages in order; what is not finished at the end is given up.

        Args:
            body: the bytes of a picture or PDF.
            asking: how.
            stream: pages tell their text as it comes.
        """
        while self._state == "warming up":
            if self.stopped:
                raise stopping()
            await asyncio.sleep(WARM_SECONDS)
        if self._threads is None or self._places is None:
            self._threads = anyio.CapacityLimiter(self.options.threads)
            self._places = asyncio.Semaphore(PLACES * self.rows)
        if self.reader is None:
            raise ApiError(503, "the engine has failed; the server's log says why", code="engine_failed")
        reading = Reading(self.reader, self._threads, self._places, self._settled, self._failed)
        self._readings.add(reading)
        options = self.options
        reading.open(Document(body, options.documents, options.limits.max_pages, self._pdfs), asking, stream)
        try:
            yield reading.sheets()
        finally:
            reading.close()
            self._readings.discard(reading)
            self._narrow()

    def _settled(self, result: Result | None) -> None:
        self.metrics.page(result)

    def _narrow(self) -> None:
        """Go back to the plain program when nobody samples any more, or asks for a rule of their own.

        The engine widens what is compiled in when such a page comes, and every row pays for it from then on.
        """
        reader = self.reader
        if reader is None or reader.desk.engine.compiled == self._compiled:
            return
        engine, rules = reader.desk.engine, {None, *(one.rule for one in reader.tries)}

        def narrow() -> None:
            asked = [one.request for one in (*engine.waiting, *engine.rows) if one is not None]
            if all(one.sampling.temperature == 0 and one.rule in rules for one in asked):
                engine.compiled = self._compiled

        def call() -> None:
            with suppress(RuntimeError):  # it has failed
                reader.desk.call(narrow)

        threading.Thread(target=call, name="narrow", daemon=True).start()

    def _failed(self) -> None:
        """Look whether the engine can go on after an error, and make another one if it cannot."""
        if self._mending is None or self._mending.done():
            self._mending = asyncio.create_task(self._mend())

    async def _mend(self) -> None:
        if self.reader is None:
            return
        try:
            # Not for ever: an engine that breaks at this moment does not answer, and the next error asks again.
            with anyio.move_on_after(MEND_SECONDS):
                await anyio.to_thread.run_sync(self.reader.desk.call, lambda: None, abandon_on_cancel=True)
            return
        except RuntimeError:
            log.error("the engine has failed and is made anew")
        self._state, self.reader = "failed", None  # before another one takes memory
        try:
            self.reader = await anyio.to_thread.run_sync(self._make_reader)
            self._state = "ready"
        except Exception:
            log.exception("the engine cannot be made anew")

    def stop(self) -> None:
        """Let nobody in any more; what is running may finish within the limit. Safe in a signal handler."""
        if self._stop_at is None:
            self._stop_at = time.monotonic() + self.options.limits.stop_seconds

    @property
    def stopped(self) -> bool:
        """Whether everything is answered, or the time for it is over."""
        return self._stop_at is not None and (self.admitted == 0 or time.monotonic() > self._stop_at)

    def end(self) -> None:
        """Tell those whose answers are not finished that the server stops."""
        self.stop()
        for reading in list(self._readings):
            reading.abort(stopping())
        if not self._ended:
            self._ended = True
            # One that is still drawing ends later, when this process has.
            closing = threading.Thread(target=self._pdfs.close, daemon=True)
            closing.start()
            closing.join(PDF_SECONDS)
