import contextlib
import itertools
import json
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dsocr_jax.answers import AnswerError, check_label, figure_rules
from dsocr_jax.answers.figure_rules import merge_all, number_text, ruler_points
from dsocr_jax.answers.geometry import (
    MAX_SEGMENTS,
    SPAN,
    Circle,
    Figure,
    Segment,
    normalise,
    parse_figure,
    write_figure,
)

EXAMPLE = (
    '{"Line": {"line": ["(-8.0, -4.0) -- (-5.37, -0.99) -- (-2.73, 2.02) -- (-1.0, 4.0)", '
    '"(-8.0, -4.0) -- (-4.0, -4.0) -- (0.0, -4.0) -- (4.0, -4.0) -- (8.0, -4.0)", '
    '"(-1.0, -4.0) -- (-1.0, 0.0) -- (-1.0, 4.0)", '
    '"(-1.0, 4.0) -- (1.99, 1.34) -- (4.98, -1.31) -- (7.97, -3.97) -- (8.0, -4.0)"], '
    '"line_type": ["-", "-", "--", "-"], '
    '"line_endpoint": ["A: (-8.0, -4.0)", "B: (8.0, -4.0)", "C: (-1.0, 4.0)"]}, '
    '"Circle": {"circle_center": ["O: (-0.71, -0.69)"], "radius": [3.31]}}'
)
A, B, C, FOOT = (-8.0, -4.0), (8.0, -4.0), (-1.0, 4.0), (-1.0, -4.0)


def incircle() -> Circle:
    a, b, c = math.dist(B, C), math.dist(C, A), math.dist(A, B)
    total = a + b + c
    centre = tuple((a * A[i] + b * B[i] + c * C[i]) / total for i in range(2))
    return Circle("", centre, 16 * 8 / total)


#: The base is given in two halves, which must become one segment again.
WORKED = Figure(
    (Segment(C, FOOT, True), Segment(B, C), Segment(FOOT, A), Segment(FOOT, B), Segment(C, A)),
    (("C", C), ("A", A), ("B", B)),
    (incircle(),),
)

COORDINATES = st.floats(-100, 100).map(lambda x: round(x, 3))
POINTS = st.tuples(COORDINATES, COORDINATES)


@st.composite
def figures(draw: st.DrawFn) -> Figure:
    segments = draw(
        st.lists(
            st.builds(Segment, POINTS, POINTS, st.booleans()).filter(lambda s: math.dist(s.start, s.end) > 1),
            max_size=6,
        )
    )
    circles = draw(st.lists(st.builds(Circle, st.sampled_from(["", "O", "P"]), POINTS, st.floats(1, 50)), max_size=2))
    assume_unique = {circle.label for circle in circles if circle.label}
    if len(assume_unique) < len([c for c in circles if c.label]) or not (segments or circles):
        segments, circles = [Segment((0.0, 0.0), (3.0, 4.0))], []
    names = draw(st.lists(st.sampled_from(["A", "B", "C", "D", "A1", "B'"]), unique=True, max_size=4))
    ends = [s.start for s in segments] or [circles[0].center]
    return Figure(tuple(segments), tuple((n, draw(st.sampled_from(ends))) for n in names), tuple(circles))


def test_the_worked_example_is_written_to_the_character():
    assert write_figure(WORKED) == EXAMPLE


def test_the_worked_example_is_normalised_already():
    assert write_figure(normalise(WORKED)) == EXAMPLE


def test_the_worked_example_is_a_label():
    check_label("geometry", EXAMPLE)


def test_the_worked_example_is_read():
    figure = parse_figure(EXAMPLE)
    assert figure.segments[2] == Segment(FOOT, C, True)
    assert figure.points == (("A", A), ("B", B), ("C", C))
    assert figure.circles == (Circle("O", (-0.71, -0.69), 3.31),)


@given(figures(), st.floats(0.3, 30), POINTS)
def test_size_and_place_do_not_matter(figure: Figure, scale: float, move: tuple[float, float]):
    def put(point: tuple[float, float]) -> tuple[float, float]:
        return point[0] * scale + move[0], point[1] * scale + move[1]

    moved = Figure(
        tuple(Segment(put(s.start), put(s.end), s.dashed) for s in figure.segments),
        tuple((label, put(point)) for label, point in figure.points),
        tuple(Circle(c.label, put(c.center), c.radius * scale) for c in figure.circles),
    )
    first, second = sizes(figure), sizes(moved)
    assert second == pytest.approx(first, abs=0.011)


def sizes(figure: Figure) -> list[float]:
    """Numbers of a normalised figure that rounding moves by at most a hundredth, whatever the order of segments."""
    done = normalise(figure)
    return [x for _, point in done.points for x in point] + sorted(c.radius for c in done.circles)


