"""Lines and angles: parallels and transversals, rays, perpendiculars, reflections."""

import itertools
import math

from datagen.family import Rejected
from datagen.geometry.dice import Dice
from datagen.geometry.plane import direction, foot, meet, reflect
from datagen.geometry.sketch import Sketch


def transversal(sketch: Sketch, dice: Dice) -> None:
    """Two or three parallel lines and one line across, with named ends or named crossings."""
    levels = [0.0, dice.uniform(0.4, 0.65)]
    if dice.chance(0.3):
        levels.append(levels[1] + dice.uniform(0.35, 0.6))
    ends = [(complex(-1, level), complex(1, level)) for level in levels]
    for left, right in ends:
        sketch.join(left, right)
    sketch.parallel(*ends)
    slope, at = math.radians(dice.uniform(42, 80)), dice.uniform(-0.25, 0.1)
    over = dice.uniform(0.22, 0.35)
    way = complex(1 / math.tan(slope), 1)
    start, end = at - over * way, at + (levels[-1] + over) * way
    sketch.join(start, end)
    crossings = [meet(start, end, left, right) for left, right in ends]
    if max(abs(cut.real) for cut in crossings) > 0.9:
        raise Rejected("crossing beyond its line")
    for cut, (left, right) in zip(crossings, ends, strict=True):
        sketch.corner(cut, right, end)
        sketch.corner(cut, left, end)
    sketch.same_angles(*((cut, right, end) for cut, (left, right) in zip(crossings, ends, strict=True)))
    if dice.chance(0.75):
        for left, right in ends[::-1]:
            sketch.name(left, right)
        sketch.name(end, start)
    if dice.chance(0.6):
        sketch.name(*crossings[::-1])


def perpendicular_between(sketch: Sketch, dice: Dice) -> None:
    """Two parallels, a line across and the bisector or perpendicular at one crossing."""
    high = dice.uniform(0.6, 0.9)
    low, top = complex(dice.uniform(-0.45, -0.2), 0), complex(dice.uniform(0.1, 0.4), high)
    bisected = dice.chance(0.5)
    # The bisector makes an isosceles triangle with the two parallels' transversal.
    end = top + abs(top - low) if bisected else complex(top.real, 0)
    right = max(1.0, end.real + dice.uniform(0.25, 0.4))
    lines = [(complex(-1, level), complex(right, level)) for level in (0, high)]
    for line in lines:
        sketch.join(*line)
    sketch.parallel(*lines)
    sketch.join(low, top)
    sketch.name(low, top, lines[1][0], lines[0][1])
    sketch.aux(low if bisected else top, end)
    if bisected:
        sketch.same_angles((low, top, end), (low, end, lines[0][1]))
    else:
        sketch.right(end, top, lines[0][1])
    sketch.name(end)


def zigzag(sketch: Sketch, dice: Dice) -> None:
    """Two parallels and a bent line between them, perhaps with the auxiliary parallel through the bend."""
    high = dice.uniform(0.8, 1.2)
    out = dice.chance(0.25)
    left, right = 0.0, dice.uniform(1.0, 1.3)
    start, end = complex(left, high), complex(left + dice.uniform(-0.15, 0.15), 0)
    bend = complex(dice.uniform(0.45, 0.75) * (-1 if out else 1), high * dice.uniform(0.35, 0.65))
    sketch.join(start, complex(right, high))
    sketch.join(end, complex(right, 0))
    sketch.parallel((start, complex(right, high)), (end, complex(right, 0)))
    sketch.path(start, bend, end)
    sketch.name(start, complex(right, high), end, complex(right, 0))
    sketch.name(bend, role="E")
    sketch.corner(bend, start, end)
    sketch.corner(start, bend, complex(right, high))
    sketch.corner(end, bend, complex(right, 0))
    if dice.chance(0.45):
        far = complex(right * dice.uniform(0.95, 1.0), bend.imag) if not out else bend + dice.uniform(0.8, 1.1)
        sketch.join(bend, far, True)
        sketch.name(far)


