"""The vision tokens of a memory."""

from itertools import groupby
from typing import TYPE_CHECKING

from dsocr_jax.errors import UserError
from dsocr_jax.memory.rendered import Rendered

if TYPE_CHECKING:
    import numpy as np

    from dsocr_jax.reading.reader import Reader


def encode(rendered: Rendered, reader: "Reader") -> "list[np.ndarray]":
    """Return the vision tokens of every page, each seen in its own mode, the oldest page first.

    Args:
        rendered: of a memory whose modes and stride are the model's.
        reader: encodes them; pages of one mode go together.

    Returns:
        For each page [`MemoryPage.tokens`, hidden] in the model's type.

    Raises:
        UserError: the model lacks one of the modes, or has another one of the same name, or another stride.
    """
    from dsocr_jax.modes import NO_TILES, count_tokens
    from dsocr_jax.reading.documents import Page

    known = {mode.name: mode for mode in reader.config.modes}
    for page in rendered.pages:
        mode = page.mode
        if known.get(mode.name) != mode or count_tokens(mode, NO_TILES, reader.config.stride) != page.tokens:
            raise UserError(
                f"the memory's mode {mode.name} ({mode.base_size} pixels, {page.tokens} tokens) is not one of the "
                "model's; make the memory with modes=fading_modes(config.modes) and stride=config.stride"
            )
    # Modes follow one another in order of age, so that each is encoded in one go.
    vision: list[np.ndarray] = []
    for name, group in groupby(rendered.pages, key=lambda page: page.mode.name):
        pages = (Page(page.image, f"memory page {page.number + 1}") for page in group)
        vision += reader.encode(pages, name)
    return vision
