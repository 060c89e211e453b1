"""What can be set about geometry figures, and the two named levels."""

from dataclasses import dataclass

FONTS = ("DejaVuSans", "DejaVuSerif", "DejaVuSerif-Italic", "STIXGeneral", "STIXGeneralItalic", "cmr10")


@dataclass(frozen=True)
class GeometrySettings:
    """Settings of the geometry family; lengths are in pixels unless they say otherwise.

    Attributes:
        recipes: names of the figures to draw from (keys of `datagen.geometry.recipes.RECIPES`), each as likely.
        grid: step of the grid, in label units, that the ends of strokes lie on; 0 means any place.
        additions: the most auxiliary constructions (median, height, circle ...) added to a base figure.
        sides: the smallest and the largest longer side of the picture.
        aspect: the largest ratio of the picture's sides.
        fill: the smallest and the largest share of the picture that figure and letters take.
        stroke: thinnest and thickest stroke, as a share of the picture's shorter side.
        letter: smallest and largest size of letters (em), as a share of the picture's shorter side.
        fonts: names of font faces for the letters.
        dashed: how likely an auxiliary stroke is dashed.
        letters: how likely a figure has letters at its points.
        dots: how likely points are drawn as dots.
        coloured: how likely ink or paper have a colour.
    """

    recipes: tuple[str, ...]
    grid: float = 0.0
    additions: int = 2
    sides: tuple[int, int] = (256, 640)
    aspect: float = 1.5
    fill: tuple[float, float] = (0.6, 1.0)
    stroke: tuple[float, float] = (0.0035, 0.009)
    letter: tuple[float, float] = (0.045, 0.075)
    fonts: tuple[str, ...] = FONTS
    dashed: float = 0.6
    letters: float = 0.9
    dots: float = 0.35
    coloured: float = 0.25


EASY = GeometrySettings(
    recipes=("grid_triangle", "grid_segments", "grid_circle", "grid_circle"),
    grid=2.0,
    sides=(192, 192),
    aspect=1.0,
    fill=(0.92, 1.0),
    stroke=(0.016, 0.02),
    letter=(0.125, 0.14),
    fonts=("DejaVuSans-Bold",),
    dots=0.0,
    coloured=0.0,
)

STANDARD = GeometrySettings(
    recipes=(
        "triangle",
        "triangle",
        "quadrilateral",
        "quadrilateral",
        "polygon",
        "chords",
        "tangents",
        "two_circles",
        "parallels",
        "angle",
    )
)