@given(figures())
def test_the_longer_side_is_sixteen_and_the_figure_is_centred(figure: Figure):
    done = normalise(figure)
    xs = [p[0] for s in done.segments for p in (s.start, s.end)]
    ys = [p[1] for s in done.segments for p in (s.start, s.end)]
    for circle in done.circles:
        xs += [circle.center[0] - circle.radius, circle.center[0] + circle.radius]
        ys += [circle.center[1] - circle.radius, circle.center[1] + circle.radius]
    # Merging nearly collinear segments may take an end away, by the tolerance at most.
    assert max(max(xs) - min(xs), max(ys) - min(ys)) == pytest.approx(SPAN, abs=0.06)
    assert max(xs) + min(xs) == pytest.approx(0, abs=0.06)
    assert max(ys) + min(ys) == pytest.approx(0, abs=0.06)


@given(figures())
def test_what_is_written_is_read_back(figure: Figure):
    figure = normalise(figure)
    assert parse_figure(write_figure(figure)) == figure


@given(figures())
def test_a_written_figure_is_a_label(figure: Figure):
    check_label("geometry", write_figure(normalise(figure)))


@given(figures())
def test_the_text_is_a_python_literal_too(figure: Figure):
    text = write_figure(normalise(figure))
    assert text == repr(json.loads(text)).replace("'", '"') or "'" in text


@given(st.integers(-1000, 1000), st.integers(-1000, 1000), st.integers(-1000, 1000), st.integers(-1000, 1000))
def test_ruler_pieces(x1: int, y1: int, x2: int, y2: int):
    start, end = (x1 / 100, y1 / 100), (x2 / 100, y2 / 100)
    points = ruler_points(start, end, 4.0)
    lengths = [math.dist(a, b) for a, b in itertools.pairwise(points)]
    assert len(lengths) == max(1, math.ceil(math.dist(start, end) / 4 - 1e-9))
    assert lengths[:-1] == pytest.approx([4.0] * (len(lengths) - 1))
    assert lengths[-1] <= 4 + 1e-9


def test_an_infinite_ruler_gives_the_ends():
    assert "(-8.0, -4.0) -- (8.0, -4.0)" in write_figure(WORKED, ruler=math.inf)


@pytest.mark.parametrize(
    ("value", "text"),
    [(-0.0, "0.0"), (-0.004, "0.0"), (-8, "-8.0"), (1.6, "1.6"), (0.1, "0.1"), (-0.14, "-0.14"), (2.675001, "2.68")],
)
def test_number_text(value: float, text: str):
    assert number_text(value) == text


def test_pieces_of_one_line_are_merged():
    pieces = [((0.0, 0.0), (1.0, 1.0)), ((2.0, 2.0), (1.0, 1.0)), ((1.5, 1.5), (4.0, 4.0))]
    assert merge_all(pieces) == [((0.0, 0.0), (4.0, 4.0))]


@pytest.mark.parametrize(
    "other", [((3.0, 0.0), (4.0, 0.0)), ((0.0, 1.0), (2.0, 1.0)), ((2.0, 0.0), (2.0, 2.0)), ((2.0, 0.0), (4.0, 0.2))]
)
def test_other_segments_are_not_merged(other: tuple[tuple[float, float], tuple[float, float]]):
    assert len(merge_all([((0.0, 0.0), (2.0, 0.0)), other])) == 2


@st.composite
def nearly_one_line(draw: st.DrawFn) -> list[tuple[tuple[float, float], tuple[float, float]]]:
    """Segments along one line, each end moved off it, and along it, by about as much as merging allows."""
    angle, off = draw(st.floats(0, math.pi)), st.floats(-0.03, 0.03)
    segments = []
    for _ in range(draw(st.integers(2, 5))):
        start, length = draw(st.integers(-8, 8)) / 2, draw(st.sampled_from([0.05, 0.5, 1.0, 4.0]))
        ends = []
        for along in (start + draw(off), start + length + draw(off)):
            across = draw(off)
            x = along * math.cos(angle) - across * math.sin(angle)
            y = along * math.sin(angle) + across * math.cos(angle)
            ends.append((round(x, 3), round(y, 3)))
        segments.append((ends[0], ends[1]))
    return [segment for segment in segments if segment[0] != segment[1]]


@settings(max_examples=300)
@given(nearly_one_line() | st.lists(st.tuples(POINTS, POINTS).filter(lambda s: s[0] != s[1]), max_size=6))
def test_the_quick_test_before_merging_changes_no_result(segments: list[tuple[tuple[float, float], ...]]):
    quick = merge_all(segments)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(figure_rules, "_plainly_apart", lambda first, second: False)
        assert merge_all(segments) == quick


