"""One thread that keeps results ready."""

import queue
import threading
from collections.abc import Callable
from typing import Generic, TypeVar

#: How often a thread that waits looks whether it is to stop, in seconds.
POLL = 0.1

T = TypeVar("T")


class Ahead(Generic[T]):
    """Calls ``produce`` again and again in a thread; at most ``count`` results wait to be taken.

    What ``produce`` raises is raised by `get` in its turn, and ends the thread.
    """

    def __init__(self, produce: Callable[[], T], count: int) -> None:
        self._produce = produce
        self._results: queue.Queue[T | BaseException] = queue.Queue(count)
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="input", daemon=True)
        self._thread.start()

    def get(self) -> T:
        """Return the next result, waiting for it."""
        result = self._results.get()
        if isinstance(result, BaseException):
            self._results.put(result)  # the thread has ended: who asks again hears the same
            raise result
        return result

    def close(self) -> None:
        """Ask the thread to stop, without waiting: it may be inside ``produce``."""
        self._stopped.set()

    def join(self) -> None:
        """Wait until the thread has ended."""
        self._thread.join()

    def _run(self) -> None:
        while not self._stopped.is_set():
            result: T | BaseException
            try:
                result = self._produce()
            except BaseException as error:  # whatever it is, the loop must hear of it
                result = error
            while not self._stopped.is_set():
                try:
                    self._results.put(result, timeout=POLL)
                    break
                except queue.Full:
                    continue
            if isinstance(result, BaseException):
                return
