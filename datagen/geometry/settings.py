"""What can be set about geometry figures, and the named levels."""

from dataclasses import dataclass

#: Faces of letters, as often as they are drawn: slanted ones with serifs are what most books use.
FONTS = (
    *("STIXGeneralItalic",) * 6,
    *("STIXGeneral", "DejaVuSerif-Italic", "cmr10") * 2,
    *("DejaVuSans", "DejaVuSans-Oblique", "DejaVuSerif", "cmss10", "STIXGeneralBol", "STIXGeneralBolIta"),
    *("DejaVuSans-Bold", "cmb10"),
)


@dataclass(frozen=True)
class GeometrySettings:
    """Settings of the geometry family; lengths are in pixels unless they say otherwise.

    Attributes:
        recipes: names of the figures to draw from (keys of `datagen.geometry.recipes.RECIPES`), each as likely.
        grid: step of the grid, in label units, that the ends of strokes lie on; 0 means any place.
        sides: the smallest and the largest longer side of the picture.
        aspect: the largest ratio of the picture's sides.
        fill: the smallest and the largest share of the picture that figure and letters take.
        stroke: thinnest and thickest stroke, as a share of the picture's shorter side.
        letter: smallest and largest size of letters (em), as a share of the picture's shorter side.
        fonts: names of font faces for the letters.
        dashed: how likely an auxiliary stroke is dashed.
        letters: how likely a figure has letters at its points.
        dots: how likely points are drawn as dots.
        no_dots: the other ways: "none", or "centres" (of circles, where no stroke shows them).
        coloured: how likely ink or paper have a colour.
        marks: how likely a picture has marks of right angles, equal segments, angles and the like.
        ruled: how likely the paper is ruled in squares.
        shaded: how likely the figure's polygon is shaded.
        wobbly: how likely strokes look drawn by hand.
    """

    recipes: tuple[str, ...]
    grid: float = 0.0
    sides: tuple[int, int] = (240, 600)
    aspect: float = 1.8
    fill: tuple[float, float] = (0.68, 1.0)
    stroke: tuple[float, float] = (0.0032, 0.0075)
    letter: tuple[float, float] = (0.045, 0.075)
    fonts: tuple[str, ...] = FONTS
    dashed: float = 0.55
    letters: float = 0.9
    dots: float = 0.35
    no_dots: tuple[str, ...] = ("none", "centres", "centres", "centres")
    coloured: float = 0.18
    marks: float = 0.7
    ruled: float = 0.04
    shaded: float = 0.08
    wobbly: float = 0.06


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
    no_dots=("none",),
    coloured=0.0,
    marks=0.0,
    ruled=0.0,
    shaded=0.0,
    wobbly=0.0,
)

#: Figures of a finer grid in thinner strokes and the letters of books.
MIDDLE = GeometrySettings(
    recipes=("grid_triangle", "grid_quadrilateral", "grid_segments", "grid_circle"),
    grid=1.0,
    sides=(640, 640),
    aspect=1.0,
    fill=(0.75, 1.0),
    stroke=(0.006, 0.012),
    letter=(0.06, 0.08),
    dots=0.1,
    no_dots=("none",),
    coloured=0.0,
    marks=0.0,
    ruled=0.0,
    shaded=0.0,
    wobbly=0.0,
)

#: Names of `datagen.geometry.recipes`, as often as they are drawn: the plain triangle and quadrilateral have the most
#: additions, so they come most often.
STANDARD_RECIPES = (
    *("triangle",) * 16,
    *("quadrilateral",) * 12,
    *("inscribed_polygon", "tangents", "tangent_at", "diameter", "inscribed_angle", "chord", "prism", "pyramid") * 2,
    *("crossed", "congruent", "common_side", "opposite_side", "hand_in_hand", "height_on_hypotenuse", "pythagoras"),
    *("similar_inside", "mirrored", "crossing_chords", "parallel_chords", "secants", "circle_in_angle"),
    *("circumscribed_polygon", "crossing_circles", "touching_circles", "common_tangents", "concentric"),
    *("circles_in_row", "circle_and_square", "transversal", "perpendicular_between", "zigzag", "bundle", "rays"),
    *("bisected_angle", "crossing_lines", "point_and_line", "shortest_way", "perpendicular_bisector"),
    *("points_on_line", "parallels_with_triangle", "regular", "star", "nested", "circle_chain", "divided_square"),
    *("frustum", "net_of_triangles", "irregular"),
)

STANDARD = GeometrySettings(recipes=STANDARD_RECIPES)