def bundle(sketch: Sketch, dice: Dice) -> None:
    """Two lines across three parallels (Thales), crossing at a point or not."""
    first, second = dice.uniform(0.4, 0.6), dice.uniform(0.75, 1.1)
    levels = [0.0, -first, -first - second]
    over = dice.uniform(0.2, 0.3)
    left_slope, right_slope = dice.uniform(-0.45, 0.0), dice.uniform(0.15, 0.55)
    apart = dice.uniform(0.6, 0.9)
    ends = []
    for x, slope in ((0.0, left_slope), (apart, right_slope)):
        cuts = [complex(x + slope * -level, level) for level in levels]
        sketch.join(complex(x - slope * over, over), complex(cuts[-1].real + slope * over, cuts[-1].imag - over))
        sketch.name(*cuts)
        ends.append(cuts)
    lines = []
    margin = dice.uniform(0.25, 0.4)
    for left, right in zip(*ends, strict=True):
        lines.append((left - margin, right + margin))
        sketch.join(*lines[-1])
    sketch.parallel(*lines)


def rays(sketch: Sketch, dice: Dice) -> None:
    """Three to five rays from one point, or lines through a point: adjacent, vertical and right angles."""
    vertex = 0j
    count = dice.whole(2, 4)
    straight = dice.chance(0.55)
    full = math.pi if straight else math.radians(dice.uniform(70, 150))
    shares = [dice.uniform(0.7, 1.4) for _ in range(count)]
    angles = [full * sum(shares[:number]) / sum(shares) for number in range(count + 1)]
    ends = [dice.uniform(0.85, 1.1) * direction(angle) for angle in angles]
    if straight:
        sketch.join(ends[0], ends[-1])
        for end in ends[1:-1]:
            sketch.join(vertex, end)
    else:
        for end in ends:
            sketch.join(vertex, end)
    for start, end in itertools.pairwise(ends):
        sketch.corner(vertex, start, end)
    sketch.name(*ends)
    sketch.name(vertex, role="O", letters="OPQ")


def bisected_angle(sketch: Sketch, dice: Dice) -> None:
    """An angle with its bisector, a point on it and the perpendiculars to the arms."""
    half = math.radians(dice.uniform(20, 36))
    sketch.name(0j, role="O", letters="OPQ")
    arms = direction(half), direction(-half)
    long = dice.uniform(1.35, 1.5)
    point = complex(dice.uniform(0.9, 1.15), 0)
    for arm in arms:
        sketch.join(0j, arm * long)
        at = foot(point, 0j, arm)
        sketch.aux(point, at)
        sketch.right(at, point, 0j)
        sketch.name(arm * long, at)
    sketch.join(0j, complex(long * dice.uniform(1.0, 1.1), 0))
    sketch.name(point, role="P")
    sketch.same_angles((0j, arms[0], point), (0j, point, arms[1]))


def crossing_lines(sketch: Sketch, dice: Dice) -> None:
    """Two lines that cross, with a ray square to one of them, a bisector, or a third line."""
    slope = math.radians(dice.uniform(32, 75))
    size = dice.uniform(0.8, 1.0)
    first, second = (-1 + 0j, 1 + 0j), (-size * direction(slope), size * direction(slope))
    sketch.join(*first)
    sketch.join(*second)
    sketch.name(first[0], first[1], second[1], second[0])
    sketch.name(0j, role="O", letters="OPQ")
    sketch.same_angles((0j, first[1], second[1]), (0j, first[0], second[0]))
    sketch.corner(0j, first[1], second[1])
    how = dice.whole(0, 2)
    if how == 0:
        end = dice.uniform(0.7, 0.9) * 1j
        sketch.join(0j, end)
        sketch.right(0j, end, first[0])
        sketch.name(end)
    elif how == 1:
        end = direction(math.pi / 2 + slope / 2) * dice.uniform(0.75, 0.95)
        sketch.join(0j, end)
        sketch.same_angles((0j, second[1], end), (0j, end, first[0]))
        sketch.name(end)


def point_and_line(sketch: Sketch, dice: Dice) -> None:
    """A point off a line: the perpendicular, slanting lines to it, perhaps the mirror image."""
    top = complex(0, dice.uniform(0.7, 1.0))
    left, right = complex(-dice.uniform(0.9, 1.2), 0), complex(dice.uniform(0.9, 1.2), 0)
    sketch.join(left, right)
    sketch.join(top, 0j)
    sketch.right(0j, top, right)
    sketch.name(top, role="P")
    sketch.name(0j, role="H")
    ends = [complex(dice.uniform(0.35, 0.6), 0), complex(-dice.uniform(0.3, 0.7), 0), complex(-0.9, 0)]
    for end in ends[: dice.whole(1, 2)]:
        sketch.join(top, end)
        sketch.name(end)
    if dice.chance(0.6):
        sketch.name(left, right)
    if dice.chance(0.3):
        sketch.aux(0j, top.conjugate())
        sketch.name_as(top.conjugate(), sketch.names[top][0] + "'")
        sketch.aux(top.conjugate(), ends[0])


