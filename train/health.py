"""What is done about steps whose loss or gradient is not finite: skip them, then go back, then give up.

The step itself leaves parameters and moments as they were. When that happens too often in a row, the run goes back to
its last checkpoint, for the parameters may have been led astray before, and past the data that it has seen since.
Where it went on is kept in ``RUN/rollbacks.json``: whenever the run comes by that step again, after a kill or from an
older checkpoint, it takes the same turn, so that it remains a function of its configuration and this file.
"""

import dataclasses
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from dsocr_jax.console import console
from dsocr_jax.errors import UserError
from dsocr_jax.weights.strict_json import read_json
from train.manifest import replace_file

FILE = "rollbacks.json"
MAX_BYTES = 64 << 20

#: Samples named in a message; the file has them all.
NAMED = 5


@dataclasses.dataclass(frozen=True)
class Rollback:
    """One return to an earlier step.

    Attributes:
        step: that the run went back to.
        found: last of the steps that were skipped.
        position: of the input, from which it goes on after `step`.
        samples: of the skipped steps, those that the first process read.
    """

    step: int
    found: int
    position: dict[str, Any]
    samples: list[str]


class Health:
    """The policy. It looks at each step when the next one is under way, so that devices never wait for it.

    Attributes:
        most: skipped steps in a row after which the run goes back.
        most_rollbacks: times that it may.
        rollbacks: that happened, oldest first.
        skipped: steps skipped, of those whose work is part of the run.
        row: number and samples of every step of the present row of skipped ones.
    """

    def __init__(self, most: int, most_rollbacks: int, rollbacks: Sequence[Rollback] = ()) -> None:
        self.most, self.most_rollbacks, self.rollbacks = most, most_rollbacks, list(rollbacks)
        self.skipped = 0
        self.row: list[tuple[int, list[str]]] = []
        self._pending: tuple[int, Any, list[str]] | None = None

    def note(self, step: int, skipped: Any, samples: Sequence[str]) -> None:
        """Take in the step that was just begun; judges the one before it.

        Args:
            step: its number.
            skipped: 0 or 1, perhaps an array that is still being computed.
            samples: what it was given.
        """
        self.settle()
        self._pending = (step, skipped, list(samples))

    def settle(self) -> None:
        """Wait for the step last noted, and judge it."""
        if self._pending is None:
            return
        step, skipped, samples = self._pending
        self._pending = None
        self.row = [*self.row, (step, samples)] if skipped else []
        if skipped:
            self.skipped += 1
            text = f"step {step} is skipped: loss or gradient is not finite; its samples: {named(samples)}"
            console.print(text, markup=False)

    @property
    def sound(self) -> bool:
        """Whether the last step judged was made."""
        return not self.row

    @property
    def lost(self) -> bool:
        """Whether the run must go back."""
        return len(self.row) >= self.most

    def roll_back(self, step: int, position: dict[str, Any]) -> Rollback:
        """Note that the run goes back to ``step``, and on from there with the input from ``position``.

        Raises:
            UserError: there were as many rollbacks as there may be.
        """
        found = self.row[-1][0]
        samples = [name for _, names in self.row for name in names]
        if len(self.rollbacks) >= self.most_rollbacks:
            raise UserError(
                f"training broke at step {found}: loss or gradient was not finite in {len(self.row)} steps in a row, "
                f"after {len(self.rollbacks)} rollbacks; the last samples: {named(samples)}. The checkpoint of step "
                f"{step} is whole. Look at these samples, or start a new run with a lower --optimizer.peak-lr, a "
                "longer --optimizer.warmup or a smaller --optimizer.clip; --max-rollbacks allows more"
            )
        self.rollbacks.append(Rollback(step, found, position, samples))
        return self.rollbacks[-1]

    def turn(self, step: int) -> dict[str, Any] | None:
        """Return the position of the input to go on from after ``step``, if the run once came back to it."""
        return next((past.position for past in reversed(self.rollbacks) if past.step == step), None)

    def state(self) -> dict[str, Any]:
        """Return what a checkpoint keeps, as JSON holds it."""
        return {"skipped": self.skipped, "row": self.row}

    def set_state(self, state: dict[str, Any]) -> None:
        """Go on as it was when ``state`` was taken; with an empty one, as at the beginning."""
        self.skipped = int(state.get("skipped", 0))
        self.row = [(int(step), list(samples)) for step, samples in state.get("row", [])]
        self._pending = None


def named(samples: Sequence[str]) -> str:
    """Return the first few of ``samples``, and how many more there are."""
    more = f" and {len(samples) - NAMED} more" if len(samples) > NAMED else ""
    return ", ".join(samples[:NAMED]) + more if samples else "not known"


def open_health(run: Path, most: int, most_rollbacks: int) -> Health:
    """Return the health of the run in the folder ``run``.

    Raises:
        UserError: its list of rollbacks cannot be read.
    """
    if not (run / FILE).exists():
        return Health(most, most_rollbacks)
    try:
        past = [Rollback(**entry) for entry in read_json(run / FILE, MAX_BYTES)]
    except (OSError, ValueError, TypeError) as error:
        raise UserError(
            f"{run / FILE} cannot be read ({error}); put a copy of it there, or delete it: then the run meets the data "
            "again that it went past"
        ) from None
    return Health(most, most_rollbacks, past)


def write_rollbacks(run: Path, health: Health) -> None:
    """Write the list of rollbacks; it is on the disk when this returns."""
    replace_file(run / FILE, json.dumps([dataclasses.asdict(past) for past in health.rollbacks], indent=1) + "\n")
