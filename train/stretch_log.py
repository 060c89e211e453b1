"""What a stretch says and remembers beside its arrays (`train.stretch`)."""

import dataclasses
import json
import time
from collections import Counter
from pathlib import Path
from typing import Any

import jax
import numpy as np

from dsocr_jax.console import console
from train.data import Fed
from train.metrics import plain
from train.step import Metrics


@dataclasses.dataclass
class Progress:
    """What is carried from stretch to stretch beside the arrays."""

    step: int = 0
    rung: int = 0
    stretch: int = 0
    samples: int = 0
    tokens: int = 0
    seconds: float = 0.0
    drawn: dict[str, int] = dataclasses.field(default_factory=dict)


class Log:
    """Lines of the log: figures of the step, means since the line before, and how fast it went.

    Attributes:
        kinds: the loss of each kind in the last line.
        stuck: whether every step of the last line was skipped.
    """

    def __init__(self, file: Path, progress: Progress, lines: list[dict[str, Any]]) -> None:
        self.progress = progress
        self._file = file
        file.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
        self._pending: list[tuple[Metrics, Fed]] = []
        self._begun, self._waited = time.monotonic(), 0.0
        self.kinds: dict[str, float] = {}
        self.stuck = False

    def note(self, metrics: Metrics, fed: Fed, waited: float) -> None:
        """Take in a step that was just begun."""
        self._pending.append((metrics, dataclasses.replace(fed, batch=None)))  # type: ignore[arg-type]
        self._waited += waited

    def restart(self) -> None:
        """Leave out of the rates what has passed since the last line."""
        self._begun, self._waited = time.monotonic(), 0.0

    def line(self, rung: str, kinds: tuple[str, ...]) -> None:
        """Wait for the steps noted, and write their line; losses and gradients are those of the steps not skipped."""
        if not self._pending:
            return
        fetched = [plain(jax.device_get(metrics)) for metrics, _ in self._pending]
        fed = [one for _, one in self._pending]
        now = time.monotonic()
        passed, self._pending = now - self._begun, []
        kept = [not one["skipped"] for one in fetched]
        self.stuck, kept = not any(kept), kept if any(kept) else [True] * len(kept)
        made = [one for one, keep in zip(fetched, kept, strict=True) if keep]
        modes = [one.mode for one, keep in zip(fed, kept, strict=True) if keep]
        sums = np.sum([one["kind_loss"] for one in made], axis=0)
        counts = np.sum([one["kind_tokens"] for one in made], axis=0)
        self.kinds = {name: float(a / b) for name, a, b in zip(kinds, sums, counts, strict=True) if b}
        samples, last, progress = sum(one.kinds.total() for one in fed), fetched[-1], self.progress
        progress.samples += samples
        progress.tokens += sum(one.tokens for one in fed)
        progress.seconds += passed
        line = {
            "step": progress.step,
            "loss": float(sums.sum() / max(counts.sum(), 1)),
            "lr": last["lr"],
            "grad_norm": float(np.mean([np.nan if one["grad_norm"] is None else one["grad_norm"] for one in made])),
            "router_loss": last["router_loss"],
            "skipped": sum(one["skipped"] for one in fetched),
            "kinds": {name: round(loss, 5) for name, loss in self.kinds.items()},
            "modes": _by_mode(made, modes),
            "rung": rung,
            "stretch": progress.stretch,
            "samples": progress.samples,
            "tokens": progress.tokens,
            "seconds": round(progress.seconds, 2),
            "samples_per_s": round(samples / passed, 1),
            "steps_per_s": round(len(fed) / passed, 3),
            "waited": round(self._waited / passed, 3),
            "filled": round(float(np.mean([one.filled for one in fed])), 3),
            "views_filled": round(float(np.mean([one.views_filled for one in fed])), 3),
            "left_out": dict(sum((one.left_out for one in fed), Counter())),
            "bad": dict(sum((one.bad for one in fed), Counter())),
        }
        with self._file.open("a", encoding="utf-8") as stream:
            stream.write(json.dumps(line) + "\n")
        losses = " ".join(f"{name} {loss:.3f}" for name, loss in self.kinds.items())
        console.print(
            f"{rung} step {progress.step} loss {line['loss']:.4f} ({losses}) |g| {line['grad_norm']:.2f} "
            f"{line['samples_per_s']:.0f} samples/s {line['steps_per_s']:.2f} steps/s wait {line['waited']:.0%} "
            f"views {line['views_filled']:.0%}",
            markup=False,
        )
        self.restart()


def _by_mode(made: list[dict[str, Any]], modes: list[str]) -> dict[str, float]:
    """Return the loss of a token in each mode, over the steps that were made in it."""
    found = {}
    for mode in dict.fromkeys(modes):
        own = [one for one, other in zip(made, modes, strict=True) if other == mode]
        loss, tokens = (float(np.sum([one[name] for one in own])) for name in ("kind_loss", "kind_tokens"))
        found[mode] = loss / max(tokens, 1)
    return found
