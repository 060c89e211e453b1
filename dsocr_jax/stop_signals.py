"""Ctrl-C and SIGTERM as an event, for work that finishes what it has begun."""

import contextlib
import os
import signal
import threading
from collections.abc import Iterator


@contextlib.contextmanager
def stop_signals(notice: str = "") -> Iterator[threading.Event]:
    """Yield an event that Ctrl-C and SIGTERM set; a second Ctrl-C interrupts at once.

    Args:
        notice: what to say when the first signal comes; empty for nothing.
    """
    stop = threading.Event()
    if threading.current_thread() is not threading.main_thread():  # Python allows handlers nowhere else
        yield stop
        return

    def on_signal(number: int, frame: object) -> None:
        if stop.is_set() and number == signal.SIGINT:
            raise KeyboardInterrupt
        if notice and not stop.is_set():
            # Not the console: the signal may have come while it was writing.
            os.write(2, f"\n{notice}\n".encode())
        stop.set()

    before = {number: signal.signal(number, on_signal) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
