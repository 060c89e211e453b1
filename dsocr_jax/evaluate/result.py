"""What an evaluation found: examples with their metrics, groups of them with intervals, counts of what is missing.

One JSON file holds it all; tables, plots, HTML and comparisons are made from it.
"""

import dataclasses
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dsocr_jax.errors import UserError
from dsocr_jax.evaluate.bootstrap import Bootstrap, Estimate, estimate
from dsocr_jax.evaluate.scoring import Row

FORMAT = "dsocr-evaluate 1"
#: The file of an evaluation folder that holds the result.
FILE = "evaluation.json"
MAX_BYTES = 1 << 30

#: Label → value, which picks the examples of a group.
Labels = dict[str, str]


@dataclass(frozen=True)
class Scored:
    """One example.

    Attributes:
        id: names it within its set.
        labels: what groups go by (``set``, ``mode``, ``tokens``, ``language`` ...).
        metrics: its numbers; None where a metric does not apply.
    """

    id: str
    labels: Labels
    metrics: Row


@dataclass(frozen=True)
class Group:
    """Examples with the same labels: ``name`` holds those labels, empty for all examples."""

    name: Labels
    count: int
    metrics: dict[str, Estimate]

    @property
    def title(self) -> str:
        """The group's name for people."""
        return ", ".join(filter(None, self.name.values())) or "all"


@dataclass(frozen=True)
class Evaluation:
    """A whole result.

    Attributes:
        task: compression, documents, charts, molecules or geometry.
        settings: what was asked for.
        counts: pages, answered ones, missing pictures and answers, and so on.
        groups: in the order in which they are shown.
        items: every example.
    """

    task: str
    settings: dict[str, Any]
    counts: dict[str, int]
    groups: tuple[Group, ...]
    items: tuple[Scored, ...] = field(repr=False)

    def group(self, **name: str) -> Group:
        """Return the group with exactly these labels."""
        return next(group for group in self.groups if group.name == name)


def make_groups(items: Sequence[Scored], names: Iterable[Labels], how: Bootstrap) -> tuple[Group, ...]:
    """Return a group for each set of labels that some example has."""
    groups = []
    for name in names:
        rows = [item.metrics for item in items if has_labels(item, name)]
        if rows:
            groups.append(Group(dict(name), len(rows), estimate(rows, how)))
    return tuple(groups)


def has_labels(item: Scored, name: Mapping[str, str]) -> bool:
    """Whether an example belongs to the group with these labels."""
    return all(item.labels.get(label) == value for label, value in name.items())


def write(evaluation: Evaluation, folder: Path) -> Path:
    """Write ``folder / FILE``, whole or not at all.

    Raises:
        UserError: the folder cannot be written.
    """
    data = {"format": FORMAT, **dataclasses.asdict(evaluation)}
    return write_file(folder / FILE, json.dumps(data, indent=1, ensure_ascii=False, allow_nan=False) + "\n")


def write_file(file: Path, content: str | bytes) -> Path:
    """Write a file of a report, whole or not at all.

    Raises:
        UserError: it cannot be written.
    """
    part = file.with_name(file.name + ".part")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        # A model may write half of a surrogate pair, which no file can hold.
        part.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8", "replace"))
        part.replace(file)
    except OSError as error:
        raise UserError(f"{file}: cannot be written ({error.strerror}); choose another --out") from None
    return file


def read(path: Path) -> Evaluation:
    """Read a result: the JSON file, or the folder that holds it.

    Raises:
        UserError: there is none, or it is another file.
    """
    file = path / FILE if path.is_dir() else path
    try:
        if file.stat().st_size > MAX_BYTES:
            raise UserError(f"{file}: larger than {MAX_BYTES} bytes; that is not the result of an evaluation")
        data = json.loads(file.read_text(encoding="utf-8"))
        if data["format"] != FORMAT:
            raise UserError(f"{file}: format {data['format']!r}, this program reads {FORMAT!r}; evaluate again")
        groups = [
            Group(
                _labels(group["name"]),
                int(group["count"]),
                {name: _estimate(found) for name, found in group["metrics"].items()},
            )
            for group in data["groups"]
        ]
        items = [
            Scored(str(item["id"]), _labels(item["labels"]), {k: _value(v) for k, v in item["metrics"].items()})
            for item in data["items"]
        ]
        counts = {str(name): int(count) for name, count in data["counts"].items()}
        return Evaluation(str(data["task"]), dict(data["settings"]), counts, tuple(groups), tuple(items))
    except OSError as error:
        raise UserError(f"{file}: cannot be read ({error.strerror}); name an evaluation's folder or {FILE}") from None
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise UserError(f"{file}: not the result of an evaluation ({error}); evaluate again") from None


def _labels(data: Mapping[str, Any]) -> Labels:
    return {str(name): str(value) for name, value in data.items()}


def _estimate(data: Mapping[str, Any]) -> Estimate:
    return Estimate(_value(data["value"]), _value(data["low"]), _value(data["high"]), int(data["count"]))


def _value(value: Any) -> float | None:
    if value is None:
        return None
    if not math.isfinite(float(value)):
        raise ValueError(f"a metric of {value}")
    return float(value)
