"""How the tiles are made. All are uint8 with sides of `SIDE`, from fixed seeds; see `datagen.degrade.tiles`."""

from functools import lru_cache

import cv2
import numpy as np

from datagen.degrade.tiles import SIDE

#: Standard deviation of the noise in a noise tile, around 128.
NOISE_SIGMA = 32.0

#: Kinds of paper that `paper` makes.
PAPERS = ("office", "recycled", "newsprint", "old", "crumpled")

#: How many different tiles there are of screens.
SCREENS = 3

#: Distances of halftone dots in pixels.
HALFTONES = (3.3, 4.2, 5.6)


#: Exponents of the amplitude's fall with frequency, and the coarsest waves (cycles a tile): grain, clouds, soft folds.
_GRAIN, _CLOUDS, _SOFT = (0.45, 40.0), (1.4, 3.0), (2.2, 1.0)


@lru_cache(maxsize=3)
def _base(exponent: float, coarsest: float) -> np.ndarray:
    y, x = np.fft.fftfreq(SIDE)[:, None] * SIDE, np.fft.rfftfreq(SIDE)[None] * SIDE
    frequency = np.maximum(np.sqrt(y * y + x * x), coarsest)
    rng = np.random.default_rng(round(100 * exponent))
    spectrum = np.fft.rfft2(rng.standard_normal((SIDE, SIDE))) * frequency**-exponent
    spectrum[0, 0] = 0
    noise = np.fft.irfft2(spectrum, s=(SIDE, SIDE))
    return (noise / noise.std()).astype(np.float32)


def _cloud(rng: np.random.Generator, kind: tuple[float, float]) -> np.ndarray:
    """Return float32 noise ``[SIDE, SIDE]``, mean 0, deviation 1: always the same waves, elsewhere and turned."""
    down, right, turn, mirror = rng.integers(0, (SIDE, SIDE, 4, 2)).tolist()
    moved = np.roll(_base(*kind), (down, right), (0, 1))
    return np.rot90(moved[:, :: 1 - 2 * mirror], turn)


def _bytes(values: np.ndarray) -> np.ndarray:
    return np.clip(np.rint(values), 0, 255).astype(np.uint8)


def noise(channels: int) -> np.ndarray:
    """Return noise of a sensor around 128; slightly blotchy, as cameras leave it, and in colour partly common."""
    rng = np.random.default_rng(101)
    shape = (SIDE, SIDE) if channels == 1 else (SIDE, SIDE, channels)
    values = rng.standard_normal(shape, dtype=np.float32)
    if channels > 1:
        values = 0.75 * values[..., :1] + 0.66 * cv2.blur(values, (3, 3)) * 2
    values = 0.8 * values + 0.6 * cv2.blur(values, (2, 2)) * 2
    return _bytes(128 + NOISE_SIGMA / values.std() * values)


def paper(kind: int) -> np.ndarray:
    """Return how much light paper of a kind (an index of `PAPERS`) returns, 255 for all."""
    rng = np.random.default_rng(200 + kind)
    name = PAPERS[kind]
    if name == "office":
        return _bytes(243 + 2.2 * _cloud(rng, _GRAIN) + 2.4 * _cloud(rng, _CLOUDS))
    if name == "recycled":
        sheet = _bytes(236 + 3.6 * _cloud(rng, _GRAIN) + 3.0 * _cloud(rng, _CLOUDS))
        return _fibres(sheet, rng)
    if name == "newsprint":
        return _bytes(226 + 6.0 * _cloud(rng, _GRAIN) + 3.5 * _cloud(rng, _CLOUDS))
    if name == "old":
        stains = np.clip(_cloud(rng, _SOFT) - 0.6, 0, 2.5)
        spots = np.clip(_cloud(rng, _CLOUDS) - 2.3, 0, 0.8)
        return _bytes(232 + 3.0 * _cloud(rng, _GRAIN) + 5.0 * _cloud(rng, _CLOUDS) - 9 * stains - 34 * spots)
    return _crumpled(rng)


