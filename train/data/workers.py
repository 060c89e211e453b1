"""Processes that make rows, each those of its own lanes. One that dies is started anew where it was."""

import contextlib
import ctypes
import multiprocessing
import os
import signal
import threading
import traceback
from collections import deque
from collections.abc import Mapping, Sequence
from multiprocessing.connection import Connection
from typing import Any

from datagen import families
from dsocr_jax.errors import UserError
from train.data.lanes import LaneState, Plan
from train.data.rows import Made, RowMaker, joined
from train.data.slots import slot_batch, slot_bytes, write

#: Steps whose rows a worker may make before the first of them is taken: as many as find room in `SLOTS_BYTES`, within
#: these limits. A step waits for its slowest rows, so workers need some steps over which quick and slow ones even out.
LEAST_SLOTS, MOST_SLOTS, SLOTS_BYTES = 3, 12, 1 << 30

#: So often in a row may a worker die.
MAX_DEATHS = 3

#: Seconds that a process which has closed its connection gets to end.
_ENDING = 5.0

#: Spawned, never forked: this process holds the threads and locks of JAX.
_CONTEXT = multiprocessing.get_context("spawn")


class _Worker:
    """One process, and what is needed to start it again.

    Args:
        plan: of the run.
        lanes: of all workers of this process.
        part: its own, by their places among these.
        memory: slots for all lanes, which the workers share.
        name: what messages call it.
    """

    def __init__(self, plan: Plan, lanes: range, part: slice, memory: Any, name: str) -> None:
        self.plan, self.name, self.part = plan, name, part
        self.lanes, self._rows, self._memory = lanes[part], len(lanes), memory
        self._states: dict[int, Sequence[LaneState]] = {}
        self._asked: deque[tuple[int, int]] = deque()
        self._deaths, self.stopping = 0, False
        self._start()

    def _start(self) -> None:
        self._connection, theirs = _CONTEXT.Pipe()
        arguments = (theirs, self._memory, self.plan, self._rows, self.part, self.lanes, dict(families.MODULES))
        process = _CONTEXT.Process(target=_work, args=arguments, name=self.name, daemon=True)
        process.start()
        theirs.close()
        self.process = process
        self._send(("seek", self._states))
        for asked in self._asked:
            self._send(("make", *asked))

    def _send(self, message: tuple[Any, ...]) -> None:
        with contextlib.suppress(OSError):  # it has died, which is seen when its answer is waited for
            self._connection.send(message)

    def seek(self, states: Mapping[int, Sequence[LaneState]]) -> None:
        """Go on where the lanes stood; nothing may be under way."""
        self._states = dict(states)
        self._send(("seek", self._states))

    def ask(self, mode: int, slot: int) -> None:
        """Begin the next row of every lane, in a mode; they go into a slot."""
        self._asked.append((mode, slot))
        self._send(("make", *self._asked[-1]))

    def take(self) -> Made:
        """Return what was asked for first.

        Raises:
            UserError: the data cannot be used, or the process died too often.
        """
        while True:
            try:
                kind, answer = self._connection.recv()
                break
            except (EOFError, OSError):
                self._died()
        self._deaths = 0
        if kind == "error":
            raise UserError(answer)
        if kind == "broken":
            raise RuntimeError(f"{self.name} failed:\n{answer}")
        mode, slot = self._asked.popleft()
        made = Made(slot_batch(self._memory, slot, self.plan, mode, self._rows, self.part), **answer)
        self._states[mode] = made.states
        return made

    def _died(self) -> None:
        """Start the process again from where its last answer left it."""
        self.process.join(_ENDING)
        self.kill()
        self._connection.close()
        self._deaths += 1
        if self._deaths == MAX_DEATHS:
            code = self.process.exitcode
            how = f"signal {-code}" if code is not None and code < 0 else f"status {code}"
            mode = self.plan.modes[self._asked[0][0]].name
            raise UserError(
                f"{self.name} died {self._deaths} times in a row ({how}) while it made rows {self.lanes.start} to "
                f"{self.lanes.stop - 1} of a step in mode {mode} (was memory short?); what was saved is kept. Take "
                "fewer --workers and run the same command again"
            )
        if not self.stopping:
            self._start()
        if self.stopping:  # also where that came between the two lines above
            self.kill()
            raise UserError(f"{self.name} was stopped")

    def kill(self) -> None:
        """End the process at once."""
        self.process.kill()
        self.process.join()

    def close(self) -> None:
        """Let go of a process that has ended; nobody may be waiting for it."""
        self._connection.close()


