"""Write the card of a set."""

import shutil
from pathlib import Path

from datagen.card.gather import gather
from datagen.card.text import card_text
from datagen.manifest import PARTIAL, Manifest, write_text
from datagen.shards import SampleSet

FILE = "README.md"

#: Holds the pictures that the card shows.
FOLDER = "card"

#: Samples on the contact sheet.
SHEET_SAMPLES = 12


def write(directory: Path, manifest: Manifest, workers: int) -> None:
    """Write `FILE` and the pictures in `FOLDER`; equal sets get equal cards.

    Args:
        directory: where the set is.
        manifest: what it holds; complete.
        workers: processes that read the records of which nothing is noted.
    """
    from datagen.card.plots import draw_plots
    from datagen.sheet import draw_sheet
    from datagen.show import choose

    numbers = gather(directory, manifest, workers)
    temporary = directory / f"{FOLDER}{PARTIAL}"
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir()
    draw_plots(numbers, temporary)
    samples = SampleSet(directory, manifest)
    chosen = [samples[index] for index in choose(samples, SHEET_SAMPLES)]
    draw_sheet(chosen).quantize(128).save(temporary / "samples.png", optimize=True)
    pictures = sorted(path.name for path in temporary.iterdir())
    shutil.rmtree(directory / FOLDER, ignore_errors=True)
    temporary.replace(directory / FOLDER)
    # Last, because whoever finds the card takes the rest to be there.
    write_text(directory / FILE, card_text(manifest, numbers, [f"{FOLDER}/{name}" for name in pictures]))