def _fibres(sheet: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    for _ in range(500):
        start, turn, long = rng.random(2) * SIDE, rng.random() * 6.28, rng.integers(4, 15)
        bend = rng.normal(0, 0.12)
        steps = np.arange(long)
        angle = turn + bend * steps
        path = start + np.cumsum(np.stack([np.cos(angle), np.sin(angle)], 1), 0)
        shade = int(rng.choice([190, 205, 215, 250]))
        points = np.rint(path * 16).astype(np.int32)[None]
        cv2.polylines(sheet, points, False, shade, 1, cv2.LINE_AA, 4)
    return cv2.GaussianBlur(sheet, (3, 3), 0.6)


def _crumpled(rng: np.random.Generator) -> np.ndarray:
    # Facets of a sheet that was crushed and flattened: each faces the light a little differently, creases are worn.
    shade = np.zeros((SIDE, SIDE), np.float32)
    creases = np.full((SIDE, SIDE), 128, np.uint8)
    for points, weight, worn in ((70, 1.0, 18), (260, 0.55, 9)):
        plane = cv2.Subdiv2D((-2 * SIDE, -2 * SIDE, 5 * SIDE, 5 * SIDE))
        for x, y in rng.uniform(-0.3 * SIDE, 1.3 * SIDE, (points, 2)).tolist():
            plane.insert((x, y))
        facets = np.full((SIDE, SIDE), 128, np.uint8)
        for corners in plane.getTriangleList():
            triangle = np.rint(np.asarray(corners).reshape(3, 2) * 16).astype(np.int32)
            cv2.fillConvexPoly(facets, triangle, int(rng.integers(78, 179)), cv2.LINE_AA, 4)
            tone = 128 + int(rng.integers(-worn, worn + 1))
            cv2.polylines(creases, triangle[None], True, tone, 1, cv2.LINE_AA, 4)
        centred = facets.astype(np.float32) - 128
        shade += weight * (0.45 * cv2.GaussianBlur(centred, (0, 0), 1.0) + 0.55 * cv2.GaussianBlur(centred, (0, 0), 14))
    soft = 9 * (shade - shade.mean()) / shade.std() + 0.6 * (creases.astype(np.float32) - 128)
    return _bytes(228 + soft + 1.8 * _cloud(rng, _GRAIN) + 2 * _cloud(rng, _CLOUDS))


def back_page(_: int = 0) -> np.ndarray:
    """Return the print of a page seen from behind, 255 where there is none: lines of blurred letters, mirrored."""
    from PIL import Image, ImageDraw

    from datagen import fonts

    rng = np.random.default_rng(300)
    page = Image.new("L", (SIDE, SIDE), 255)
    draw = ImageDraw.Draw(page)
    letters = np.array(list("etaoinsrhldcumfpgwybvkxjqz"))
    likely = 1 / np.arange(2.0, 28.0)
    for top in range(0, SIDE, 23):
        if rng.random() < 0.1:  # between paragraphs
            continue
        line = "".join(rng.choice(letters, 140, p=likely / likely.sum()))
        cuts = np.cumsum(rng.integers(2, 10, 40)).tolist()
        words = [line[first:last] for first, last in zip([0, *cuts], cuts, strict=False) if first < len(line)]
        end = rng.random() * 2 if rng.random() < 0.12 else 1.0  # the last line of a paragraph is shorter
        draw.text((4, top), " ".join(words)[: int(95 * end)], fill=40, font=fonts.load("DejaVuSerif", 15))
    return cv2.flip(cv2.GaussianBlur(np.asarray(page), (9, 9), 1.7), 1)


def halftone(which: int, channels: int) -> np.ndarray:
    """Return thresholds of round dots (45 to 200), at 45 degrees in gray, at another angle for each colour."""
    period = HALFTONES[which]
    y, x = np.mgrid[0:SIDE, 0:SIDE].astype(np.float64)
    layers = []
    for degrees in (45.0,) if channels == 1 else (15.0, 75.0, 45.0):
        cos, sin = np.cos(np.deg2rad(degrees)), np.sin(np.deg2rad(degrees))
        u, v = (x * cos + y * sin) / period, (y * cos - x * sin) / period
        layers.append(122 + 39 * (np.cos(2 * np.pi * u) + np.cos(2 * np.pi * v)))
    return _bytes(layers[0] if channels == 1 else np.stack(layers, 2))


def dropouts(_: int = 0) -> np.ndarray:
    """Return where toner is missing: 0 nowhere, larger where more; in small spots, denser in some columns."""
    rng = np.random.default_rng(400)
    fine = _cloud(rng, _GRAIN)
    lack = _cloud(rng, _CLOUDS) * 0.35 + cv2.resize(rng.standard_normal((1, 64)), (SIDE, SIDE)) * 0.25
    return _bytes(np.clip(fine + lack - 2.0, 0, 1) * 235)


def dust(_: int = 0) -> np.ndarray:
    """Return dust on light paper: 255 nowhere, darker where there is some, in few small spots."""
    rng = np.random.default_rng(401)
    sheet = np.full((SIDE, SIDE), 255, np.uint8)
    for _spot in range(700):
        x, y = rng.integers(0, SIDE * 16, 2).tolist()
        radius = int(abs(rng.normal(0, 4)) + 5)
        cv2.circle(sheet, (x, y), radius, int(rng.integers(90, 225)), -1, cv2.LINE_AA, 4)
    return sheet


def screen(which: int) -> np.ndarray:
    """Return the light of a photographed white screen, in colour: fringes that bend, and the grid of its pixels."""
    rng = np.random.default_rng(500 + which)
    y, x = np.mgrid[0:SIDE, 0:SIDE].astype(np.float32) / SIDE
    bend = _cloud(rng, _SOFT).astype(np.float32)
    light = np.zeros((SIDE, SIDE, 3), np.float32)
    tau = np.float32(2 * np.pi)
    # Fringes: beats between the screen's columns (or rows) and the sensor's; the colours lie apart in the columns.
    for waves, weight, apart in ((rng.uniform(18, 46), 1.0, 0.24), (rng.uniform(8, 26), 0.55, 0.06)):
        angle = rng.uniform(-0.5, 0.5) + (0.0 if apart > 0.1 else 1.57)
        centre = rng.uniform(-0.3, 1.3, 2)
        round_ = (x - centre[0]) ** 2 + (y - centre[1]) ** 2
        phase = waves * (np.cos(angle) * x + np.sin(angle) * y) + rng.uniform(4, 12) * round_ + 0.5 * bend
        patch = np.clip(0.75 + 0.5 * _cloud(rng, _SOFT), 0.1, 1.4).astype(np.float32)
        for colour in range(3):
            light[..., colour] += weight * patch * np.cos(tau * (phase + apart * colour))
    # Pixels: close to what the sensor resolves, so they come and go.
    pitch = rng.uniform(2.7, 3.6)
    tilt = rng.uniform(-0.05, 0.05)
    for colour in range(3):
        columns = np.cos(tau * ((x + tilt * y) * SIDE / pitch + colour / 3))
        rows = np.cos(tau * (y - tilt * x) * SIDE / pitch)
        light[..., colour] += 0.55 * columns + 0.4 * rows
    return _bytes(222 + 13 * light)
