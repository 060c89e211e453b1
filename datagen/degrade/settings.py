"""What can be set about degradation, and the presets.

Every part has a dose: how often it is applied and how strongly. Strength 0 leaves the picture as it is; strength 1 is
the most that is still seen in practice. What a picture's small text would not survive is held back by
`datagen.degrade.legibility`, whatever the strength.
"""

from dataclasses import dataclass, fields
from types import MappingProxyType
from typing import Any

from dsocr_jax.errors import UserError


@dataclass(frozen=True)
class Dose:
    """How often and how strongly a part is applied; all values from 0 to 1.

    Attributes:
        share: how likely the part is applied.
        low: the smallest strength, drawn evenly up to ``high``.
        high: the largest strength.
    """

    share: float = 0.0
    low: float = 0.0
    high: float = 0.0

    def __post_init__(self) -> None:
        if not (0 <= self.share <= 1 and 0 <= self.low <= self.high <= 1):
            raise UserError(f"degradation: a dose needs 0 <= share <= 1 and 0 <= low <= high <= 1, not {self}")


_NEVER = Dose()


@dataclass(frozen=True)
class Degradation:
    """Settings of `datagen.degrade.degrade`. The parts stand in the order in which they are applied.

    Attributes:
        strength: multiplies the strength of every part, 0 to 1; at 0 nothing is changed.
        presets: names of `PRESETS` and their weights. If there are any, one of them is drawn for each picture, and
            the doses below are not used.
        gray: gray instead of colour; left out where colours of the picture could no longer be told apart.
        ink: ink that spreads into the paper or covers too little of it, with ragged edges.
        halftone: tones printed as dots.
        dropouts: toner that is missing in dark places, and dust on light ones.
        bilevel: black and white only, as a fax sends it; left out where there are colours or areas of gray.
        rotation: the page lies askew.
        perspective: the page is seen at an angle.
        paper: grain, fibres, clouds or creases of the paper.
        fold: the page was folded once or twice.
        bleed_through: the print on the back of the sheet shows, mirrored and faint.
        light: uneven light, a shadow, a dark edge.
        banding: lines and bands of a scanner.
        moire: colour fringes and pixels of a photographed screen.
        glare: a reflection.
        defocus: the blur of a lens out of focus.
        motion_blur: the blur of a moving camera.
        gaussian_blur: any other blur.
        rescale: made smaller, then larger again.
        tone: brightness, contrast, gamma.
        cast: the colour of the light or of the paper; makes a gray picture coloured.
        noise: noise of the sensor.
        specks: single dark and light pixels ("salt and pepper").
        jpeg: compression with loss.
    """

    strength: float = 1.0
    presets: tuple[tuple[str, float], ...] = ()
    gray: Dose = _NEVER
    ink: Dose = _NEVER
    halftone: Dose = _NEVER
    dropouts: Dose = _NEVER
    bilevel: Dose = _NEVER
    rotation: Dose = _NEVER
    perspective: Dose = _NEVER
    paper: Dose = _NEVER
    fold: Dose = _NEVER
    bleed_through: Dose = _NEVER
    light: Dose = _NEVER
    banding: Dose = _NEVER
    moire: Dose = _NEVER
    glare: Dose = _NEVER
    defocus: Dose = _NEVER
    motion_blur: Dose = _NEVER
    gaussian_blur: Dose = _NEVER
    rescale: Dose = _NEVER
    tone: Dose = _NEVER
    cast: Dose = _NEVER
    noise: Dose = _NEVER
    specks: Dose = _NEVER
    jpeg: Dose = _NEVER

    def __post_init__(self) -> None:
        if not 0 <= self.strength <= 1:
            raise UserError(f"degradation: strength is {self.strength}; give a number from 0 to 1")
        if any(weight < 0 for _, weight in self.presets) or (self.presets and not sum(w for _, w in self.presets) > 0):
            raise UserError(f"degradation: the weights of presets must be 0 or more, one above 0, not {self.presets}")


#: The names of the parts, in the order in which they are applied.
PARTS = tuple(field.name for field in fields(Degradation) if field.type is Dose)


def only(part: str, strength: float) -> Degradation:
    """Return settings that apply one of `PARTS`, always and at one strength."""
    if part not in PARTS:
        raise UserError(f"degradation: there is no part {part!r}; there are {', '.join(PARTS)}")
    doses: dict[str, Any] = {part: Dose(1, strength, strength)}
    return Degradation(**doses)


