"""Scoring many answers on several processes, in order, with a bar."""

import multiprocessing
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from typing import Any

from dsocr_jax.answers import AnswerError
from dsocr_jax.console import progress
from dsocr_jax.errors import UserError

#: Fewer examples are scored in this process: starting others takes longer.
WORTH_IT = 256
#: Examples that a process takes at a time.
CHUNK = 16


def map_scores(
    score: Callable[..., Any],
    examples: Sequence[tuple[Any, ...]],
    ids: Sequence[str],
    title: str,
    workers: int | None,
    worth_it: int = WORTH_IT,
) -> list[Any]:
    """Return ``score(*example)`` of every example, in order.

    Args:
        score: a function of a module, so that other processes find it.
        examples: its arguments.
        ids: names of the examples, for messages.
        title: of the bar.
        workers: processes; None takes one for each processor, where there is enough to do.
        worth_it: examples from which on there is.

    Raises:
        UserError: a truth cannot be parsed; the message names the example.
    """
    if workers is not None and workers < 1:
        raise UserError(f"--workers must be at least 1, not {workers}")
    count = workers or (os.cpu_count() or 1 if len(examples) >= worth_it else 1)
    results: list[Any] = []
    try:
        with progress(title, len(examples), "answers") as advance:
            if count == 1:
                for example in examples:
                    results.append(score(*example))
                    advance(1, "")
                return results
            # A fresh interpreter: a fork of a process with threads (JAX, rich) may hang.
            context = multiprocessing.get_context("spawn")
            with ProcessPoolExecutor(count, context) as pool:
                for result in pool.map(score, *zip(*examples, strict=True), chunksize=CHUNK):
                    results.append(result)
                    advance(1, "")
            return results
    except AnswerError as error:
        raise UserError(
            f"the truth of {ids[len(results)]!r} cannot be used ({error}); make the set again or correct it"
        ) from None
