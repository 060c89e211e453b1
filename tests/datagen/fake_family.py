"""A family that costs nothing: a short text and noise; some draws are rejected, and orders in the text make it fail.

It stands in for "pages"; worker processes import it by name, as they import a real family.
"""

import os
import time
from dataclasses import dataclass

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


def render(content: Text, rng: np.random.Generator, settings: Settings) -> Drawn:
    time.sleep(float(os.environ.get("FAKE_SECONDS", "0")))
    if os.environ.get("FAKE_REJECT"):
        raise Rejected("no room")
    if os.environ.get("FAKE_CRASH"):
        raise ZeroDivisionError("the fake crashed")
    if os.environ.get("FAKE_EXIT"):
        os._exit(3)
    label = content.key + "  " if content.key.endswith("77") else content.key  # not in the form of a label
    return Drawn(rng.integers(0, 256, (settings.side, settings.side, 3), np.uint8), label, {"words": 2})


FAMILY = Family("pages", "free", compose, render, {"easy": Settings(), "standard": Settings(side=9)})
