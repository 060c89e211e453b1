"""Figures of two circles (the first is the unit circle), and of circles with squares."""

import math

from datagen.family import Rejected
from datagen.geometry.dice import Dice
from datagen.geometry.plane import between, circles_meet, direction, dot, line_and_circle, second_meeting
from datagen.geometry.sketch import Sketch


def crossing_circles(sketch: Sketch, dice: Dice) -> None:
    """Two circles that cross: common chord, line of centres, radii, or a line through one common point."""
    radius = dice.uniform(0.65, 1.0)
    if dice.chance(0.15):
        radius = 1.0
    shift = complex(dice.uniform(max(1.05, 1.2 - radius + 0.3), 0.82 * (1 + radius)), 0)
    named = dice.chance(0.9)
    sketch.circle(0j, 1.0, named)
    sketch.circle(shift, radius, named)
    high, low = circles_meet(0j, 1.0, shift, radius)
    sketch.name(high, low)
    how = dice.whole(0, 3)
    if how < 2:
        sketch.aux(high, low)
        if dice.chance(0.7):
            sketch.aux(0j, shift)
            sketch.right(complex(high.real, 0), high, shift)
    if how == 1:
        for centre in (0j, shift):
            sketch.aux(centre, high)
    if how >= 2:
        through = direction(dice.uniform(2.2, 3.3))
        end = second_meeting(high, through, shift)
        if dot(end - high, through - high) > 0:
            raise Rejected("line turns back")
        sketch.join(through, end)
        sketch.name(through, end)
        if how == 3:
            sketch.path(through, low, end)


def touching_circles(sketch: Sketch, dice: Dice) -> None:
    """Two circles that touch, from outside or inside, with common tangents or the line of centres."""
    radius = dice.uniform(0.4, 0.75)
    outside = dice.chance(0.7)
    shift = complex(1 + radius if outside else 1 - radius, 0)
    sketch.circle(0j, 1.0, dice.chance(0.9))
    sketch.circle(shift, radius, dice.chance(0.9))
    sketch.name(1 + 0j, role="T")
    if dice.chance(0.5):
        high = dice.uniform(0.7, 1.1)
        sketch.join(complex(1, -high), complex(1, high))
        sketch.tangent(1 + 0j, 1 + 1j, 0j)
    if outside and dice.chance(0.6):
        for away in _outer(radius, shift)[: dice.whole(1, 2)]:
            sketch.join(away, shift + radius * away)
            sketch.tangent(away, shift + radius * away, 0j)
            sketch.name(away, shift + radius * away)
            if dice.chance(0.4):
                sketch.join(1 + 0j, away)
                sketch.join(1 + 0j, shift + radius * away)
    elif dice.chance(0.7):
        start = direction(math.pi + dice.uniform(-0.8, 0.8)) if outside else direction(dice.uniform(1.2, 2.4))
        end = shift + radius * (start if not outside else -start)
        sketch.join(start, end if outside else 1 + 0j)
        sketch.name(start, end)
    if dice.chance(0.4):
        sketch.aux(0j, shift)


def _outer(radius: float, shift: complex) -> tuple[complex, complex]:
    """Return where the outer common tangents touch the unit circle; the other circle's centre is on the x axis."""
    away = direction(math.acos((1 - radius) / shift.real))
    return away, away.conjugate()


def common_tangents(sketch: Sketch, dice: Dice) -> None:
    """Two circles apart from each other with outer or inner common tangents, radii and the line of centres."""
    radius = dice.uniform(0.45, 0.85)
    shift = complex((1 + radius) * dice.uniform(1.15, 1.4), 0)
    sketch.circle(0j, 1.0, True)
    sketch.circle(shift, radius, True)
    inner = dice.chance(0.4)
    if inner:
        away = direction(math.acos((1 + radius) / shift.real))
        pairs = [(away, shift - radius * away), (away.conjugate(), shift - radius * away.conjugate())]
    else:
        pairs = [(away, shift + radius * away) for away in _outer(radius, shift)]
    for first, second in pairs[: dice.whole(1, 2)]:
        sketch.join(first, second)
        sketch.name(first, second)
        sketch.tangent(first, second, 0j)
        sketch.tangent(second, first, shift)
    first, second = pairs[0]
    if dice.chance(0.6):
        for centre, end, other in ((0j, first, second), (shift, second, first)):
            sketch.aux(centre, end)
            sketch.right(end, centre, other)
    if dice.chance(0.6):
        sketch.aux(0j, shift)
        if inner and dice.chance(0.5):
            sketch.name(shift * (1 / (1 + radius)))


