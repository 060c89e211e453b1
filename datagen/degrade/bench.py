"""How fast pictures are degraded, by part and by preset: ``python -m datagen.degrade.bench``.

All times are processor time of one thread, on a picture of 640x480; the best of several runs, since whatever else the
machine does only adds to it. Compare within one table.
"""

import time
from collections.abc import Callable
from functools import partial

import numpy as np

from datagen.degrade.settings import PARTS, PRESETS, Degradation, only

_HEIGHT, _WIDTH = 480, 640
_STRENGTH = 0.6

#: Pictures a run: enough that a mixture's rate hardly depends on which ones.
_PICTURES = 400


def example(*, colour: bool) -> np.ndarray:
    """Return a picture like a chart, uint8 ``[480, 640]`` gray or ``[480, 640, 3]`` RGB."""
    import cv2

    image = np.full((_HEIGHT, _WIDTH, 3), 255, np.uint8)
    for number in range(8):
        left, top = 70 + 68 * number, 120 + 37 * number % 190
        shade = ((84, 112, 198), (238, 102, 102), (145, 204, 117), (250, 200, 88))[number % 4]
        cv2.rectangle(image, (left, top), (left + 44, 420), shade, -1)
        cv2.putText(image, f"{431 - top}", (left + 4, top - 8), cv2.FONT_HERSHEY_SIMPLEX, 0.45, (40, 40, 40), 1)
    cv2.line(image, (56, 420), (620, 420), (90, 90, 90), 1)
    return image if colour else cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)


def bench_cases() -> dict[str, Callable[[], object]]:
    """Return what is measured: "preset/mix colour", "part/noise gray" and so on; each call degrades one picture.

    The pictures of one case follow each other as they do in a set: other doses, other tiles.
    """
    settings = {f"preset/{name}": preset for name, preset in PRESETS.items()}
    settings |= {f"part/{part}": only(part, _STRENGTH) for part in PARTS}
    return {
        f"{name} {'colour' if colour else 'gray'}": _case(example(colour=colour), chosen)
        for name, chosen in settings.items()
        for colour in (False, True)
    }


def _case(image: np.ndarray, settings: Degradation) -> Callable[[], object]:
    from datagen.degrade.apply import degrade

    rng = np.random.default_rng(0)
    return lambda: degrade(image, rng, settings, detail=12)


def _seconds(case: Callable[[], object], pictures: int, runs: int) -> float:
    """Return processor time a call: the best of several runs."""
    best = float("inf")
    for _ in range(runs):
        start = time.process_time()
        for _ in range(pictures):
            case()
        best = min(best, (time.process_time() - start) / pictures)
    return best


def main() -> None:
    """Measure and print a table in Markdown."""
    import cv2

    from datagen import png

    cv2.setNumThreads(1)
    cases = bench_cases()
    for case in cases.values():  # make the tiles
        for _ in range(12):
            case()
    for kind in ("gray", "colour"):
        cases[f"for comparison/PNG (datagen.png) {kind}"] = partial(png.encode, example(colour=kind == "colour"))
    print("| | gray, images/s | colour, images/s |\n| --- | ---: | ---: |")
    for name in dict.fromkeys(name.rpartition(" ")[0] for name in cases):
        pictures = _PICTURES if name == "preset/mix" else 60 if name.startswith("preset") else 20
        rates = [1 / _seconds(cases[f"{name} {kind}"], pictures, 3) for kind in ("gray", "colour")]
        print(f"| {name} | {rates[0]:,.0f} | {rates[1]:,.0f} |")


if __name__ == "__main__":
    main()
