"""Ctrl-C and SIGTERM end a run between two steps; a second Ctrl-C ends it at once."""

import os
import signal
import threading
from types import FrameType
from typing import Any, Self

import jax
import numpy as np

#: What the shell expects of a program that a signal ended.
EXIT_CODES = {signal.SIGINT: 130, signal.SIGTERM: 143}


class Interrupt:
    """A context manager that notes the first signal instead of dying of it.

    Attributes:
        signal: the first signal that came, or None.
    """

    def __init__(self) -> None:
        self.signal: signal.Signals | None = None
        self._before: dict[signal.Signals, Any] = {}

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():  # Python allows handlers nowhere else
            self._before = {number: signal.signal(number, self._note) for number in EXIT_CODES}
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _note(self, number: int, _: FrameType | None) -> None:
        if self.signal is not None:
            if number == signal.SIGINT:
                signal.signal(signal.SIGINT, signal.SIG_DFL)
                os.kill(os.getpid(), signal.SIGINT)
            return
        self.signal = signal.Signals(number)
        # Not the console: the signal may have come while it was writing.
        os.write(2, b"\nfinishing the step and saving; Ctrl-C again ends at once, without saving\n")

    def agreed(self) -> bool:
        """Whether to stop; the same answer in every process of the run."""
        if jax.process_count() == 1:
            return self.signal is not None
        from jax.experimental import multihost_utils

        return bool(multihost_utils.process_allgather(np.array(self.signal is not None)).any())

    @property
    def exit_code(self) -> int:
        """The status to exit with: 130 for Ctrl-C, 143 for SIGTERM (also when another process got the signal)."""
        return EXIT_CODES[self.signal or signal.SIGTERM]