_LIGHT = Degradation(
    gray=Dose(0.05, 1, 1),
    ink=Dose(0.06, 0.1, 0.4),
    rotation=Dose(0.03, 0.02, 0.12),
    paper=Dose(0.16, 0.1, 0.4),
    light=Dose(0.05, 0.05, 0.25),
    gaussian_blur=Dose(0.1, 0.1, 0.4),
    rescale=Dose(0.04, 0.1, 0.5),
    tone=Dose(0.22, 0.1, 0.5),
    cast=Dose(0.04, 0.1, 0.4),
    noise=Dose(0.25, 0.05, 0.35),
    specks=Dose(0.03, 0.05, 0.2),
    jpeg=Dose(0.08, 0.1, 0.6),
)

_SCAN = Degradation(
    gray=Dose(0.75, 1, 1),
    ink=Dose(0.65, 0.2, 0.8),
    halftone=Dose(0.25, 0.3, 0.8),
    dropouts=Dose(0.35, 0.1, 0.7),
    rotation=Dose(0.4, 0.05, 0.35),
    paper=Dose(0.8, 0.2, 0.8),
    fold=Dose(0.12, 0.2, 0.7),
    bleed_through=Dose(0.2, 0.15, 0.7),
    light=Dose(0.2, 0.1, 0.4),
    banding=Dose(0.2, 0.1, 0.5),
    gaussian_blur=Dose(0.3, 0.1, 0.5),
    rescale=Dose(0.1, 0.1, 0.6),
    tone=Dose(0.5, 0.1, 0.6),
    cast=Dose(0.1, 0.1, 0.6),
    noise=Dose(0.6, 0.05, 0.4),
    specks=Dose(0.15, 0.05, 0.4),
    jpeg=Dose(0.16, 0.2, 0.7),
)

_PHOTO = Degradation(
    ink=Dose(0.4, 0.1, 0.5),
    rotation=Dose(0.8, 0.1, 0.8),
    perspective=Dose(0.8, 0.1, 1),
    paper=Dose(0.8, 0.2, 1),
    fold=Dose(0.2, 0.3, 1),
    bleed_through=Dose(0.1, 0.2, 0.6),
    light=Dose(0.95, 0.3, 1),
    glare=Dose(0.06, 0.1, 0.5),
    defocus=Dose(0.25, 0.2, 0.8),
    motion_blur=Dose(0.12, 0.2, 0.8),
    gaussian_blur=Dose(0.15, 0.2, 0.6),
    rescale=Dose(0.08, 0.1, 0.6),
    tone=Dose(0.8, 0.2, 0.8),
    cast=Dose(0.8, 0.15, 0.8),
    noise=Dose(0.8, 0.1, 0.5),
    jpeg=Dose(0.25, 0.2, 0.8),
)

_SCREEN = Degradation(
    rotation=Dose(0.7, 0.05, 0.6),
    perspective=Dose(0.8, 0.1, 0.9),
    light=Dose(0.6, 0.1, 0.5),
    moire=Dose(1, 0.25, 1),
    glare=Dose(0.4, 0.2, 0.9),
    defocus=Dose(0.25, 0.2, 0.7),
    motion_blur=Dose(0.1, 0.2, 0.6),
    gaussian_blur=Dose(0.3, 0.2, 0.7),
    tone=Dose(0.9, 0.2, 0.8),
    cast=Dose(0.7, 0.1, 0.6),
    noise=Dose(0.8, 0.1, 0.5),
    jpeg=Dose(0.25, 0.2, 0.7),
)

_FAX = Degradation(
    gray=Dose(1, 1, 1),
    ink=Dose(0.6, 0.3, 1),
    dropouts=Dose(0.6, 0.2, 0.9),
    bilevel=Dose(1, 0.6, 1),
    rotation=Dose(0.5, 0.05, 0.3),
    banding=Dose(0.3, 0.3, 0.8),
    gaussian_blur=Dose(0.2, 0.1, 0.3),
    specks=Dose(0.6, 0.1, 0.6),
)

#: What the standard level draws from: a share stays clean, most are changed lightly, some strongly.
_MIX = Degradation(
    presets=(("none", 0.36), ("light", 0.47), ("scan", 0.085), ("photo", 0.04), ("screen", 0.02), ("fax", 0.025))
)

PRESETS = MappingProxyType(
    {
        "none": Degradation(strength=0.0),
        "light": _LIGHT,
        "scan": _SCAN,
        "photo": _PHOTO,
        "screen": _SCREEN,
        "fax": _FAX,
        "mix": _MIX,
    }
)

#: The preset of each level of `datagen.family.LEVELS`.
LEVELS = MappingProxyType({"easy": PRESETS["none"], "middle": PRESETS["none"], "standard": PRESETS["mix"]})
