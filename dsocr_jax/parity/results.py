"""What a comparison found: one line for each array, gathered into stages."""

import dataclasses
import enum
import math
from collections.abc import Callable, Iterable

import numpy as np

from dsocr_jax.errors import UserError
from dsocr_jax.parity.fixture import Fixture


class Verdict(enum.StrEnum):
    """How one array came out."""

    MET = "met"
    MISS = "miss"
    UNKNOWN = "not compared"
    NOT_RUN = "not run"
    INPUT = "input"


@dataclasses.dataclass(frozen=True)
class Limits:
    """Largest relative errors that count as equal.

    Attributes:
        forward: outputs of small models.
        gradients: of small models.
        operations: single functions.
        full: everything of models of more than `dsocr_jax.parity.source.KEPT` parameters.
        spread: in bfloat16, how many times the original's own spread.
    """

    forward: float = 1e-5
    gradients: float = 1e-4
    operations: float = 1e-5
    full: float = 1e-4
    spread: float = 2.0


@dataclasses.dataclass(frozen=True)
class Check:
    """One array or number.

    Attributes:
        fixture: its fixture.
        name: its name there.
        stage: the part of the program that it belongs to.
        verdict: how it came out.
        error: relative to the array's scale; None where values are to be equal.
        differing: number of values that are not equal; None where an error is measured.
        limit: largest error that is met.
        note: why, where that is not plain.
    """

    fixture: str
    name: str
    stage: str
    verdict: Verdict
    error: float | None = None
    differing: int | None = None
    limit: float | None = None
    note: str = ""


class Comparison:
    """Checks of one fixture; what nobody asks about is `Verdict.UNKNOWN` in the end."""

    def __init__(self, fixture: Fixture):
        self.fixture = fixture
        self.checks: list[Check] = []
        self._seen: set[str] = set()

    def has(self, name: str) -> bool:
        """Whether the fixture holds an array of this name."""
        return name in self.fixture.entries

    def add(self, name: str, stage: str, verdict: Verdict, **details: object) -> None:
        """Add a check as it is."""
        self._seen.add(name)
        self.checks.append(Check(self.fixture.name, name, stage, verdict, **details))  # type: ignore[arg-type]

    def array(self, name: str, stage: str, ours: np.ndarray | Callable[[], np.ndarray], limit: float) -> None:
        """Compare a stored array, if the fixture holds it, with ours; how axes are grouped does not matter."""
        entry = self.fixture.entries.get(name)
        if entry is None:
            return
        mine = np.asarray(ours() if callable(ours) else ours)
        if mine.size != math.prod(entry.shape):
            self.add(name, stage, Verdict.MISS, note=f"ours has shape {mine.shape}, the original's {entry.shape}")
        elif entry.exact:
            self.equal(name, stage, entry.differing(mine))
        else:
            self.number(name, stage, entry.error(mine), limit)

    def number(self, name: str, stage: str, error: float, limit: float) -> None:
        """Judge an error."""
        met = math.isfinite(error) and error <= limit
        self.add(name, stage, Verdict.MET if met else Verdict.MISS, error=error, limit=limit)

    def relative(self, name: str, stage: str, ours: float, theirs: float, limit: float) -> None:
        """Judge the difference of two numbers, relative to the original's."""
        scale = abs(theirs) if theirs else 1.0
        error = abs(ours - theirs) / scale
        self.number(name, stage, error if math.isfinite(error) else math.inf, limit)

    def equal(self, name: str, stage: str, differing: int, note: str = "") -> None:
        """Judge values that are to be the same."""
        self.add(name, stage, Verdict.MISS if differing else Verdict.MET, differing=differing, note=note)

    def inputs(self, names: Iterable[str]) -> None:
        """Note arrays that the comparison starts from."""
        for name in names:
            if self.has(name):
                self.add(name, "inputs", Verdict.INPUT)

    def not_run(self, name: str, stage: str, reason: str) -> None:
        """Note something known that this run does not compare."""
        if name not in self._seen:
            self.add(name, stage, Verdict.NOT_RUN, note=reason)

    def fail(self, error: UserError) -> None:
        """Everything that is not compared yet is missed for one reason."""
        for name in self.left():
            self.add(name, "inputs", Verdict.MISS, note=str(error))
        if not self.checks:
            self.add("(all)", "inputs", Verdict.MISS, note=str(error))

    def left(self) -> list[str]:
        """Return names of arrays that nothing was said about."""
        return [name for name in self.fixture.entries if name not in self._seen]

    def finish(self) -> list[Check]:
        """Return all checks."""
        for name in self.left():
            self.add(name, "not compared", Verdict.UNKNOWN, note="no comparison is known for an array of this name")
        return self.checks


@dataclasses.dataclass(frozen=True)
class Stage:
    """Checks of one part of the program in one folder of fixtures.

    Attributes:
        group: the folder.
        name: the part.
        checks: in the order in which they were made.
    """

    group: str
    name: str
    checks: tuple[Check, ...]

    @property
    def error(self) -> float | None:
        """The worst relative error."""
        return max((check.error for check in self.checks if check.error is not None), default=None)

    @property
    def differing(self) -> int | None:
        """How many values that are to be equal are not."""
        counts = [check.differing for check in self.checks if check.differing is not None]
        return sum(counts) if counts else None

    @property
    def limits(self) -> list[float]:
        """The limits in force."""
        return sorted({check.limit for check in self.checks if check.limit is not None})

    @property
    def verdict(self) -> Verdict:
        """The worst verdict."""
        found = {check.verdict for check in self.checks}
        order = (Verdict.MISS, Verdict.UNKNOWN, Verdict.MET, Verdict.INPUT, Verdict.NOT_RUN)
        return next(verdict for verdict in order if verdict in found)


def stages(checks: Iterable[Check]) -> list[Stage]:
    """Gather checks by folder and stage, in the order in which the stages first appear."""
    found: dict[tuple[str, str], list[Check]] = {}
    for check in checks:
        group = check.fixture.rpartition("/")[0] or "."
        found.setdefault((group, check.stage), []).append(check)
    groups = list(dict.fromkeys(group for group, _ in found))
    ordered = sorted(found, key=lambda key: (groups.index(key[0]), _order(key[1])))
    return [Stage(group, name, tuple(found[group, name])) for group, name in ordered]


#: Stages from the pixels on; those not listed keep their order behind.
ORDER = (
    "inputs", "SAM", "CLIP", "projector", "sequence", "taps", "router", "logits", "argmax", "greedy", "loss",
    "router loss", "gradients", "operations", "preprocessing", "repetition", "not compared",
)  # fmt: skip


def _order(stage: str) -> tuple[int, float]:
    if stage.startswith("router ") and stage != "router loss":
        return ORDER.index("router"), float(stage.rpartition(" ")[2])
    first = next((i for i, name in enumerate(ORDER) if stage == name or stage.startswith(f"{name},")), len(ORDER))
    return first, 0.0
