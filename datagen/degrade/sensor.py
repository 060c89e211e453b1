"""Parts of the camera or scanner and of the file: tones, colours, noise, compression."""

from dataclasses import asdict, dataclass

import cv2
import numpy as np

from datagen.degrade import textures
from datagen.degrade.arithmetic import Facts, exact, stretch
from datagen.degrade.legibility import Legibility
from datagen.degrade.tiles import piece, tile

#: Red, green and blue of white in some light or on some paper: daylight lamps, bulbs, tubes, old and cheap paper.
_CASTS = (
    (0.86, 0.94, 1.0),
    (1.0, 0.92, 0.76),
    (0.93, 1.0, 0.89),
    (1.0, 0.95, 0.82),
    (0.96, 0.95, 1.0),
    (1.0, 0.96, 0.9),
)

_MOST_NOISE = 18.0
_MOST_SPECKS = 0.004


@dataclass(frozen=True)
class Tones:
    """A curve of tones: full black becomes ``black``, white ``white`` (of 1), and gamma bends what lies between."""

    black: float = 0.0
    white: float = 1.0
    gamma: float = 1.0


def tones(strength: float, rng: np.random.Generator) -> tuple[Tones, Facts]:
    """Return a random curve."""
    bent, bend, lift, fall = rng.random(4).tolist()
    gamma = 1 + strength * (0 if bent < 0.65 else 0.6 * bend if bent < 0.85 else -0.35 * bend)
    curve = Tones(black=0.25 * strength * lift, white=1 - 0.25 * strength * fall, gamma=gamma)
    return curve, asdict(curve)


def cast(strength: float, rng: np.random.Generator) -> tuple[np.ndarray, Facts]:
    """Return what is left of red, green and blue, float64 ``[3]``."""
    colour = _CASTS[int(rng.random() * len(_CASTS))]
    vary = 0.04 * (rng.random(3) - 0.5)
    kept = 1 - strength * (1 - np.clip(np.array(colour) + vary, 0, 1))
    return kept, {"white": [float(round(value, 4)) for value in kept]}


def recolour(image: np.ndarray, tones: Tones, white: np.ndarray | None) -> np.ndarray:
    """Apply a curve of tones, and the colour of white if there is one: then the result has three channels."""
    if white is None:
        return _toned(image, tones, 1.0)
    # Channel by channel: OpenCV's table for three channels at once takes three times as long.
    channels = [image] * 3 if image.ndim == 2 else cv2.split(image)
    return cv2.merge([_toned(channel, tones, kept) for channel, kept in zip(channels, white.tolist(), strict=True)])


def _toned(image: np.ndarray, tones: Tones, kept: float) -> np.ndarray:
    black, span = tones.black * kept, (tones.white - tones.black) * kept
    if tones.gamma == 1:  # a straight line needs no table
        return cv2.convertScaleAbs(image, alpha=exact(span), beta=round(255 * black))
    return cv2.LUT(image, np.rint(255 * (black + span * (np.arange(256) / 255) ** tones.gamma)).astype(np.uint8))


def noise(
    image: np.ndarray, strength: float, rng: np.random.Generator, legible: Legibility
) -> tuple[np.ndarray, Facts]:
    """Add noise of a sensor."""
    height, width = image.shape[:2]
    sigma = _MOST_NOISE * strength * (0.5 + 0.5 * legible.share(8, 20))
    grain = piece(tile(textures.noise, 1 if image.ndim == 2 else 3), height, width, rng, turn=False)
    weight, mean = stretch(sigma / textures.NOISE_SIGMA, 128)
    # A little darker: at full white, half of the noise would be cut off.
    return cv2.addWeighted(image, 1, grain, weight, mean - round(0.8 * sigma)), {"sigma": sigma}


def specks(
    image: np.ndarray, strength: float, rng: np.random.Generator, legible: Legibility
) -> tuple[np.ndarray, Facts]:
    """Set single pixels dark or light; few enough, and single, so that none is taken for a point or a dot."""
    height, width = image.shape[:2]
    count = max(1, round(_MOST_SPECKS * strength * height * width))
    at = rng.integers(0, height * width, count)
    image = image.copy()
    flat = image.reshape(height * width, *image.shape[2:])
    flat[at[::2]] = round(255 - 215 * (0.3 + 0.7 * legible.share(8, 16)))
    flat[at[1::2]] = 255
    return image, {"count": count}


def jpeg(image: np.ndarray, strength: float, rng: np.random.Generator, legible: Legibility) -> tuple[np.ndarray, Facts]:
    """Compress with loss and read again."""
    quality = max(round(95 - 70 * strength), round(60 - 30 * legible.share(8, 20)))
    if image.ndim == 3:
        image = cv2.cvtColor(image, cv2.COLOR_RGB2BGR)
    _, written = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])
    read = np.asarray(cv2.imdecode(written, cv2.IMREAD_UNCHANGED))
    return read if read.ndim == 2 else cv2.cvtColor(read, cv2.COLOR_BGR2RGB), {"quality": quality}
