"""What is said and written about each step; a loss that is not finite ends the run."""

import contextlib
import math
import time
from collections import Counter
from collections.abc import Callable
from typing import Any, Self

import jax

from dsocr_jax.errors import UserError
from train.config import TrainConfig
from train.data import Fed
from train.metrics import MetricsFile
from train.step import Metrics

METRICS, SPEED = "metrics.jsonl", "speed.jsonl"


class Journal:
    """Looks at each step's figures when the next step is already under way, so that devices never wait for it.

    ``metrics.jsonl`` holds only what the run's configuration decides: two runs of it give the same bytes.
    ``speed.jsonl`` holds what was measured. A context manager.

    Attributes:
        left_out: samples left out so far, by kind and reason (see `train.data.Fed`).
    """

    def __init__(
        self, config: TrainConfig, step: int, left_out: dict[str, int], advance: Callable[[int, str], None]
    ) -> None:
        self.config, self.left_out, self._advance = config, Counter(left_out), advance
        self._files = contextlib.ExitStack()
        self._metrics = self._open(METRICS, step)
        self._speed = self._open(SPEED, step)
        self._pending: tuple[int, Metrics, Fed] | None = None
        self._since, self._waited, self._samples, self._tokens = time.monotonic(), 0.0, 0, 0

    def _open(self, name: str, step: int) -> MetricsFile | None:
        path = self.config.out / name
        return self._files.enter_context(MetricsFile(path, step)) if jax.process_index() == 0 else None

    def note(self, step: int, metrics: Metrics, fed: Fed, waited: float) -> None:
        """Take in the step that was just begun; settles the one before it.

        Args:
            step: number of steps with this one.
            metrics: its figures, perhaps still being computed.
            fed: its batch.
            waited: seconds that the batch was waited for.
        """
        self.settle()
        self._pending = (step, metrics, fed)
        self._waited += waited

    def settle(self) -> None:
        """Wait for the step last noted, and write its line if it is due.

        Raises:
            UserError: its loss or gradient is not finite.
        """
        if self._pending is None:
            return
        step, metrics, fed = self._pending
        self._pending = None
        values = {name: array.item() for name, array in jax.device_get(metrics).items()}
        _check_finite(step, values)
        self.left_out += fed.left_out
        self._samples += fed.kinds.total() * jax.process_count()
        self._tokens += int(fed.batch.mask.sum()) * jax.process_count()
        note = ""
        if step % self.config.log_every == 0 or step == self.config.steps:
            note = self._write(step, values)
        self._advance(1, note or self._last)
        self._last = note or self._last

    _last = ""

    def _write(self, step: int, values: dict[str, Any]) -> str:
        seconds = max(time.monotonic() - self._since, 1e-9)
        speed = {
            "samples_per_s": self._samples / seconds,
            "tokens_per_s": self._tokens / seconds,
            "input_wait": self._waited / seconds,
        }
        self._since, self._waited, self._samples, self._tokens = time.monotonic(), 0.0, 0, 0
        if self._metrics is not None and self._speed is not None:
            samples = step * self.config.rows
            finite = {name: x if math.isfinite(x) else None for name, x in values.items()}
            self._metrics.write(
                {"step": step, **finite, "samples": samples, "left_out": dict(sorted(self.left_out.items()))}
            )
            self._speed.write({"step": step, **speed})
        return (
            f"loss {values['loss']:.3f}  router {values['router_loss']:.4f}  lr {values['lr']:.1e}  "
            f"{speed['samples_per_s']:.1f} samples/s  {speed['tokens_per_s']:,.0f} tokens/s  "
            f"{speed['input_wait']:.0%} waiting for input"
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._files.close()


def _check_finite(step: int, values: dict[str, Any]) -> None:
    if values.get("skipped"):  # `train.health` sees to it
        return
    broken = [name for name in ("loss", "router_loss", "grad_norm") if not math.isfinite(values[name])]
    if broken:
        raise UserError(
            f"training broke at step {step}: {broken[0]} is {values[broken[0]]}; nothing of it was saved. Start a "
            "new run with a lower --optimizer.peak-lr, a longer --optimizer.warmup or a smaller --optimizer.clip"
        )