def test_most_pairs_of_a_figure_are_told_apart_quickly():
    pairs = [(segment.start, segment.end) for segment in parse_figure(EXAMPLE).segments]
    assert all(figure_rules._plainly_apart(a, b) for a, b in itertools.combinations(pairs, 2))


def test_dashed_and_solid_are_not_merged():
    figure = Figure((Segment((0.0, 0.0), (2.0, 0.0)), Segment((2.0, 0.0), (3.0, 0.0), True)))
    assert len(normalise(figure).segments) == 2


def test_a_centre_takes_the_next_free_letter():
    figure = Figure((Segment(A, B),), (("O", A), ("P", B)), (Circle("", C, 1.0),))
    assert normalise(figure).circles[0].label == "Q"


def test_a_centre_takes_the_letter_of_the_point_there():
    figure = Figure((Segment(A, B),), (("M", A),), (Circle("", A, 1.0), Circle("", A, 2.0)))
    assert [circle.label for circle in normalise(figure).circles] == ["M", "M"]


@pytest.mark.parametrize(
    "figure",
    [
        Figure(()),
        Figure((Segment(A, A),)),
        Figure((Segment(A, (math.nan, 0.0)),)),
        Figure((Segment(A, (math.inf, 0.0)),)),
        Figure((Segment(A, B),), (("A", A), ("A", B))),
        Figure((Segment(A, B),), (("1", A),)),
        Figure((Segment(A, B),), (("A", A),), (Circle("A", B, 1.0),)),
        Figure((Segment(A, B),), (), (Circle("O", B, 0.001),)),
        Figure(tuple(Segment((0.0, n * 1.0), (1.0, n * 1.0)) for n in range(MAX_SEGMENTS + 1))),
    ],
    ids=["empty", "no length", "nan", "inf", "label twice", "bad label", "label elsewhere", "no radius", "too many"],
)
@pytest.mark.parametrize("do", [write_figure, normalise])
def test_what_is_no_figure_is_not_written(figure: Figure, do: object):
    with pytest.raises(AnswerError):
        do(figure)  # type: ignore[operator]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{}",
        "[]",
        "{'Line': {}}",
        EXAMPLE[:-1],
        EXAMPLE.replace('"radius": [3.31]', '"radius": [NaN]'),
        EXAMPLE.replace('"radius": [3.31]', '"radius": [true]'),
        EXAMPLE.replace('"radius": [3.31]', '"radius": ["3.31"]'),
        EXAMPLE.replace('"radius": [3.31]', '"radius": [1e999]'),
        EXAMPLE.replace('"radius": [3.31]', f'"radius": [{"9" * 5000}]'),
        EXAMPLE.replace('"radius": [3.31]', '"radius": []'),
        EXAMPLE.replace('"radius": [3.31]', '"radius": [3.31], "radius": [3.31]'),
        EXAMPLE.replace('"Circle"', '"Circles"'),
        EXAMPLE.replace('"-", "-", "--", "-"', '"-", "-", "--"'),
        EXAMPLE.replace('"-", "-", "--", "-"', '"-", "-", "--", []'),
        EXAMPLE.replace("A: ", "A:"),
        EXAMPLE.replace("(-8.0, -4.0) -- ", "(-8.0, -4.0)--"),
        EXAMPLE.replace("(-8.0, -4.0) -- ", "(1e3, -4.0) -- "),
        EXAMPLE.replace("(-8.0, -4.0) -- ", "(9999.0, -4.0) -- "),
        '{"Line": ' * 30_000,
        "[" * 60_000,
        '["]", ' * 10_000,
        '{"Line": {"line": [[[[[]]]]], "line_type": [], "line_endpoint": []}}',
        '"' + '\\"' * 30_000,
    ],
)
def test_other_text_is_refused(text: str):
    with pytest.raises(AnswerError):
        parse_figure(text)


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.integers() | st.sampled_from(["A: (1.0, 2.0)", "-", "(0.0, 1.0)"]),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["Line", "Circle", "line", "line_type", "line_endpoint", "circle_center", "radius"]),
                inner,
                max_size=3,
            )
        ),
        max_leaves=12,
    )
)
def test_hostile_structures_are_read_or_refused(value: object):
    with contextlib.suppress(AnswerError):
        parse_figure(json.dumps(value))


@given(st.text(alphabet='{}[]",:\\-() A0.1Line', max_size=60))
def test_hostile_text_is_read_or_refused(text: str):
    with contextlib.suppress(AnswerError):
        parse_figure(text)


def test_labels_with_other_number_text_are_refused():
    with pytest.raises(AnswerError, match="character"):
        check_label("geometry", EXAMPLE.replace("3.31", "3.310"))
