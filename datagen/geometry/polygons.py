"""Regular polygons and stars, figures within figures, and drawings of solids with dashed hidden edges."""

import itertools
import math

from datagen.geometry import shapes
from datagen.geometry.dice import Dice
from datagen.geometry.plane import between, direction, meet
from datagen.geometry.sketch import Sketch


def regular(sketch: Sketch, dice: Dice) -> None:
    """A regular pentagon, hexagon or octagon with diagonals, radii or an apothem, and its circles."""
    sketch.rigid = True
    count = dice.pick((5, 6, 6, 8))
    corners = shapes.regular(count)
    sketch.close(*corners)
    sketch.equal(*itertools.pairwise(corners))
    for name in dice.some(("diagonals", "radii", "apothem", "incircle", "circumcircle"), dice.whole(1, 2)):
        start = dice.whole(0, count - 1)
        if name == "diagonals":
            for step in range(2, 2 + dice.whole(1, count - 3)):
                sketch.aux(corners[start], corners[(start + step) % count])
        elif name == "radii":
            for number in range(dice.pick((2, 2, count))):
                sketch.aux(0j, corners[(start + number) % count])
            sketch.corner(0j, corners[start], corners[(start + 1) % count])
            sketch.name(0j, role="O", letters="OPQ")
        elif name == "apothem":
            middle = between(corners[start], corners[start - 1])
            sketch.aux(0j, middle)
            sketch.right(middle, 0j, corners[start])
            sketch.name(middle, role="M")
            sketch.name(0j, role="O", letters="OPQ")
        elif name == "incircle":
            radius = abs(between(corners[0], corners[1]))
            sketch.circle(0j, radius, named=dice.chance(0.5))
            sketch.tangent(between(corners[0], corners[1]), corners[1], 0j)
        else:
            sketch.circle(0j, 1.0, named=dice.chance(0.5))


def star(sketch: Sketch, dice: Dice) -> None:
    """A star of five to eight points, in its polygon or circle or alone."""
    sketch.rigid = True
    count, step = dice.pick(((5, 2), (5, 2), (6, 2), (7, 2), (7, 3), (8, 3)))
    corners = tuple(corner * 1j * direction(math.pi / count + math.pi / 2) for corner in shapes.regular(count))
    for number, corner in enumerate(corners):
        sketch.join(corner, corners[(number + step) % count])
    sketch.name(*corners)
    if count < 7 and dice.chance(0.4):
        cuts = [
            meet(corners[k], corners[(k + step) % count], corners[k - 1], corners[(k - 1 + step) % count])
            for k in range(count)
        ]
        sketch.name(*cuts)
    if dice.chance(0.35):
        for start, end in zip(corners, corners[1:] + corners[:1], strict=True):
            sketch.aux(start, end)
    elif dice.chance(0.5):
        sketch.circle(0j, 1.0, named=dice.chance(0.3))


def nested(sketch: Sketch, dice: Dice) -> None:
    """Squares, triangles or hexagons inside each other, each on the midpoints of the last, or turned a little."""
    sketch.rigid = True
    corners = list(shapes.regular(dice.pick((3, 4, 4, 5, 6))))
    share = dice.pick((0.5, 0.5, dice.uniform(0.2, 0.4)))
    for number in range(dice.whole(2, 3)):
        for start, end in zip(corners, corners[1:] + corners[:1], strict=True):
            sketch.join(start, end)
        if number < 2:
            sketch.name(*corners)
        corners = [between(p, q, share) for p, q in zip(corners, corners[1:] + corners[:1], strict=True)]
    if dice.chance(0.3):
        sketch.circle(0j, 1.0)


def circle_chain(sketch: Sketch, dice: Dice) -> None:
    """A regular polygon between its inner and outer circle."""
    sketch.rigid = True
    corners = shapes.regular(dice.pick((3, 4, 6)))
    for start, end in zip(corners, corners[1:] + corners[:1], strict=True):
        sketch.join(start, end)
    sketch.name(*corners)
    sketch.circle(0j, 1.0, named=dice.chance(0.7))
    sketch.circle(0j, abs(between(corners[0], corners[1])))
    if dice.chance(0.6):
        sketch.aux(0j, corners[0])
        sketch.aux(0j, between(corners[0], corners[1]))
        sketch.right(between(corners[0], corners[1]), 0j, corners[0])
        sketch.name(0j, role="O", letters="OPQ")


