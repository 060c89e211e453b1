import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from datagen.geometry import plane

POINTS = st.complex_numbers(max_magnitude=10, allow_nan=False, allow_infinity=False).map(
    lambda z: complex(round(z.real, 3), round(z.imag, 3))
)
TRIANGLES = st.tuples(POINTS, POINTS, POINTS).filter(lambda t: abs(plane.cross(t[1] - t[0], t[2] - t[0])) > 0.5)
Triangle = tuple[complex, complex, complex]


@given(TRIANGLES)
def test_the_foot_is_on_the_line_and_square_to_it(t: Triangle):
    foot = plane.foot(*t)
    assert plane.cross(foot - t[1], t[2] - t[1]) == pytest.approx(0, abs=1e-6)
    assert plane.dot(foot - t[0], t[2] - t[1]) == pytest.approx(0, abs=1e-6)


@given(TRIANGLES)
def test_the_incircle_touches_the_three_sides(t: Triangle):
    centre, radius = plane.incircle(*t)
    for a, b in ((t[0], t[1]), (t[1], t[2]), (t[2], t[0])):
        assert plane.distance_to_segment(centre, a, b) == pytest.approx(radius, abs=1e-6)


@given(TRIANGLES)
def test_the_circumcircle_goes_through_the_corners(t: Triangle):
    centre, radius = plane.circumcircle(*t)
    assert [abs(corner - centre) for corner in t] == pytest.approx([radius] * 3, rel=1e-6)


@given(TRIANGLES)
def test_the_bisectors_halve_the_angle(t: Triangle):
    a, b, c = t
    for end in (plane.bisector_foot(a, b, c), a + plane.bisector(a, b, c)):
        assert plane.angle_at(a, b, end) == pytest.approx(plane.angle_at(a, end, c), abs=1e-6)


@given(TRIANGLES)
def test_the_orthocentre_lies_on_all_heights(t: Triangle):
    a, b, c = t
    at = plane.orthocentre(a, b, c)
    size = 1 + abs(at) * max(abs(a - b), abs(b - c), abs(c - a))
    for top, left, right in ((a, b, c), (b, c, a), (c, a, b)):
        assert plane.dot(at - top, right - left) == pytest.approx(0, abs=1e-6 * size)


@given(TRIANGLES)
def test_a_line_halves_the_way_to_a_mirror_image(t: Triangle):
    image = plane.reflect(*t)
    assert plane.between(t[0], image) == pytest.approx(plane.foot(*t), abs=1e-6)


@given(POINTS, POINTS, st.floats(0.5, 3))
def test_tangents_are_square_to_the_radius(point: complex, centre: complex, radius: float):
    assume(abs(point - centre) > radius + 0.1)
    for touch in plane.tangent_points(point, centre, radius):
        assert abs(touch - centre) == pytest.approx(radius)
        assert plane.dot(touch - centre, touch - point) == pytest.approx(0, abs=1e-6)


@given(st.floats(0, 6), POINTS)
def test_a_line_meets_its_circle_again(turn: float, through: complex):
    point = plane.direction(turn)
    assume(abs(point - through) > 0.1)
    assert abs(plane.second_meeting(point, through, 0j)) == pytest.approx(1)


@given(st.floats(0, 6), st.floats(0, 2), st.floats(-5, 5), st.floats(0.1, 5), st.floats(2.1, 3))
def test_a_line_and_a_circle_meet_on_both(turn: float, near: float, before: float, after: float, radius: float):
    a, b = (plane.direction(turn) * complex(near, along) for along in (before, before + after))
    first, second = plane.line_and_circle(a, b, 0j, radius)
    assert [abs(first), abs(second)] == pytest.approx([radius] * 2)
    assert plane.dot(second - first, b - a) > 0
    assert plane.cross(first - a, b - a) == pytest.approx(0, abs=1e-6)


@given(st.floats(0, 6), st.floats(0.05, 0.95), st.floats(0.5, 3), st.floats(0.5, 3))
def test_two_circles_meet_on_both(turn: float, share: float, r: float, s: float):
    centre = plane.direction(turn) * (abs(r - s) + (r + s - abs(r - s)) * share)
    left, right = plane.circles_meet(0j, r, centre, s)
    for point in (left, right):
        assert (abs(point), abs(point - centre)) == pytest.approx((r, s))
    assert plane.cross(centre, left) > 0 > plane.cross(centre, right)
