"""A family that costs nothing: a short text and noise; some draws are rejected, and the environment makes it fail.

It stands in for "pages"; worker processes import it by name, as they import a real family.
"""

import itertools
import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from datagen.family import Drawn, Family, Rejected


@dataclass(frozen=True)
class Settings:
    side: int = 8


@dataclass(frozen=True)
class Text:
    key: str


def compose(rng: np.random.Generator, settings: Settings) -> Text:
    number = int(rng.integers(0, 1000))
    if number % 5 == 0:
        raise Rejected("a multiple of five")
    return Text(f"number {number}")


_renders = itertools.count(1)


def render(content: Text, rng: np.random.Generator, settings: Settings) -> Drawn:
    time.sleep(float(os.environ.get("FAKE_SECONDS", "0")))
    if os.environ.get("FAKE_REJECT"):
        raise Rejected("no room")
    if os.environ.get("FAKE_CRASH"):
        raise ZeroDivisionError("the fake crashed")
    if os.environ.get("FAKE_LIBRARY"):
        raise ImportError("libXrender.so.1: cannot open shared object file")
    if os.environ.get("FAKE_EXIT"):
        os._exit(3)
    if next(_renders) == 7 and "FAKE_DEATHS" in os.environ:
        die_if_there_is_a_token(Path(os.environ["FAKE_DEATHS"]))
    label = content.key + "  " if content.key.endswith("77") else content.key  # not in the form of a label
    image = rng.integers(0, 256, (settings.side, settings.side, 3), np.uint8)
    return Drawn(image, label, {"words": 2, "parity": "odd", "smallest_text": 7})


def die_if_there_is_a_token(folder: Path) -> None:
    """Take a file from the folder and be killed for it; each file kills one process."""
    for token in sorted(folder.iterdir()):
        try:
            token.unlink()
        except FileNotFoundError:  # another process died of it
            continue
        os.kill(os.getpid(), signal.SIGKILL)


def verify(image: np.ndarray, label: str, meta: dict[str, Any]) -> list[str]:
    """Find fault with the labels that the environment names; the picture must be as `render` drew it."""
    problems = ["it ends badly"] if label.endswith(os.environ.get("FAKE_FAULT", "nothing")) else []
    return problems if image.shape[0] in (8, 9) else [*problems, f"it has {image.shape[0]} rows"]


FAMILY = Family(
    "pages",
    "free",
    compose,
    render,
    {"easy": Settings(), "standard": Settings(side=9)},
    verify=verify,
    sources={"numbers": "nobody's"},
)
