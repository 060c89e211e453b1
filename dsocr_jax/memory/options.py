"""How a memory is drawn and how it fades."""

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

from dsocr_jax.errors import UserError
from dsocr_jax.memory.fonts import FONTS
from dsocr_jax.modes import MODES, NO_TILES, Mode, count_tokens

#: Sides of a page in pixels and sizes of letters that are accepted.
MAX_SIDE, MIN_FONT_SIZE, MAX_FONT_SIZE = 8192, 6, 400
#: A page has room for at least this many letters (of full width) in a line, and this many lines.
LEAST_LETTERS, LEAST_ROWS = 4, 2
#: Height of a line, in sizes of its letters.
LEADING = 1.25


def fading_modes(modes: Sequence[Mode]) -> tuple[Mode, ...]:
    """Return the modes that a memory can use, those without tiles, the sharpest first; of equal ones the first."""
    by_size = {mode.base_size: mode for mode in reversed(modes) if not mode.crop}
    return tuple(by_size[size] for size in sorted(by_size, reverse=True))


@dataclass(frozen=True)
class MemoryOptions:
    """Settings of a memory. Everything that is drawn follows from these and the turns alone.

    Attributes:
        modes: in falling order of vision tokens, without tiles. A page is a square as large as the first one's view, so
            that every vision token shows paper, none padding, and smaller modes show the same page resized.
        stride: pixels along one side of a vision token, `ModelConfig.stride`.
        font: a key of `dsocr_jax.memory.fonts.FONTS`.
        font_size: pixels per em in the first mode.
        margin: pixels around the text in the first mode; None is a thirty-second of the side.
        half_life: the worth of a page halves with so many pages of age; it decides how steeply the resolution falls
            (see `dsocr_jax.memory.budget`).
        ages: one rising number for each mode, as a limit besides the budget: pages younger than the first number may
            be seen in the first mode, and so on; pages as old as the last number are gone. None sets no limit.
    """

    modes: tuple[Mode, ...] = fading_modes(tuple(MODES.values()))
    stride: int = 64
    font: str = "DejaVuSans"
    font_size: int = 16
    margin: int | None = None
    half_life: float = 4.0
    ages: tuple[int, ...] | None = None

    def __post_init__(self) -> None:
        """Refuse settings that do not fit together."""
        self._check_modes()
        if self.font not in FONTS:
            raise UserError(f"memory: no font is called {self.font!r}; choose one of {', '.join(FONTS)}")
        if not MIN_FONT_SIZE <= self.font_size <= MAX_FONT_SIZE:
            raise UserError(f"memory: font_size must be {MIN_FONT_SIZE} to {MAX_FONT_SIZE} pixels")
        if self.margin is not None and self.margin < 0:
            raise UserError("memory: margin must not be negative")
        if self.text_width < LEAST_LETTERS * self.font_size or self.rows < LEAST_ROWS:
            raise UserError(
                f"memory: letters of {self.font_size} pixels do not fit on a page of {self.side} pixels with a margin "
                f"of {self.page_margin}; take smaller letters or a narrower margin"
            )
        if not (math.isfinite(self.half_life) and self.half_life > 0):
            raise UserError("memory: half_life must be a positive number of pages")
        if self.ages is not None:
            ages = self.ages
            if len(ages) != len(self.modes) or list(ages) != sorted(ages) or ages[0] < 0 or ages[-1] < 1:
                raise UserError(f"memory: ages must be {len(self.modes)} numbers that do not fall, one for each mode")

    def _check_modes(self) -> None:
        if not self.modes:
            raise UserError("memory: needs at least one mode without tiles")
        if tiled := [mode.name for mode in self.modes if mode.crop]:
            raise UserError(f"memory: {', '.join(tiled)} cuts pages into tiles; take modes without tiles")
        if self.stride < 1 or self.modes[0].base_size > MAX_SIDE:
            raise UserError(f"memory: stride must be at least 1 and the largest view at most {MAX_SIDE} pixels")
        tokens = self.tokens
        if any(first <= second for first, second in itertools.pairwise(tokens)):
            raise UserError(f"memory: the vision tokens of the modes must fall, not {', '.join(map(str, tokens))}")

    @property
    def tokens(self) -> tuple[int, ...]:
        """Vision tokens of a page in each mode, newlines and separator included."""
        return tuple(count_tokens(mode, NO_TILES, self.stride) for mode in self.modes)

    @property
    def side(self) -> int:
        """Side of a page in pixels."""
        return self.modes[0].base_size

    @property
    def page_margin(self) -> int:
        """Pixels around the text."""
        return self.side // 32 if self.margin is None else self.margin

    @property
    def text_width(self) -> int:
        """Pixels that a line has."""
        return self.side - 2 * self.page_margin

    @property
    def row_height(self) -> int:
        """Pixels from one base line to the next."""
        return round(LEADING * self.font_size)

    @property
    def rows(self) -> int:
        """Lines of a page."""
        return (self.side - 2 * self.page_margin) // self.row_height
