"""What is said and written about each step.

A line of ``metrics.jsonl`` has the step's own figures (``loss`` and ``router_loss`` in nats, ``grad_norm``, ``lr``,
``norm/PART`` ..., ``router_load`` by layer and expert); ``kinds`` and ``modes``, the loss of all samples of each kind
and mode since the line before; and what has come by since the run began: ``samples``, ``tokens`` without padding,
``pictures``, ``skipped`` steps, and samples that were ``left_out`` or ``bad``, by reason.
"""

import contextlib
import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Self

import jax

from dsocr_jax.errors import UserError
from train.board import FOLDER, Board
from train.config import TrainConfig
from train.data import Fed
from train.goodput import Goodput
from train.metrics import MetricsFile, plain
from train.speed import Speed
from train.step import Metrics

METRICS, SPEED = "metrics.jsonl", "speed.jsonl"


class Journal:
    """Looks at each step's figures when the next step is already under way, so that devices never wait for it.

    ``metrics.jsonl`` holds only what the run's configuration decides: two runs of it give the same bytes, however often
    they were interrupted, if a run goes on with what `state` gave. ``speed.jsonl`` holds what was measured. One process
    of several writes. A context manager.

    Args:
        config: of the run.
        step: number of steps made before.
        state: what `state` returned after that step.
        advance: told after every step, with what is to be shown.
        kinds: names of the kinds, in the order of `dsocr_jax.batch.Batch.kinds`.
        goodput: see `train.speed.Speed`.

    Attributes:
        left_out: samples left out so far, by kind and reason (see `train.data.Fed`).
    """

    def __init__(
        self,
        config: TrainConfig,
        step: int,
        state: Mapping[str, Any],
        advance: Callable[[int, str], None],
        kinds: Sequence[str] = (),
        goodput: Goodput | None = None,
    ) -> None:
        self.config, self._advance, self._kinds = config, advance, kinds
        self.left_out: Counter[str] = Counter(state.get("left_out", {}))
        self.bad: Counter[str] = Counter(state.get("bad", {}))
        self._passed: Counter[str] = Counter(state.get("passed", {}))
        self._by_kind, self._by_mode = Means(state.get("kinds")), Means(state.get("modes"))
        self._files = contextlib.ExitStack()
        self._writes = jax.process_index() == 0
        if self._writes:
            self._metrics, self._speeds = (
                self._files.enter_context(MetricsFile(config.out / name, step)) for name in (METRICS, SPEED)
            )
        self._board = None
        if self._writes and config.tensorboard:
            self._board = self._files.enter_context(Board(config.out / FOLDER, step))
        self._speed = Speed(config, goodput)
        self._pending: tuple[int, Metrics, Fed, float] | None = None
        self._note = ""

    def state(self) -> dict[str, Any]:
        """Return what has been counted up to the step last settled, as JSON holds it."""
        return {
            "left_out": dict(self.left_out),
            "bad": dict(self.bad),
            "passed": dict(self._passed),
            "kinds": self._by_kind.state(),
            "modes": self._by_mode.state(),
        }

    def note(self, step: int, metrics: Metrics, fed: Fed, waited: float) -> None:
        """Take in the step that was just begun; settles the one before it.

        Args:
            step: number of steps with this one.
            metrics: its figures, perhaps still being computed.
            fed: its batch.
            waited: seconds that the batch was waited for.
        """
        self.settle()
        self._pending = (step, metrics, fed, waited)

    def settle(self) -> None:
        """Wait for the step last noted, and write its line if it is due.

        Raises:
            UserError: its loss or gradient is not finite, and it was not skipped.
        """
        if self._pending is None:
            return
        step, metrics, fed, waited = self._pending
        self._pending = None
        values = plain(jax.device_get(metrics))
        _check_finite(step, values)
        self._count(values, fed)
        self._speed.add(fed, waited)
        if step % self.config.log_every == 0 or step == self.config.steps:
            self._note = self._write(step, values)
        self._advance(1, self._note)

    def _count(self, values: Mapping[str, Any], fed: Fed) -> None:
        self.left_out += fed.left_out
        self.bad += fed.bad
        processes = jax.process_count()
        self._passed["samples"] += fed.kinds.total() * processes
        self._passed["tokens"] += fed.tokens * processes
        self._passed["pictures"] += fed.pictures * processes
        self._passed["skipped"] += bool(values.get("skipped"))
        if values.get("skipped"):
            return
        if fed.mode and values.get("answer_tokens"):
            self._by_mode.add(fed.mode, values["loss"] * values["answer_tokens"], values["answer_tokens"])
        sums, tokens = values.get("kind_loss", ()), values.get("kind_tokens", ())
        for name, loss, count in zip(self._kinds, sums, tokens, strict=False):
            self._by_kind.add(name, loss, count)

    def _write(self, step: int, values: dict[str, Any]) -> str:
        kinds, speed = self._by_kind.take(), self._speed.line()
        own = {name: value for name, value in values.items() if name not in ("kind_loss", "kind_tokens", "skipped")}
        line = {"step": step, **own, "kinds": kinds, "modes": self._by_mode.take()}
        line |= {name: self._passed[name] for name in ("samples", "tokens", "pictures", "skipped")}
        line |= {"left_out": dict(sorted(self.left_out.items())), "bad": dict(sorted(self.bad.items()))}
        if self._writes:
            self._metrics.write(line)
            self._speeds.write({"step": step, **speed})
        if self._board is not None:
            self._board.write(step, line, speed)
        return describe(line, speed)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._files.close()


