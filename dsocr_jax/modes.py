"""Resolution modes: tile grids, token counts and the order of the vision tokens.

This is the only place that computes any of the three; preprocessing, prompt building, model and tests all ask here.
``stride`` is the number of pixels along one side of a vision token (64 in the released model: patches of 16 pixels,
then a compressor that keeps one in four along each side).
"""

import difflib
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from dsocr_jax.errors import UserError

#: A grid of tiles as (columns, rows); ``NO_TILES`` means that the global view stands alone.
Grid = tuple[int, int]
NO_TILES: Grid = (1, 1)

#: In a layout relative to one view: the place of the ``image_newline`` vector.
NEWLINE = -1
#: Rows of the vision table that are not vision tokens; the first view starts at ``FIRST_ROW``.
NEWLINE_ROW, SEPARATOR_ROW, FIRST_ROW = 0, 1, 2


@dataclass(frozen=True)
class Mode:
    """How a picture becomes views.

    Attributes:
        name: what the user calls it.
        base_size: side of the square global view, in pixels.
        tile_size: side of a square tile, in pixels; without ``crop`` it is not used.
        crop: whether larger pictures are also cut into tiles.
        fit: how the global view is filled when ``crop`` is off: "stretch" loses the aspect ratio, "pad" keeps it.
            With ``crop`` the global view is always padded.
        max_tiles: most tiles of a picture (9 in the released code, 6 in its serving configuration).
        min_tiles: fewest tiles of a picture that has tiles.
        tile_threshold: a picture with neither side longer than this has no tiles. It is 640 in every released mode,
            whatever the tile size.
    """

    name: str
    base_size: int
    tile_size: int
    crop: bool
    fit: Literal["stretch", "pad"]
    max_tiles: int = 9
    min_tiles: int = 2
    tile_threshold: int = 640

    def __post_init__(self) -> None:
        if self.base_size < 1 or self.tile_size < 1:
            raise UserError(f"mode {self.name}: base_size and tile_size must be at least 1 pixel")
        if self.fit not in ("stretch", "pad"):
            raise UserError(f"mode {self.name}: fit must be 'stretch' or 'pad', not {self.fit!r}")
        if self.crop and self.fit != "pad":
            raise UserError(f"mode {self.name}: with crop the global view is always padded; set fit to 'pad'")
        if not 1 <= self.min_tiles <= self.max_tiles:
            raise UserError(
                f"mode {self.name}: needs 1 <= min_tiles <= max_tiles, not {self.min_tiles}, {self.max_tiles}"
            )


#: The released modes.
MODES: dict[str, Mode] = {
    mode.name: mode
    for mode in (
        Mode("tiny", 512, 512, crop=False, fit="stretch"),
        Mode("small", 640, 640, crop=False, fit="stretch"),
        Mode("base", 1024, 1024, crop=False, fit="pad"),
        Mode("large", 1280, 1280, crop=False, fit="pad"),
        Mode("gundam", 1024, 640, crop=True, fit="pad"),
        Mode("gundam-m", 1280, 1024, crop=True, fit="pad"),
    )
}


def find_mode(name: str, modes: Mapping[str, Mode] = MODES) -> Mode:
    """Return the mode called ``name`` (case does not matter).

    Raises:
        UserError: there is none; the message lists the known names and the nearest one.
    """
    if found := modes.get(name) or modes.get(name.lower()):
        return found
    near = difflib.get_close_matches(name.lower(), modes, n=1)
    hint = f"; did you mean {near[0]!r}?" if near else ""
    raise UserError(f"no mode is called {name!r}{hint} (known: {', '.join(modes)})")


def choose_grid(width: int, height: int, mode: Mode) -> Grid:
    """Return the (columns, rows) of tiles for a picture of ``width`` x ``height`` pixels; ``NO_TILES`` for none.

    Among all grids with ``min_tiles`` to ``max_tiles`` tiles, in order of rising area, the one whose aspect ratio is
    nearest to the picture's (float64). At an equal distance a larger grid wins only if the picture's area exceeds half
    the area of that grid's tiles.
    """
    if width < 1 or height < 1:
        raise ValueError(f"a picture of {width}x{height} pixels has no grid")
    if not mode.crop or max(width, height) <= mode.tile_threshold:
        return NO_TILES
    sides = range(1, mode.max_tiles + 1)
    grids = [(w, h) for w in sides for h in sides if mode.min_tiles <= w * h <= mode.max_tiles]
    best, best_distance = NO_TILES, float("inf")
    for w, h in sorted(grids, key=lambda grid: grid[0] * grid[1]):
        distance = abs(width / height - w / h)
        larger_is_worth_it = width * height > 0.5 * mode.tile_size * mode.tile_size * w * h
        if distance < best_distance or (distance == best_distance and larger_is_worth_it):
            best, best_distance = (w, h), distance
    return best


