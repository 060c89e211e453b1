"""One document on its way through the reader: its pages in order, each with its text as it comes."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Callable
from concurrent.futures import CancelledError, Future
from dataclasses import dataclass, field, replace

import anyio
import anyio.to_thread
from PIL import Image

from dsocr_jax.errors import UserError
from dsocr_jax.reading.asking import Answer, Ask
from dsocr_jax.reading.desk import Result, Ticket
from dsocr_jax.reading.documents import Failure, Page
from dsocr_jax.reading.reader import Reader
from dsocr_jax.serving.errors import ApiError, internal, of_user
from dsocr_jax.serving.pages import Document, TooManyPages

log = logging.getLogger(__name__)

#: In place of a picture that has been read.
NOTHING = Image.new("RGB", (1, 1))

#: Turns a page into what is asked about it.
Asking = Callable[[Page], Ask]


@dataclass(eq=False)
class Sheet:
    """A page of a document in work.

    Attributes:
        number: of the page in its document; None for a single picture.
        result: its answer, without the picture, or why there is none; None while it is at work.
    """

    number: int | None
    result: Result | None = None
    _pieces: "asyncio.Queue[str | Exception | None]" = field(default_factory=asyncio.Queue)

    async def pieces(self) -> AsyncIterator[str]:
        """Yield pieces of the text as they come; then ``result`` is there.

        Raises:
            ApiError: there will be no result.
        """
        while (piece := await self._pieces.get()) is not None:
            if isinstance(piece, Exception):
                raise api_error(piece)
            yield piece

    async def settled(self) -> Result:
        """Return the result when it is there."""
        async for _ in self.pieces():
            pass
        assert self.result is not None
        return self.result


class Reading:
    """The pages of one document; `close` must be called.

    A page takes its place only when it is opened, and pages of all documents take their places in turn, so a long
    document delays others by a page or two, not by its length.

    Args:
        reader: reads.
        threads: bounds how many pages are opened at once.
        places: pages of all documents that may be open at once; a page gives its place back when it is read, whether
            the client has taken its text or not.
        settled: told of every page that was begun, when its result is there; None for one that was given up.
        failed: told of errors that are nobody's fault but ours.
    """

    def __init__(
        self,
        reader: Reader,
        threads: anyio.CapacityLimiter,
        places: asyncio.Semaphore,
        settled: Callable[[Result | None], None],
        failed: Callable[[], None],
    ):
        self._reader, self._threads, self._places = reader, threads, places
        self._settled, self._failed = settled, failed
        self._sheets: asyncio.Queue[Sheet | Exception | None] = asyncio.Queue()
        self._begun: list[Sheet] = []
        self._tickets: set[Ticket] = set()
        self._closed = False
        self._producer: asyncio.Task[None] | None = None

    def open(self, document: Document, asking: Asking, stream: bool) -> None:
        """Begin to open pages and to have them read."""
        self._producer = asyncio.create_task(self._produce(document, asking, stream))

    async def sheets(self) -> AsyncIterator[Sheet]:
        """Yield pages in order.

        Raises:
            ApiError: there are too many, or something failed.
        """
        while (item := await self._sheets.get()) is not None:
            if isinstance(item, Exception):
                raise api_error(item)
            yield item

    @property
    def pages_open(self) -> int:
        """Pages that are submitted and not read yet."""
        return len(self._tickets)

    def abort(self, error: ApiError) -> None:
        """Let the client be told of an error in place of what is missing."""
        for sheet in self._begun:
            sheet._pieces.put_nowait(error)
        self._sheets.put_nowait(error)
        self.close()

    def close(self) -> None:
        """Free the rows and open no more pages, whether everything was read or nobody wants it any more."""
        self._closed = True
        for ticket in list(self._tickets):
            ticket.cancel()

    async def _produce(self, document: Document, asking: Asking, stream: bool) -> None:
        try:
            while not self._closed:
                await self._places.acquire()
                try:
                    item = None
                    if not self._closed:
                        item = await anyio.to_thread.run_sync(document.next, limiter=self._threads)
                finally:
                    if not isinstance(item, Page) or self._closed:
                        self._places.release()
                if item is None or self._closed:
                    break
                if isinstance(item, Failure):
                    self._settled(item)
                    sheet = Sheet(item.page, item)
                    sheet._pieces.put_nowait(None)
                else:
                    sheet = Sheet(item.page)
                    self._submit(sheet, asking(item), stream)
                self._sheets.put_nowait(sheet)
        except Exception as error:
            if not isinstance(error, UserError):
                log.exception("a page cannot be opened")
            self._sheets.put_nowait(error)
        self._sheets.put_nowait(None)

    def _submit(self, sheet: Sheet, ask: Ask, stream: bool) -> None:
        loop = asyncio.get_running_loop()
        self._begun.append(sheet)

        def in_loop(function: Callable[..., None], *args: object) -> None:
            with contextlib.suppress(RuntimeError):  # the server has ended
                loop.call_soon_threadsafe(function, *args)

        def on_text(piece: str) -> None:
            in_loop(sheet._pieces.put_nowait, piece)

        def done(future: Future[Result]) -> None:
            in_loop(self._done, sheet, ticket, future)

        try:
            ticket = self._reader.submit(ask, on_text if stream else None)
        except Exception as error:
            self._places.release()
            self._broken(sheet, error)
            return
        self._tickets.add(ticket)
        ticket.future.add_done_callback(done)

    def _done(self, sheet: Sheet, ticket: Ticket, future: Future[Result]) -> None:
        self._tickets.discard(ticket)
        self._begun.remove(sheet)
        self._places.release()
        try:
            result = future.result()
        except CancelledError:
            self._settled(None)
            sheet._pieces.put_nowait(None)
            return
        except BaseException as error:
            self._broken(sheet, error)
            return
        if isinstance(result, Answer):  # the text may wait for a slow client, the picture need not
            result = replace(result, page=replace(result.page, image=NOTHING))
        sheet.result = result
        self._settled(result)
        sheet._pieces.put_nowait(None)

    def _broken(self, sheet: Sheet, error: BaseException) -> None:
        if not isinstance(error, UserError):
            log.error("a page cannot be read", exc_info=error)
            self._failed()
        self._settled(Failure("", str(error), sheet.number))
        sheet._pieces.put_nowait(error if isinstance(error, Exception) else internal())


def api_error(error: Exception) -> ApiError:
    """What a client is told of an error."""
    if isinstance(error, ApiError):
        return error
    if isinstance(error, TooManyPages):
        return ApiError(413, str(error), code="too_many_pages")
    return of_user(error) if isinstance(error, UserError) else internal()
