"""What is timed, and the bars that the data engine is held to."""

import contextlib
import dataclasses
import importlib
import importlib.util
import itertools
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from datagen import families, png, records
from datagen.bench import baselines
from datagen.bench.timing import Case
from datagen.family import Rejected
from datagen.sample import Sample, make_sample
from datagen.shards import record_writer

MATPLOTLIB = "matplotlib: bar, line, pie in turn"
OWN_CHARTS = "charts: own renderer alone"
DEFAULT_CHARTS = "charts: default mixture, degraded"
GEOMETRY = "geometry: standard"
RDKIT = "molecules: MolDraw2DCairo 512 PNG"
OWN_MOLECULES = "molecules: own 512 PNG by isal"
PILLOW = "encoder: Pillow, a chart"

#: Calls of a mixture in a round: one in fifty charts takes twenty times as long as the others.
_MIXTURE = 150


@dataclass(frozen=True)
class Bar:
    """What a case must reach: a rate, or a ratio to a baseline of the same run."""

    case: str
    least: float
    baseline: str | None = None


BARS = (
    Bar(DEFAULT_CHARTS, 10, MATPLOTLIB),
    Bar(OWN_CHARTS, 40, MATPLOTLIB),
    Bar(OWN_MOLECULES, 3, RDKIT),
    Bar(GEOMETRY, 1000),
)

#: Other cases that are compared with a baseline: by what their names begin with.
BASELINES = {"charts:": MATPLOTLIB, "matplotlib:": MATPLOTLIB, "molecules:": RDKIT, "encoder:": PILLOW}


def all_cases(temporary: Path) -> list[Case]:
    """Return every case.

    Args:
        temporary: a folder for what is written to be timed.
    """
    cases = [Case(MATPLOTLIB, baselines.matplotlib_charts(), 9)]
    cases += [Case(f"matplotlib: {kind}", baselines.matplotlib_chart(kind)) for kind in ("bar", "line", "pie")]
    cases += [
        Case(OWN_CHARTS, rendered("charts", matplotlib=0.0, echarts=0.0), _MIXTURE),
        Case("charts: default mixture", drawn("charts"), _MIXTURE),
        Case(DEFAULT_CHARTS, recorded("charts", "mix"), _MIXTURE),
        Case("molecules: standard, degraded", recorded("molecules", "mix"), _MIXTURE),
        Case(GEOMETRY, drawn("geometry"), _MIXTURE),
        Case("geometry: standard, degraded", recorded("geometry", "mix"), _MIXTURE),
        Case("pages: standard", drawn("pages")),
        Case("pages: standard, degraded", recorded("pages", "mix"), _MIXTURE // 3),
    ]
    for name in (*families.MODULES, "degrade"):
        cases += of_package(name)
    # A package may offer what is timed already, under the same name.
    return list({case.name: case for case in reversed(cases + _of_writing(temporary))}.values())[::-1]


def drawn(name: str) -> Callable[[int], bytes]:
    """Return what composes, draws and encodes sample ``index`` of a family at the standard level."""
    family = families.load(name)
    settings = family.settings["standard"]

    def make(index: int) -> bytes:
        for attempt in itertools.count():
            rng = np.random.default_rng([index, attempt])
            with contextlib.suppress(Rejected):
                return png.encode(family.render(family.compose(rng, settings), rng, settings).image)
        raise AssertionError("numbers never end")

    return make


def rendered(name: str, **changes: float) -> Callable[[int], bytes]:
    """Return what draws and encodes contents of a family that were composed beforehand.

    Args:
        name: the family.
        changes: of the settings of the standard level; those that the family does not have are left out.
    """
    family = families.load(name)
    settings: Any = family.settings["standard"]
    known = {field.name for field in dataclasses.fields(settings)}
    settings = dataclasses.replace(settings, **{key: value for key, value in changes.items() if key in known})
    ready: list[tuple[int, Any]] = []
    for seed in itertools.count():
        with contextlib.suppress(Rejected):
            content = family.compose(np.random.default_rng(seed), settings)
            family.render(content, np.random.default_rng([seed, 1]), settings)
            ready.append((seed, content))
        if len(ready) == _MIXTURE:
            break

    def make(index: int) -> bytes:
        seed, content = ready[index % len(ready)]
        return png.encode(family.render(content, np.random.default_rng([seed, 1]), settings).image)

    return make


def recorded(name: str, degradation: str) -> Callable[[int], bytes]:
    """Return what makes the record of sample ``index`` as a set of the standard level has it."""
    return lambda index: records.encode(make_sample(0, name, index, "all", "standard", degradation=degradation))


def of_package(name: str) -> list[Case]:
    """Return the cases of ``datagen.NAME.bench``, if the package has that module."""
    module = "datagen.degrade" if name == "degrade" else families.MODULES[name]
    if importlib.util.find_spec(f"{module}.bench") is None:
        return []
    cases: dict[str, Callable[[], object]] = importlib.import_module(f"{module}.bench").bench_cases()
    return [Case(f"{name}: {title.removeprefix(f'{name} ')}", _of_index(call)) for title, call in cases.items()]


def _of_index(call: Callable[[], object]) -> Callable[[int], object]:
    return lambda index: call()


def _of_writing(temporary: Path) -> list[Case]:
    """Return cases of what comes after drawing: the encoder, and the file."""
    image = _chart_of_640x480()
    data = records.encode(Sample(image, "<image>", "label", "charts", {}, 0, 0))

    def write(index: int) -> None:
        with record_writer(temporary / "bench.array_record") as append:
            for _ in range(100):
                append(data)

    return [
        Case(PILLOW, baselines.pillow_png(image)),
        Case("encoder: ours, a chart", lambda index: png.encode(image)),
        Case("shards: 100 records written", write),
    ]


def _chart_of_640x480() -> np.ndarray:
    """Return a chart by the standard level, on paper of 640x480."""
    image = make_sample(0, "charts", 0, "all", "standard").image[:480, :640]
    paper = np.full((480, 640, 3), 255, np.uint8)
    paper[: image.shape[0], : image.shape[1]] = image if image.ndim == 3 else image[..., None]
    return paper