def shortest_way(sketch: Sketch, dice: Dice) -> None:
    """Two points on one side of a line, one mirrored in it, and the way over the line."""
    first, second = complex(-dice.uniform(0.6, 0.9), dice.uniform(0.4, 0.9)), complex(dice.uniform(0.5, 0.9), 0)
    second += 1j * dice.uniform(0.35, 0.9)
    left, right = complex(-1.2, 0), complex(1.2, 0)
    sketch.join(left, right)
    image = reflect(first, left, right)
    cut = meet(image, second, left, right)
    sketch.path(first, cut, second)
    sketch.join(image, cut, True)
    sketch.join(first, image, True)
    sketch.right(complex(first.real, 0), first, right)
    sketch.name(first, second)
    sketch.name(cut, role="P")
    sketch.name_as(image, sketch.names[first][0] + "'")
    sketch.same_angles((cut, left, first), (cut, second, right))


def perpendicular_bisector(sketch: Sketch, dice: Dice) -> None:
    """A segment with its perpendicular bisector and points on it joined to the ends."""
    high, low = dice.uniform(0.7, 1.1), dice.uniform(0.4, 0.9)
    sketch.join(-1 + 0j, 1 + 0j)
    sketch.join(complex(0, -low), complex(0, high))
    sketch.right(0j, complex(0, high), 1 + 0j)
    sketch.equal((-1 + 0j, 0j), (0j, 1 + 0j))
    sketch.name(-1 + 0j, 1 + 0j)
    sketch.name(0j, role="M")
    for level in (dice.uniform(0.45, high - 0.1), -low)[: dice.whole(1, 2)]:
        point = complex(0, level)
        sketch.aux(-1 + 0j, point)
        sketch.aux(1 + 0j, point)
        sketch.equal((-1 + 0j, point), (point, 1 + 0j))
        sketch.name(point, role="P")


def points_on_line(sketch: Sketch, dice: Dice) -> None:
    """Three to five points on a line, perhaps with a second segment beside it."""
    count = dice.whole(3, 5)
    places = [0.0]
    for _ in range(count - 1):
        places.append(places[-1] + dice.uniform(0.5, 1.2))
    ends = complex(places[0], 0), complex(places[-1], 0)
    sketch.join(*ends)
    sketch.name(*(complex(place, 0) for place in places))
    way = places[-1] * dice.uniform(0.5, 0.8) * direction(dice.uniform(0.35, 1.1))
    start = complex(places[dice.whole(0, 1)], 0)
    if dice.chance(0.8):
        sketch.join(start, start + way)
        sketch.name(start + way)
        for place in places[2:] if dice.chance(0.5) else places[-1:]:
            sketch.join(start + way, complex(place, 0))
    else:
        sketch.corners = ()


def parallels_with_triangle(sketch: Sketch, dice: Dice) -> None:
    """Triangles on one base between two parallels (equal areas)."""
    high = dice.uniform(0.6, 0.9)
    lines = (complex(-0.5, 0), complex(1.5, 0)), (complex(-0.5, high), complex(1.5, high))
    for line in lines:
        sketch.join(*line)
    sketch.parallel(*lines)
    tops = [complex(dice.uniform(-0.2, 0.3), high), complex(dice.uniform(0.7, 1.2), high)][: dice.whole(1, 2)]
    for top in tops:
        sketch.path(0j, top, 1 + 0j)
    sketch.name(0j, 1 + 0j, *tops)
    low = complex(tops[0].real, 0)
    if abs(low) > 0.15 and dice.chance(0.6):
        sketch.join(tops[0], low, True)
        sketch.right(low, tops[0], lines[0][1])
        sketch.name(low)
    if len(tops) == 2:
        sketch.name(meet(0j, tops[1], 1 + 0j, tops[0]))