class Workers:
    """Several processes that share the lanes of this one; once made, `kill` and `close` must be called.

    Args:
        plan: of the run.
        lanes: rows of this process.
        count: processes; more than there are lanes are not started.

    Attributes:
        slots: steps that may be under way.
    """

    def __init__(self, plan: Plan, lanes: range, count: int) -> None:
        self._plan, self._rows, count = plan, len(lanes), min(count, len(lanes))
        edges = [len(lanes) * i // count for i in range(count + 1)]
        # One memory for all: a step's rows stand side by side in it, as they go to the devices.
        size = slot_bytes(plan, len(lanes))
        self.slots = min(MOST_SLOTS, max(LEAST_SLOTS, SLOTS_BYTES // size))
        self._memory = _CONTEXT.RawArray(ctypes.c_uint8, self.slots * size)
        self._all = [
            _Worker(plan, lanes, slice(*edges[i : i + 2]), self._memory, f"data worker {i + 1} of {count}")
            for i in range(count)
        ]
        self._asked: deque[tuple[int, int]] = deque()
        self._next = 0

    @property
    def processes(self) -> list[int]:
        """Ids of the processes."""
        return [worker.process.pid for worker in self._all if worker.process.pid is not None]

    def seek(self, states: Mapping[int, Sequence[LaneState]]) -> None:
        """Go on where the lanes stood: their states by the mode's number. What was asked for is forgotten."""
        while self._asked:
            self.take()
        for worker in self._all:
            worker.seek({mode: every[worker.part] for mode, every in states.items()})

    def ask(self, mode: int) -> bool:
        """Begin the rows of the next step, in a mode; False if enough is under way."""
        if len(self._asked) == self.slots:
            return False
        for worker in self._all:
            worker.ask(mode, self._next)
        self._asked.append((mode, self._next))
        self._next = (self._next + 1) % self.slots
        return True

    def take(self) -> Made:
        """Return the rows asked for first, in the order of the lanes, when they are made; see `_Worker.take`.

        Their arrays are overwritten when `slots` more steps are asked for.
        """
        made = [worker.take() for worker in self._all]
        mode, slot = self._asked.popleft()
        return joined(made, slot_batch(self._memory, slot, self._plan, mode, self._rows))

    def kill(self) -> None:
        """End all processes; who waits in `take` gets an error."""
        for worker in self._all:
            worker.stopping = True
        for worker in self._all:
            worker.kill()

    def close(self) -> None:
        """Let go of everything, after `kill`; nobody may be waiting in `take`."""
        for worker in self._all:
            worker.close()


def _work(
    connection: Connection,
    memory: Any,
    plan: Plan,
    rows: int,
    part: slice,
    lanes: range,
    modules: dict[str, str],
) -> None:
    """Make rows as they are asked for; the main function of a worker process."""
    # The main process alone heeds signals, and it takes its workers along.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    threading.Thread(target=_follow_parent, daemon=True).start()
    os.environ["OPENCV_FOR_THREADS_NUM"] = "1"  # one processor a worker
    families.MODULES.update(modules)
    maker = RowMaker(plan, lanes)
    try:
        while True:
            what, *rest = connection.recv()
            if what == "seek":
                maker.seek(*rest)
                continue
            mode, slot = rest
            made = maker.make(mode)
            write(made.batch, slot_batch(memory, slot, plan, mode, rows, part))
            connection.send(("made", {name: value for name, value in vars(made).items() if name != "batch"}))
    except (EOFError, ConnectionError):
        return
    except UserError as error:
        connection.send(("error", str(error)))
    except Exception:
        connection.send(("broken", traceback.format_exc()))


def _follow_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
