import pytest

from datagen.family import Rejected
from datagen.geometry import plane
from datagen.geometry.sketch import LETTERS, Sketch


@pytest.mark.parametrize(
    ("strokes", "circles", "reason"),
    [
        ([(0j, 16 + 0j), (8 + 0j, 8 + 0.5j)], [], "points too close"),
        ([(0j, 16 + 0j), (0j, 16 + 2j)], [], "strokes too close"),
        ([(0j, 16 + 0j), (2 + 0.3j, 13 + 0.3j)], [], "point too close to a stroke"),
        ([(0j, 16 + 0j), (2 - 1j, 13 + 0.6j)], [], "strokes too close"),
        ([(0j, 16 + 0j), (4 + 0j, 9 + 0j, True)], [], "strokes on top of each other"),
        ([(0j, 16 + 0j), (8 + 0.2j, 8 + 6j)], [], "point too close to a stroke"),
        ([(0j, 16 + 0j)], [(8 + 2j, 0.5)], "circle too small"),
        ([(0j, 16 + 0j)], [(8 + 3j, 2.8)], "stroke too close to a circle"),
        ([(0j, 16 + 0j), (8 + 1j, 8 + 5j)], [(8 + 3j, 2.2)], "point too close to a circle"),
        ([], [(0j, 8), (0j, 7.8)], "circles too close"),
        ([], [(0j, 8), (4.2 + 0j, 3.6)], "circles too close"),
        ([(8 * plane.direction(0.2), 8 * plane.direction(-0.2))], [(0j, 8)], "stroke too close to a circle"),
        ([(0j, 16 + 0j), (5 + 5j, 5 + 5j)], [], "stroke without length"),
    ],
)
def test_what_cannot_be_told_apart_is_rejected(
    strokes: list[tuple[complex, ...]], circles: list[tuple[complex, float]], reason: str
):
    sketch = Sketch(circles=circles)
    for a, b, *dashed in strokes:
        sketch.join(a, b, bool(dashed))
    with pytest.raises(Rejected) as error:
        sketch.compose("test")
    assert error.value.reason == reason


@pytest.mark.parametrize(
    ("strokes", "circles"),
    [
        ([(0j, 16 + 0j), (0j, 16 + 4j)], []),  # 14 degrees
        ([(0j, 10 + 0j), (10 + 0j, 16 + 0j, True)], []),  # a dashed prolongation
        ([(0j, 16 + 0j)], [(8 + 3j, 3.0)]),  # a tangent
        ([(0j, 16 + 0j), (0 + 1.2j, 16 + 1.2j)], []),
        ([], [(0j, 5), (8 + 0j, 3)]),  # touching from outside
        ([], [(0j, 5), (2 + 0j, 3)]),  # touching from inside
    ],
)
def test_what_can_be_told_apart_is_kept(strokes: list[tuple[complex, ...]], circles: list[tuple[complex, float]]):
    sketch = Sketch(circles=circles)
    for a, b, *dashed in strokes:
        sketch.join(a, b, bool(dashed))
    content = sketch.compose("test")
    assert (len(content.strokes), len(content.circles)) == (len(strokes), len(circles))


def test_a_centre_without_a_stroke_has_its_letter_with_the_circle_alone():
    sketch = Sketch()
    sketch.circle(0j, 1.0, named=True)
    sketch.join(-1 + 0.0j, 1j)
    content = sketch.compose("test")
    assert content.figure.points == ()
    assert content.letters == (("O", 0j),)


def test_a_centre_with_a_radius_is_a_labelled_point_too():
    sketch = Sketch()
    sketch.circle(0j, 1.0, named=True)
    sketch.join(0j, 1j)
    assert sketch.compose("test").figure.points == (("O", (0.0, 0.0)),)


def test_points_get_letters_in_order_and_keep_them():
    sketch = Sketch(letters=LETTERS[3:] + LETTERS[:3])
    sketch.name(0j, 1 + 0j, 0j, 1e-12j, 1j)
    assert list(sketch.names.values()) == ["D", "E", "F"]


def test_roles_count_only_where_they_are_asked_for():
    with_roles, without = Sketch(roles=True), Sketch(roles=False)
    for sketch in (with_roles, without):
        sketch.name(0j, 1 + 0j)
        sketch.name(2 + 0j, role="M")
    assert (with_roles.names[2 + 0j], without.names[2 + 0j]) == ("M", "C")


def test_a_label_that_is_taken_is_not_given_twice():
    sketch = Sketch()
    sketch.name_as(0j, "A'")
    sketch.name_as(1 + 0j, "A'")
    assert sorted(sketch.names.values()) == ["A", "A'"]


def test_running_out_of_letters_is_a_rejection():
    sketch = Sketch()
    with pytest.raises(Rejected, match="no letter left"):
        sketch.name(*(complex(number, 0) for number in range(30)))


def test_turning_and_mirroring_move_facts_along():
    sketch = Sketch()
    sketch.close(0j, 4 + 0j, 3j)
    sketch.right(0j, 4 + 0j, 3j)
    content = sketch.compose("test", plane.direction(0.7), mirror=True)
    (vertex, a, b) = content.facts[-1].groups[0]
    assert plane.angle_at(vertex, a, b) == pytest.approx(1.5708, abs=0.002)
    assert {vertex, a, b} == {point for _, point in content.letters}