def divided_square(sketch: Sketch, dice: Dice) -> None:
    """A square or rectangle cut up: by parallels to its sides, a grid, or the golden spiral's squares."""
    how = dice.whole(0, 2)
    wide = dice.uniform(1.2, 1.618) if how else 1.0
    corners = (0j, wide + 0j, wide + 1j, 1j)
    sketch.close(*corners)
    sketch.right(corners[0], corners[1], corners[3])
    if how == 0:
        x, y = dice.uniform(0.28, 0.72), dice.uniform(0.28, 0.72)
        y = x if dice.chance(0.4) else y
        ends = ((complex(x, 0), complex(x, 1)), (complex(0, y), complex(1, y)))
        for start, end in ends:
            sketch.join(start, end)
            sketch.name(start, end)
        sketch.name(complex(x, y))
        if dice.chance(0.4):
            sketch.aux(0j, 1 + 1j)
    elif how == 1:
        sketch.join(1 + 0j, 1 + 1j)
        sketch.name(1 + 0j, 1 + 1j)
        if wide > 1.35:
            level = complex(1, 1 - (wide - 1)), complex(wide, 1 - (wide - 1))
            sketch.join(*level)
            sketch.name(*level)
        if dice.chance(0.5):
            sketch.aux(0j, 1 + 1j)
    else:
        cut = complex(dice.uniform(0.3, wide - 0.3), 1)
        sketch.join(0j, cut)
        sketch.name(cut)
        if dice.chance(0.6):
            sketch.join(cut, wide + 0j)
        low = complex(cut.real, 0)
        sketch.join(cut, low, True)
        sketch.right(low, cut, corners[1])
        sketch.name(low)


def prism(sketch: Sketch, dice: Dice) -> None:
    """A cuboid or a triangular prism in oblique projection, perhaps with a diagonal or a section."""
    sketch.upright = True
    back = dice.uniform(0.35, 0.6) * direction(math.radians(dice.uniform(28, 50)))
    high = dice.uniform(0.55, 1.3) * 1j
    if dice.chance(0.35):
        return _triangular_prism(sketch, dice, high)
    a, b = 0j, 1 + 0j
    c, d = b + back, a + back
    low, top = (a, b, c, d), tuple(p + high for p in (a, b, c, d))
    for start, end, hidden in ((0, 1, False), (1, 2, False), (2, 3, True), (3, 0, True)):
        sketch.join(low[start], low[end], hidden)
        sketch.join(top[start], top[end])
    for number in range(4):
        sketch.join(low[number], top[number], number == 3)
    _name_layers(sketch, dice, low, top)
    how = dice.whole(0, 5)
    if how == 0:
        sketch.join(low[1], top[3], True)
    elif how == 1:
        sketch.join(low[0], top[1])
        sketch.join(top[0], low[1])
    elif how == 2:
        sketch.join(low[0], low[2], True)
        sketch.join(top[0], top[2])
    elif how == 3:
        sketch.join(top[0], low[1])
        sketch.join(low[1], top[2])
        sketch.join(top[0], top[2])


def _triangular_prism(sketch: Sketch, dice: Dice, high: complex) -> None:
    low = (0j, complex(dice.uniform(0.3, 0.6), -dice.uniform(0.25, 0.4)), 1 + 0j)
    high *= 1.1
    top = tuple(p + high for p in low)
    for number in range(3):
        start, end = number, (number + 1) % 3
        sketch.join(low[start], low[end], number == 2)
        sketch.join(top[start], top[end])
        sketch.join(low[number], top[number])
    _name_layers(sketch, dice, low, top)
    if dice.chance(0.4):
        sketch.join(top[0], low[1])
        if dice.chance(0.5):
            sketch.join(low[1], top[2])


def _name_layers(sketch: Sketch, dice: Dice, low: tuple[complex, ...], top: tuple[complex, ...]) -> None:
    """Name the lower corners, and the upper ones on, or with primes or the index 1."""
    sketch.name(*low)
    mark = dice.pick(("", "1", "1", "'", "'"))
    for corner, above in zip(low, top, strict=True):
        if mark:
            sketch.name_as(above, sketch.names[corner][0] + mark)
        else:
            sketch.name(above)