def concentric(sketch: Sketch, dice: Dice) -> None:
    """Two circles of one centre; a chord of the outer one that touches the inner one, or that cuts both."""
    radius = dice.uniform(0.45, 0.68)
    sketch.circle(0j, 1.0, dice.chance(0.9))
    sketch.circle(0j, radius)
    if dice.chance(0.6):
        touch = -radius * 1j
        left, right = line_and_circle(touch - 1, touch + 1, 0j, 1)
        sketch.join(left, right)
        sketch.tangent(touch, right, 0j)
        sketch.name(left, right, touch)
        how = dice.whole(0, 3)
        if how:
            sketch.aux(0j, touch)
            sketch.right(touch, 0j, right)
            sketch.name(0j, role="O", letters="OPQ")
        if how > 1:
            sketch.aux(0j, right)
    else:
        level = -radius * dice.uniform(0.35, 0.7) * 1j
        for size in (1.0, radius):
            ends = line_and_circle(level - 1, level + 1, 0j, size)
            sketch.name(*ends)
            if size == 1.0:
                sketch.join(*ends)
        if dice.chance(0.5):
            sketch.aux(0j, level)
            sketch.right(level, 0j, level + 1)
            sketch.name(level)
            sketch.name(0j, role="O", letters="OPQ")


def circles_in_row(sketch: Sketch, dice: Dice) -> None:
    """Three circles that touch each other, with the triangle of their centres or a common tangent below."""
    if dice.chance(0.5):
        sketch.rigid = True
        centres = [0j, 2 + 0j, complex(1, math.sqrt(3))]
        for centre in centres:
            sketch.circle(centre, 1.0, True)
        for start, end in zip(centres, centres[1:] + centres[:1], strict=True):
            sketch.aux(start, end)
        if dice.chance(0.4):
            sketch.join(-1j - dice.uniform(0.5, 1), 2 - 1j + dice.uniform(0.5, 1))
    else:
        radius = dice.uniform(0.4, 0.8)
        second = complex(2 * math.sqrt(radius), radius - 1)
        sketch.circle(0j, 1.0, True)
        sketch.circle(second, radius, True)
        left, right = -1j - dice.uniform(0.9, 1.3), -1j + second.real + radius + dice.uniform(0, 0.4)
        sketch.join(left, right)
        touch = complex(second.real, -1)
        sketch.tangent(-1j, right, 0j)
        sketch.tangent(touch, right, second)
        sketch.name(-1j, touch)
        if dice.chance(0.7):
            for centre, end in ((0j, -1j), (second, touch)):
                sketch.aux(centre, end)
                sketch.right(end, centre, right if end == -1j else left)
            sketch.aux(0j, second)


def circle_and_square(sketch: Sketch, dice: Dice) -> None:
    """A square or rectangle with a circle inside, around a corner, or a circle that touches three sides."""
    how = dice.whole(0, 2)
    sketch.rigid = how == 0
    wide = 1.0 if how == 0 else dice.uniform(1.25, 1.7)
    corners = (complex(-1, -1), complex(2 * wide - 1, -1), complex(2 * wide - 1, 1), complex(-1, 1))
    sketch.close(*corners)
    sketch.right(corners[0], corners[1], corners[3])
    sketch.circle(0j, 1.0, dice.chance(0.8))
    if how == 0:
        if dice.chance(0.6):
            sketch.aux(corners[0], corners[2])
        if dice.chance(0.5):
            inner = [direction(math.pi / 4 + math.pi / 2 * number) for number in range(4)]
            for start, end in zip(inner, inner[1:] + inner[:1], strict=True):
                sketch.join(start, end)
    else:
        reach = 2 * wide - 1
        # The other tangent from the far lower corner.
        corner = complex(reach, -1)
        far = between(corners[0], corners[3], 1.0)
        touch = _other_touch(corner)
        end = corner + (touch - corner) * ((1 - corner.imag) / (touch - corner).imag)
        if -1 < end.real < reach:
            sketch.join(corner, end)
            sketch.tangent(touch, corner, 0j)
            sketch.name(end)
            if dice.chance(0.5):
                sketch.aux(0j, touch)
                sketch.right(touch, 0j, corner)
                sketch.name(touch)
        else:
            sketch.aux(far, corner)
            sketch.name(0j, role="O", letters="OPQ")


def _other_touch(point: complex) -> complex:
    """Return where the tangent from ``point`` that is not level touches the unit circle."""
    turn = direction(math.acos(1 / abs(point)))
    return max((point / abs(point) * turn, point / abs(point) / turn), key=lambda p: p.imag)