def has_tiles(grid: Grid) -> bool:
    """Whether a picture with this grid has local views."""
    return grid != NO_TILES


def view_side(size: int, stride: int) -> int:
    """Return m: a view of ``size`` x ``size`` pixels becomes m x m vision tokens."""
    return -(-size // stride)


def count_tokens(mode: Mode, grid: Grid, stride: int) -> int:
    """Return the number of placeholders of one picture: its vision tokens, newlines and the separator."""
    m = view_side(mode.base_size, stride)
    count = m * (m + 1) + 1
    if has_tiles(grid):
        m, (w, h) = view_side(mode.tile_size, stride), grid
        count += (w * m + 1) * (h * m)
    return count


def valid_tokens_by_code(width: int, height: int, mode: Mode, stride: int) -> int:
    """Return how many vision tokens show the picture rather than padding, counted as the released code counts them.

    It is a statistic and used nowhere in the model. Newlines and the separator are not counted. A stretched view and
    every tile count in full; of a padded view, the share short side / long side of its tokens, rounded down: a very
    thin picture counts 0.

    Args:
        width: of the picture, in pixels.
        height: of the picture, in pixels.
        mode: sizes and rules.
        stride: pixels along one side of a vision token.
    """
    return _valid_tokens(width, height, mode, stride, int)


def valid_tokens_by_paper(width: int, height: int, mode: Mode, stride: int) -> int:
    """Return what `valid_tokens_by_code` does, but a padded view's share rounded up, as the paper states it."""
    return _valid_tokens(width, height, mode, stride, math.ceil)


def _valid_tokens(width: int, height: int, mode: Mode, stride: int, whole: Callable[[float], int]) -> int:
    count = view_side(mode.base_size, stride) ** 2
    if mode.fit == "pad":
        longer, shorter = max(width, height), min(width, height)
        # Not shorter / longer: the released code's form differs from it in the last bit.
        count = whole(count * (1 - (longer - shorter) / longer))
    columns, rows = grid = choose_grid(width, height, mode)
    return count + (columns * rows * view_side(mode.tile_size, stride) ** 2 if has_tiles(grid) else 0)


def view_layout(m: int) -> np.ndarray:
    """Return the order of one view's tokens: m rows of m tokens, each row closed by a newline.

    Returns:
        int32 [m * (m + 1)]: offsets 0 ... m*m - 1 into the view (row-major), `NEWLINE` where a newline stands.
    """
    return _close_rows(np.arange(m * m, dtype=np.int32).reshape(m, m))


def tiles_layout(grid: Grid, m: int) -> np.ndarray:
    """Return the order of the tiles' tokens: the tiles form one large map, each row of it closed by a newline.

    Args:
        grid: (w, h), columns and rows of tiles; tile (column, row) has the index row * w + column.
        m: tokens along one side of a tile.

    Returns:
        int32 [(w*m + 1) * (h*m)]: offsets tile * m*m + row * m + column, `NEWLINE` where a newline stands.
    """
    w, h = grid
    tiles = np.arange(w * h * m * m, dtype=np.int32).reshape(h, w, m, m)
    return _close_rows(tiles.transpose(0, 2, 1, 3).reshape(h * m, w * m))


def picture_layout(mode: Mode, grid: Grid, stride: int, local_start: int, global_start: int) -> np.ndarray:
    """Return the rows of the vision table that replace one picture's placeholders, in order.

    The vision table of a batch has the newline vector in row 0 and the separator in row 1; then come, for each view
    size in rising order, all views of that size, m*m rows each (row-major).

    Args:
        mode: the mode the views were made with.
        grid: the picture's tiles.
        stride: pixels along one side of a vision token.
        local_start: row of the first token of the picture's first tile (not used without tiles).
        global_start: row of the first token of the picture's global view.

    Returns:
        int32 [count_tokens(mode, grid, stride)]: local map, global view, separator.
    """
    parts = [_place(view_layout(view_side(mode.base_size, stride)), global_start), np.array([SEPARATOR_ROW], np.int32)]
    if has_tiles(grid):
        parts.insert(0, _place(tiles_layout(grid, view_side(mode.tile_size, stride)), local_start))
    return np.concatenate(parts)


def _close_rows(tokens: np.ndarray) -> np.ndarray:
    """Append `NEWLINE` to every row of a 2-D int32 map and flatten it."""
    return np.pad(tokens, ((0, 0), (0, 1)), constant_values=NEWLINE).reshape(-1)


def _place(layout: np.ndarray, start: int) -> np.ndarray:
    """Turn offsets into absolute table rows."""
    return np.where(layout == NEWLINE, NEWLINE_ROW, layout + start).astype(np.int32)
