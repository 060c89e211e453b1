"""Texts without pictures for stage 2: `python examples/two_stages/text.py FILE` writes 2,000 in many languages."""

import json
import sys
from pathlib import Path

import numpy as np

from datagen.pages.languages import known
from datagen.pages.prose import Writer
from datagen.pages.words import Dice

#: How many there are, and their length in characters.
TEXTS, LENGTH = 2000, 4000


def main() -> None:
    """Write the file that the command line names; every second text is English."""
    dice = Dice(np.random.default_rng(0))
    languages = list(known().values())
    english = known()["en"]
    with Path(sys.argv[1]).open("w", encoding="utf-8") as lines:
        for number in range(TEXTS):
            writer = Writer(dice, dice.pick(languages) if number % 2 else english, recombined=0.5, made_up=0.1)
            lines.write(json.dumps({"text": writer.paragraph(LENGTH)}, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
