"""How far a picture may be degraded before its smallest text can no longer be read."""

import math
from dataclasses import dataclass

#: What is taken for the height of the smallest text, in pixels, where the caller does not know it.
ASSUMED_DETAIL = 10.0

#: Text of fewer pixels than this (font size) is hard to read, so pictures are not made smaller than that.
_LEAST_TEXT = 9.0

#: The largest standard deviation of all blurs together, as a share of the text's height. A stroke is about 1/12 high.
_MOST_BLUR = 0.075

#: The variance of a pixel itself, which is part of that: small text is blurred by its few pixels already.
_PIXEL = 1 / 12


@dataclass
class Legibility:
    """What is left of the blur that a picture's text survives; one object for each picture.

    Blurs one after the other add up in their variances, so the parts share one allowance.

    Attributes:
        detail: height of the smallest text in pixels (font size).
        variance: what is left, in square pixels.
    """

    detail: float
    variance: float

    @classmethod
    def of(cls, detail: float | None) -> "Legibility":
        """Return the full allowance for text of height ``detail`` (`ASSUMED_DETAIL` if it is not known)."""
        height = ASSUMED_DETAIL if detail is None else detail
        return cls(height, max(0.0, (_MOST_BLUR * height) ** 2 - _PIXEL))

    def take_blur(self, wanted: float, weight: float = 1.0) -> float:
        """Return the standard deviation, ``wanted`` or less, that may be used, and count it ``weight`` times."""
        used = min(wanted * wanted, self.variance / weight)
        self.variance -= used * weight
        return math.sqrt(used)

    def smallest_scale(self) -> float:
        """Return the smallest factor, 1 at most, by which the picture may be made smaller."""
        return min(1.0, _LEAST_TEXT / self.detail)

    def share(self, small: float, large: float) -> float:
        """Return 0 for text as small as ``small`` pixels, 1 from ``large`` pixels on, and evenly between."""
        return min(1.0, max(0.0, (self.detail - small) / (large - small)))
