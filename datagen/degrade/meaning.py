"""Whether colours or tones of a picture say something, so that they must stay apart: a legend, slices, bars."""

import cv2
import numpy as np

#: Two colours that differ by this in some channel are meant to be told apart, and need this difference of luma then.
_OTHER_COLOUR, _OTHER_LUMA = 40, 14

#: Colours are counted in steps of 2 ** 4; with more of them than this the picture is like a photograph.
_COARSE = 4
_MOST_COLOURS = 80

#: Shares of the pixels looked at, from which a colour counts, the ink, and a tone that fills areas: of a page full of
#: text, the edges of its letters have up to 0.015 in each of 16 tones.
_COLOUR_SHARE, _INK_SHARE, _TONE_SHARE = 1 / 3000, 0.001, 0.018


def colours_needed(image: np.ndarray) -> bool:
    """Return whether colours of the picture differ that would be the same gray."""
    if image.ndim == 2:
        return False
    some = _some(image) >> _COARSE
    red, green, blue = np.ascontiguousarray(some.T)
    counts = np.bincount(red.astype(np.uint16) << 8 | green << 4 | blue)
    keys = np.flatnonzero(counts >= len(some) * _COLOUR_SHARE)
    if len(keys) > _MOST_COLOURS:
        return True
    colours = np.stack([keys >> 8, keys >> 4 & 15, keys & 15], 1) * 16.0 + 8
    apart = np.abs(colours[:, None] - colours[None]).max(-1) > _OTHER_COLOUR
    luma = (299 * colours[:, 0] + 587 * colours[:, 1] + 114 * colours[:, 2]) / 1000
    return bool((apart & (np.abs(luma[:, None] - luma[None]) < _OTHER_LUMA)).any())


def tones_needed(image: np.ndarray) -> bool:
    """Return whether there is more than one ink on one paper: colours, or areas of a tone between the two."""
    some = _some(image)
    if image.ndim == 3:
        red, green, blue = np.ascontiguousarray(some.T)
        strongest = cv2.max(cv2.max(red, green), blue) - cv2.min(cv2.min(red, green), blue)
        if (strongest > _OTHER_COLOUR).mean() >= _COLOUR_SHARE:
            return True
        some = green
    shares = np.bincount(some.ravel() >> _COARSE, minlength=16) / some.size
    paper, ink = int(shares.argmax()), int(np.flatnonzero(shares > _INK_SHARE)[0])
    between = np.delete(shares, [i for i in range(16) if i <= ink + 1 or abs(i - paper) <= 1])
    return bool((between > _TONE_SHARE).any())


def _some(image: np.ndarray) -> np.ndarray:
    """Return every second pixel of every eighth row and column, so that no line escapes; ``[n]`` or ``[n, 3]``."""
    height, width = image.shape[:2]
    rows = cv2.resize(image, (width // 2 + 1, height // 8 + 1), interpolation=cv2.INTER_NEAREST)
    columns = cv2.resize(image, (width // 8 + 1, height // 2 + 1), interpolation=cv2.INTER_NEAREST)
    return np.concatenate([part.reshape(-1, *image.shape[2:]) for part in (rows, columns)])
