"""Ctrl-C and SIGTERM end a run between two steps; a second Ctrl-C ends it at once."""

import functools
import os
import signal
import threading
from collections.abc import Callable
from types import FrameType
from typing import Any, Self

import jax
import numpy as np
from jax.sharding import Mesh, NamedSharding
from jax.sharding import PartitionSpec as P

#: What the shell expects of a program that a signal ended.
EXIT_CODES = {signal.SIGINT: 130, signal.SIGTERM: 143}


class Interrupt:
    """A context manager that notes the first signal instead of dying of it.

    Attributes:
        signal: the first signal that came to this process, or None.
        stopping: what `agreed` last said.
    """

    def __init__(self) -> None:
        self.signal: signal.Signals | None = None
        self.stopping = False
        self._asked: jax.Array | None = None
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
        """Whether to stop; the same answer in every process of the run, each of which must ask after every step.

        Several processes learn of a signal one step later: the answer of this step travels while the next is computed.
        """
        if jax.process_count() == 1:
            self.stopping = self.signal is not None
        else:
            before, self._asked = self._asked, _count(self.signal is not None)
            self.stopping = before is not None and bool(before > 0)
        return self.stopping

    @property
    def exit_code(self) -> int:
        """The status to exit with: 130 for Ctrl-C, 143 for SIGTERM (also when another process got the signal)."""
        return EXIT_CODES[self.signal or signal.SIGTERM]


def _count(flag: bool) -> jax.Array:
    """Return how many devices have a process whose ``flag`` is set, without waiting for the answer."""
    mesh = Mesh(np.array(jax.devices()), ("all",))
    split, everywhere = NamedSharding(mesh, P("all")), NamedSharding(mesh, P())
    flags = jax.make_array_from_process_local_data(split, np.full(jax.local_device_count(), flag, np.int32))
    return _sum(everywhere)(flags)


@functools.cache
def _sum(sharding: NamedSharding) -> Callable[[jax.Array], jax.Array]:
    return jax.jit(lambda x: x.sum(), out_shardings=sharding)
