"""Many pages through the desk: a bounded number at once, answers in order or as they are ready."""

import dataclasses
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from queue import Empty, SimpleQueue

from dsocr_jax.errors import UserError
from dsocr_jax.reading.asking import Ask
from dsocr_jax.reading.desk import Result, Ticket
from dsocr_jax.reading.documents import Failure, Page

#: Bytes of pictures that are held at once, unless a single one has more.
MAX_BYTES = 2 << 30
#: Seconds between two looks whether to stop.
POLL = 0.2


class _Room:
    """Counts the pages that are held, and their bytes."""

    def __init__(self, pages: int):
        self._most = pages
        self._held: dict[int, int] = {}
        self._changed = threading.Condition()
        self.closed = False

    def take(self, number: int, size: int) -> bool:
        """Wait until there is room; False when nothing more is taken."""
        with self._changed:
            while not self.closed and self._held and not self._fits(size):
                self._changed.wait()
            self._held[number] = size
            return not self.closed

    def _fits(self, size: int) -> bool:
        return len(self._held) < self._most and sum(self._held.values()) + size <= MAX_BYTES

    def give(self, number: int) -> None:
        with self._changed:
            self._held.pop(number, None)
            self._changed.notify()

    def close(self) -> None:
        with self._changed:
            self.closed = True
            self._changed.notify()


@dataclasses.dataclass(frozen=True)
class _End:
    """Nothing more comes, after ``count`` items."""

    count: int
    error: BaseException | None


class Flow:
    """One call of `dsocr_jax.reading.reader.Reader.read`, which describes the arguments."""

    def __init__(
        self,
        submit: Callable[[Page | Ask], Ticket],
        drop_waiting: Callable[[list[Ticket]], None],
        ahead: int,
        ordered: bool,
        stopping: Callable[[], bool] | None,
    ):
        self.submit, self.drop_waiting = submit, drop_waiting
        self.ordered, self.stopping = ordered, stopping
        self.room = _Room(ahead)
        self.tickets: dict[int, Ticket] = {}
        self.ready: SimpleQueue[tuple[int, Result | Future[Result] | _End]] = SimpleQueue()
        self.left = False

    def run(self, items: Iterable[Page | Failure | Ask]) -> Iterator[Result]:
        """Yield the answers."""
        threading.Thread(target=self._feed, args=(iter(items),), name="pages", daemon=True).start()
        early: dict[int, Result | None] = {}
        total: int | None = None
        error: BaseException | None = None
        following = done = 0
        stopped = False
        try:
            while total is None or done < total:
                if not stopped and self.stopping is not None and self.stopping():
                    stopped = True
                    self.room.close()
                    self.drop_waiting(list(self.tickets.values()))
                try:
                    number, result = self.ready.get(timeout=POLL if self.stopping else None)
                except Empty:
                    continue
                if isinstance(result, _End):
                    total, error = result.count, result.error
                    continue
                done += 1
                early[number] = self._result(result)
                self.tickets.pop(number, None)
                for ready in [number] if not self.ordered else range(following, max(early) + 1):
                    if ready not in early:
                        break
                    following = ready + 1
                    answer = early.pop(ready)
                    self.room.give(ready)
                    if answer is not None:
                        yield answer
            if error is not None:
                raise error
        finally:
            self.room.close()
            self.left = True
            for ticket in list(self.tickets.values()):
                ticket.cancel()

    @staticmethod
    def _result(result: Result | Future[Result]) -> Result | None:
        if not isinstance(result, Future):
            return result
        return None if result.cancelled() else result.result()

    def _feed(self, items: Iterator[Page | Failure | Ask]) -> None:
        number, error = 0, None
        try:
            for item in items:
                page = item if isinstance(item, Page) else item.page if isinstance(item, Ask) else None
                size = page.image.width * page.image.height * 3 if isinstance(page, Page) else 0
                if not self.room.take(number, size):
                    break
                self._begin(number, item)
                number += 1
        except BaseException as raised:
            error = raised
        finally:
            if hasattr(items, "close"):
                items.close()
            self.ready.put((number, _End(number, error)))

    def _begin(self, number: int, item: Page | Failure | Ask) -> None:
        if isinstance(item, Failure):
            self.ready.put((number, item))
            return
        try:
            ticket = self.submit(item)
        except UserError as error:
            page = item.page if isinstance(item, Ask) else item
            self.ready.put((number, Failure(page.source, f"{page.source}: {error}", page.page)))
            return
        self.tickets[number] = ticket
        ticket.future.add_done_callback(lambda future: self.ready.put((number, future)))
        if self.left:
            ticket.cancel()
