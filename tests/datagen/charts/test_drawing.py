"""Charts from end to end: what is composed, drawn and said of it."""

import collections
import dataclasses
import hashlib
import json
import subprocess
import sys

import msgpack
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from datagen.charts import FAMILY, reasons
from datagen.charts.bench import bench_cases
from datagen.charts.data import ChartData
from datagen.charts.drawing import choose_renderer, render
from datagen.charts.settings import EASY, STANDARD, ChartSettings
from datagen.charts.verify import verify
from datagen.family import Drawn, Rejected
from dsocr_jax.answers import check_label
from dsocr_jax.answers.tables import parse_table, write_table
from tests.datagen.charts.samples import OWN, chart

LEVELS = {"easy": EASY, "standard": OWN}
#: At most so many draws may be rejected.
MAX_REJECTED = 0.1


def draw(levels: ChartSettings, seed: int) -> tuple[ChartData, Drawn]:
    """Return the first usable draw from ``seed`` on."""
    for attempt in range(100):
        rng = np.random.default_rng([seed, attempt])
        try:
            content = FAMILY.compose(rng, levels)
            return content, FAMILY.render(content, rng, levels)
        except Rejected:
            continue
    raise AssertionError("100 draws rejected")


@settings(max_examples=120, deadline=None)
@given(st.integers(0, 2**32), st.sampled_from(sorted(LEVELS)))
def test_a_draw_is_a_true_table_or_rejected_for_a_known_reason(seed: int, level: str):
    rng = np.random.default_rng(seed)
    try:
        data = FAMILY.compose(rng, LEVELS[level])
        drawn = FAMILY.render(data, rng, LEVELS[level])
    except Rejected as error:
        assert error.reason in reasons.REASONS
        return
    check_label("charts", drawn.label)
    rows = parse_table(drawn.label).rows
    assert [row[0] for row in rows[1:]] == list(data.categories)
    assert len(rows[0]) == len(data.series) + 1
    assert verify(drawn.image, drawn.label, drawn.meta) == []
    for texts, column in zip(drawn.meta["drawn"], list(zip(*rows[1:], strict=True))[1:], strict=False):
        assert set(texts) <= set(column)
    assert json.loads(json.dumps(drawn.meta)) == drawn.meta and msgpack.packb(drawn.meta, strict_types=True)
    assert drawn.image.dtype == np.uint8 and drawn.image.ndim == 3 and drawn.image.flags.c_contiguous
    assert set(drawn.meta["repairs"]) <= set(reasons.REASONS)
    assert drawn.meta["smallest_text"] >= 9


def test_few_draws_are_rejected():
    rejected: collections.Counter[str] = collections.Counter()
    for seed in range(250):
        rng = np.random.default_rng(seed)
        try:
            FAMILY.render(FAMILY.compose(rng, OWN), rng, OWN)
        except Rejected as error:
            rejected[error.reason] += 1
    assert sum(rejected.values()) <= 250 * MAX_REJECTED, rejected


_DIGEST = """
import hashlib, numpy as np
from datagen.charts import FAMILY
from datagen.family import Rejected
digest = hashlib.sha256()
for seed in range({count}):
    rng = np.random.default_rng(seed)
    try:
        drawn = FAMILY.render(FAMILY.compose(rng, FAMILY.settings["{level}"]), rng, FAMILY.settings["{level}"])
        digest.update(drawn.image.tobytes() + drawn.label.encode())
    except Rejected as error:
        digest.update(error.reason.encode())
print(digest.hexdigest())
"""


@pytest.mark.parametrize("level", ["easy", "standard"])
def test_a_fresh_process_draws_the_same_bytes(level: str):
    # Backwards, so that every cache is filled in another order than in the fresh process.
    count, parts = 12, {}
    for seed in reversed(range(count)):
        rng = np.random.default_rng(seed)
        chosen = FAMILY.settings[level]
        try:
            drawn = FAMILY.render(FAMILY.compose(rng, chosen), rng, chosen)
            parts[seed] = drawn.image.tobytes() + drawn.label.encode()
        except Rejected as error:
            parts[seed] = error.reason.encode()
    here = hashlib.sha256(b"".join(parts[seed] for seed in range(count))).hexdigest()
    code = _DIGEST.format(count=count, level=level)
    there = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert there.stdout.strip() == here


def test_easy_pictures_are_small_squares_with_written_values():
    data, drawn = draw(EASY, 0)
    assert drawn.image.shape == (192, 192, 3)
    assert drawn.meta["value_labels"] and drawn.meta["drawn"]
    assert all(value in range(1, 10) for value in data.series[0].known)


def test_an_easy_chart_is_never_repaired():
    long = chart(categories=("A very long name " * 8, "Another one", "A third"))
    with pytest.raises(Rejected):
        render(long, np.random.default_rng(0), EASY)


def test_the_settings_alone_choose_the_renderer():
    assert choose_renderer(0.0, OWN) == "own"
    shares = dataclasses.replace(OWN, matplotlib=0.5, echarts=0.25)
    names = [choose_renderer(draw, shares) for draw in (0.49, 0.51, 0.74, 0.76)]
    assert names == ["matplotlib", "echarts", "echarts", "own"]
    assert STANDARD.echarts == 0


def test_values_that_have_no_room_are_left_out_and_counted():
    data = chart("bar", (1000.0, 1.0, 1000.0), (1000.0, 1000.0, 1000.0), stacking="stacked")
    written = dataclasses.replace(OWN, value_labels=100.0)
    drawn = render(data, np.random.default_rng(3), written)
    assert not drawn.meta["value_labels"]
    assert drawn.meta["repairs"][reasons.NO_ROOM] == 1


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (lambda rows: [*rows[:-1], [rows[-1][0], *["999999"] * (len(rows[0]) - 1)]], "column 1"),
        (lambda rows: rows[:-1], "rows"),
        (lambda rows: [[*row, "1"] for row in rows], "columns"),
        (lambda rows: [*rows[:-1], [rows[-1][0], *[""] * (len(rows[0]) - 1)]], "missing"),
    ],
)
@pytest.mark.parametrize("labels", [0.0, 100.0])
def test_a_wrong_label_is_found(change, problem: str, labels: float):
    data = chart("bar", (3.0, 1.0, 2.0), (2.0, 3.0, 1.0))
    drawn = render(data, np.random.default_rng(1), dataclasses.replace(OWN, value_labels=labels))
    rows = [list(row) for row in parse_table(drawn.label).rows]
    found = verify(drawn.image, write_table(change(rows)), drawn.meta)
    assert found and problem in " ".join(found)
    assert verify(drawn.image, "no table", drawn.meta)


def test_an_empty_picture_is_found():
    _, drawn = draw(OWN, 1)
    assert "empty" in verify(np.full_like(drawn.image, 255), drawn.label, drawn.meta)[0]


def test_the_cases_of_the_bench_make_pngs():
    for make in bench_cases().values():
        assert make()[:4] == b"\x89PNG"  # type: ignore[index]
