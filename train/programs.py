"""A run's step, compiled for every mode at once and beside whatever else a start does."""

from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import jax

from dsocr_jax.batch import Batch
from train.data import BatchSource
from train.step import Metrics, Step, TrainState

#: Programs that are compiled at the same time: each tries its kernels out on the device, which takes memory.
AT_ONCE = 4


class Programs:
    """A step, one program for each shape of batches.

    Those that are announced are compiled in threads; any other is compiled when it is asked for.

    Args:
        jitted: the step.
        abstract: the state's shapes.
    """

    def __init__(self, jitted: Any, abstract: TrainState) -> None:
        self.lower = jitted.lower
        self._jitted, self._abstract = jitted, abstract
        self._compiled: dict[Any, Future[Any]] = {}

    def begin(self, batches: Iterable[Batch]) -> None:
        """Begin to compile for batches of these shapes (`jax.ShapeDtypeStruct` leaves), in this order."""
        pool = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="compile")
        for batch in batches:
            if (key := _key(batch)) not in self._compiled:
                # Traced here: only the compiler works beside Python.
                self._compiled[key] = pool.submit(self.lower(self._abstract, batch).compile)
        pool.shutdown(wait=False)

    def __call__(self, state: TrainState, batch: Batch) -> tuple[TrainState, Metrics]:
        """Make a step, once its program is there."""
        compiled = self._compiled.get(_key(batch))
        step = self._jitted if compiled is None else compiled.result()
        made: tuple[TrainState, Metrics] = step(state, batch)
        return made


def announce(step: Step, source: BatchSource) -> None:
    """Let ``step``, if it is a `Programs`, begin to compile for every mode of ``source``."""
    if isinstance(step, Programs):
        step.begin(map(source.shapes, range(len(source.config.modes))))


def _key(batch: Batch) -> Any:
    leaves, tree = jax.tree.flatten(batch)
    return tree, tuple((leaf.shape, leaf.dtype) for leaf in leaves)