def pyramid(sketch: Sketch, dice: Dice) -> None:
    """A pyramid on a parallelogram or a triangle, with its height or a median of the base."""
    sketch.upright = True
    high = dice.uniform(0.8, 1.2)
    low: tuple[complex, ...]
    hidden: tuple[int, ...] = (2,)
    hidden_edges: tuple[int, ...] = ()
    if dice.chance(0.5):
        back = dice.uniform(0.4, 0.55) * direction(math.radians(dice.uniform(30, 48)))
        low = (0j, 1 + 0j, 1 + back, back)
        centre = between(low[0], low[2])
        top = centre + high * 1j if dice.chance(0.75) else low[3] + high * 1j
        hidden, hidden_edges = (2, 3), (3,)
    else:
        low = (0j, complex(dice.uniform(0.35, 0.65), -dice.uniform(0.25, 0.38)), 1 + 0j)
        centre = sum(low) / 3
        top = complex(dice.uniform(0.3, 0.6), high * 0.9)
    sketch.name(top, role=dice.pick("SPV"))
    sketch.name(*low)
    for number, corner in enumerate(low):
        sketch.join(corner, low[(number + 1) % len(low)], number in hidden)
        sketch.join(top, corner, number in hidden_edges)
    if len(low) == 4 and top.real == centre.real and dice.chance(0.7):
        sketch.join(top, centre, True)
        sketch.name(centre, role="O")
        sketch.join(low[0], low[2], True)
        if dice.chance(0.6):
            sketch.join(low[1], low[3], True)
    elif len(low) == 3 and dice.chance(0.6):
        middle = between(low[0], low[1]) if dice.chance(0.5) else between(low[1], low[2])
        sketch.join(top, middle)
        sketch.name(middle, role="M")
        if dice.chance(0.5):
            far = low[2] if middle == between(low[0], low[1]) else low[0]
            sketch.join(middle, far, True)


def frustum(sketch: Sketch, dice: Dice) -> None:
    """A truncated pyramid on a parallelogram."""
    sketch.upright = True
    back = dice.uniform(0.4, 0.55) * direction(math.radians(dice.uniform(32, 50)))
    low = (0j, 1 + 0j, 1 + back, back)
    top_point = between(low[0], low[2]) + dice.uniform(1.2, 1.7) * 1j
    share = dice.uniform(0.4, 0.55)
    top = tuple(between(corner, top_point, share) for corner in low)
    for number in range(4):
        after = (number + 1) % 4
        sketch.join(low[number], low[after], number in (2, 3))
        sketch.join(top[number], top[after])
        sketch.join(low[number], top[number], number == 3)
    _name_layers(sketch, dice, low, top)


def net_of_triangles(sketch: Sketch, dice: Dice) -> None:
    """Triangles in a strip (a trapezium cut into triangles), or around a point."""
    if dice.chance(0.5):
        count = dice.whole(3, 5)
        low = [complex(number * dice.uniform(0.95, 1.05), 0) for number in range(count // 2 + 1)]
        shift, high = dice.uniform(0.35, 0.65), dice.uniform(0.7, 1.0)
        top = [complex(number + shift, high) for number in range((count + 1) // 2)]
        order = [p for pair in zip(low, top, strict=False) for p in pair] + low[len(top) :]
        sketch.path(*order)
        sketch.join(low[0], low[-1])
        sketch.join(top[0], top[-1])
        sketch.name(*low, *top)
        return
    corners = shapes.on_circle(dice, dice.whole(4, 6), 0.75)
    corners = tuple(corner * dice.uniform(0.75, 1.0) for corner in corners)
    sketch.close(*corners)
    inner = complex(dice.uniform(-0.15, 0.15), dice.uniform(-0.15, 0.15))
    for corner in corners:
        sketch.join(inner, corner)
    sketch.name(inner, role=dice.pick("OP"), letters="OPQ")


def irregular(sketch: Sketch, dice: Dice) -> None:
    """An irregular pentagon or hexagon with the diagonals from one corner, or a line from there to a side."""
    corners = shapes.on_circle(dice, dice.whole(5, 6), 0.8)
    corners = tuple(corner * dice.uniform(0.8, 1.05) for corner in corners)
    sketch.close(*corners)
    how = dice.whole(0, 2)
    if how < 2:
        for number in range(2, len(corners) - 1):
            sketch.aux(corners[0], corners[number])
            sketch.corner(corners[0], corners[number - 1], corners[number])
    else:
        end = between(corners[2], corners[3], dice.uniform(0.35, 0.65))
        sketch.join(corners[0], end)
        sketch.name(end)