class Means:
    """Means by name: sums in float64, and how many there were, since they were last taken."""

    def __init__(self, state: Mapping[str, Sequence[float]] | None = None) -> None:
        self._sums = {name: (float(total), int(count)) for name, (total, count) in (state or {}).items()}

    def state(self) -> dict[str, list[float]]:
        """Return the sums as JSON holds them."""
        return {name: [total, count] for name, (total, count) in self._sums.items()}

    def add(self, name: str, total: float, count: int) -> None:
        """Add a sum of so many."""
        before = self._sums.get(name, (0.0, 0))
        if count:
            self._sums[name] = (before[0] + total, before[1] + count)

    def take(self) -> dict[str, float]:
        """Return the means in the order of their names, and begin anew."""
        means = {name: total / count for name, (total, count) in sorted(self._sums.items())}
        self._sums = {}
        return means


def describe(line: Mapping[str, Any], speed: Mapping[str, Any]) -> str:
    """Return the live line, short enough to fit beside the bar on a terminal of 120 columns."""
    parts = [f"loss {line['loss']:.3f}" if line["loss"] is not None else "loss not finite", f"lr {line['lr']:.0e}"]
    if "tokens_per_s" in speed:
        parts.append(f"{_short(speed['tokens_per_s'])} tok/s")
    if "share_of_peak" in speed:
        parts.append(f"{speed['share_of_peak']:.0%} peak")
    if "input_wait" in speed:
        parts.append(f"{speed['input_wait']:.1%} wait")
    if line["skipped"]:
        parts.append(f"{line['skipped']} skipped")
    return ", ".join(parts)


def _short(number: float) -> str:
    for unit, size in (("M", 1e6), ("k", 1e3)):
        if number >= size:
            return f"{number / size:.3g}{unit}"
    return f"{number:.0f}"


def _check_finite(step: int, values: Mapping[str, Any]) -> None:
    if values.get("skipped"):  # `train.health` sees to it
        return
    for name in ("loss", "router_loss", "grad_norm"):
        if values[name] is None or not math.isfinite(values[name]):
            raise UserError(
                f"training broke at step {step}: {name} is not finite; nothing of it was saved. Start a new run with a "
                "lower --optimizer.peak-lr, a longer --optimizer.warmup or a smaller --optimizer.clip"
            )
