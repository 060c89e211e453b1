"""What falls on the page or lies in it, as one gray field that shades the picture: paper, folds, light, scanner.

Each part returns a field: uint8 ``[height, width]``, 255 where nothing changes. Fields are multiplied with each other
in gray, and only their product with the picture in colour.
"""

import cv2
import numpy as np

from datagen.degrade import textures
from datagen.degrade.arithmetic import Facts, exact
from datagen.degrade.legibility import Legibility
from datagen.degrade.tiles import piece, tile

#: Light is computed on a grid of this many points a side, and interpolated.
_GRID = 32
_Y, _X = np.meshgrid(*[np.linspace(-1, 1, _GRID)] * 2, indexing="ij")

#: How often each of `textures.PAPERS` is drawn.
_PAPER_WEIGHTS = (0.4, 0.72, 0.84, 0.92, 1.0)


def _faded(field: np.ndarray, strength: float) -> np.ndarray:
    strength = exact(strength)
    return cv2.convertScaleAbs(field, alpha=strength, beta=255 * (1 - strength))


def paper(
    height: int, width: int, strength: float, rng: np.random.Generator, legible: Legibility
) -> tuple[np.ndarray, Facts]:
    """Grain, fibres, clouds, stains or creases."""
    draw = rng.random()
    kind = next(i for i, weight in enumerate(_PAPER_WEIGHTS) if draw < weight)
    return _faded(piece(tile(textures.paper, kind), height, width, rng), strength), {"kind": textures.PAPERS[kind]}


def bleed_through(
    height: int, width: int, strength: float, rng: np.random.Generator, legible: Legibility
) -> tuple[np.ndarray, Facts]:
    """The print on the back."""
    amount = 0.22 * strength
    return _faded(piece(tile(textures.back_page), height, width, rng, turn=False), amount), {"amount": amount}


def fold(
    height: int, width: int, strength: float, rng: np.random.Generator, legible: Legibility
) -> tuple[np.ndarray, Facts]:
    """One crease or two parallel ones: the flaps are lit differently, the crease itself is worn."""
    upright, twice, place, side = rng.random(4).tolist()
    at = (1 / 3, 2 / 3) if twice < 0.35 else (0.35 + 0.3 * place,)
    across, along = (width, height) if upright < 0.5 else (height, width)
    ramp = (np.arange(_GRID * 4) + 0.5) / (_GRID * 4)
    shading = np.zeros(_GRID * 4)
    for number, position in enumerate(at):
        # A flap is darkest at its crease, and on one side of it.
        distance = (ramp - position) * (1 if (side < 0.5) ^ (number == 1) else -1)
        shading = np.maximum(shading, np.where(distance > 0, np.clip(1 - distance * 5, 0, 1), 0.0))
    profile = np.rint(255 - 40 * strength * shading).astype(np.uint8)
    field = cv2.resize(profile[None], (across, along), interpolation=cv2.INTER_LINEAR)
    wear = rng.random((len(at), 25))
    for number, position in enumerate(at):
        steps = np.linspace(0, 1, 25)
        x = across * position + 1.2 * (wear[number] - 0.5)
        points = np.rint(np.stack([x, steps * along], 1) * 16).astype(np.int32)
        pieces = [points[first : first + 3] for first in range(0, 24, 2)]
        for shade in range(3):  # worn more in some places than in others
            dark = round(255 - strength * (22 + 16 * shade))
            cv2.polylines(field, pieces[shade::3], False, dark, 1, cv2.LINE_AA, 4)
    if upright >= 0.5:
        field = np.ascontiguousarray(field.T)
    return field, {"creases": len(at), "upright": upright < 0.5}


def light(
    height: int, width: int, strength: float, rng: np.random.Generator, legible: Legibility
) -> tuple[np.ndarray, Facts]:
    """Light that falls off to one side; with it a shadow with a soft edge, a vignette, or a dark edge as at a spine."""
    draw = rng.random(6).tolist()
    y, x = _Y, _X
    direction, kind = 2 * np.pi * draw[0], int(draw[1] * 4)
    slope = 0.5 + 0.35 * (np.cos(direction) * x + np.sin(direction) * y)
    dark = (0.2 + 0.35 * draw[2]) * np.clip(slope, 0, 1)
    name = ("even", "shadow", "vignette", "edge")[kind]
    if name == "shadow":
        turn = 2 * np.pi * draw[3]
        bent = (
            np.cos(turn) * x
            + np.sin(turn) * y
            + 0.25 * np.sin(2.2 * (np.cos(turn) * y - np.sin(turn) * x) + 6 * draw[4])
        )
        depth = np.clip((bent - 0.9 * (draw[4] - 0.4)) / (0.12 + 0.5 * draw[5]), 0, 1)
        dark = np.maximum(dark * 0.7, 0) + (0.25 + 0.2 * draw[2]) * depth * depth * (3 - 2 * depth)
    elif name == "vignette":
        dark = 0.5 * dark + (0.15 + 0.2 * draw[3]) * np.clip((x * x + y * y) / 2 - 0.05, 0, 1)
    elif name == "edge":
        distance = (x + 1, 1 - x, y + 1, 1 - y)[int(draw[3] * 4)]
        dark = 0.35 * dark + (0.25 + 0.35 * draw[4]) * np.clip(1 - distance / (0.1 + 0.3 * draw[5]), 0, 1) ** 2
    small = np.rint(255 * 256 * (1 - strength * np.clip(dark, 0, 0.62))).astype(np.uint16)
    # First on a finer grid in two bytes: interpolated from single bytes, the coarse one would show as faint facets.
    finer = cv2.resize(small, (4 * _GRID, 4 * _GRID), interpolation=cv2.INTER_LINEAR_EXACT)
    return cv2.resize(cv2.convertScaleAbs(finer, alpha=1 / 256), (width, height)), {"kind": name}


def banding(
    height: int, width: int, strength: float, rng: np.random.Generator, legible: Legibility
) -> tuple[np.ndarray, Facts]:
    """Rows of slightly different lightness, and a few thin streaks along the way of the paper."""
    coarse, fine = rng.random(64), rng.random(256)
    streaks = rng.random((4, 3)).tolist()
    rows = np.arange(height)
    bands = 0.6 * coarse[rows // 9 % 64] + 0.4 * fine[rows % 256]
    column = np.rint(255 - 13 * strength * bands).astype(np.uint8)
    field = cv2.resize(column[:, None], (width, height), interpolation=cv2.INTER_NEAREST)
    count = 0
    for place, dark, wanted in streaks:
        if wanted < 0.5:
            at = int(place * width)
            field[:, at] = cv2.convertScaleAbs(field[:, at : at + 1], alpha=1, beta=-(4 + 26 * dark) * strength)[:, 0]
            count += 1
    return field, {"streaks": count}
