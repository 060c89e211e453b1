import json
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from datagen import families
from datagen.bench import baselines, scaling
from datagen.bench.cases import BARS, MATPLOTLIB, OWN_CHARTS, all_cases, drawn, rendered
from datagen.bench.report import as_json, judged, print_bars, print_cases
from datagen.bench.scaling import Pool, growth, measure_memory, measure_pool
from datagen.bench.timing import Case, Times, measure, pinned


def nothing(amount: int, note: str) -> None:
    pass


def test_cases_run_in_turn_and_from_the_start_in_every_round() -> None:
    calls: list[tuple[str, int]] = []
    cases = [Case(name, lambda index, name=name: calls.append((name, index)), 2) for name in "ab"]  # type: ignore[misc]
    times = measure(cases, rounds=3, seconds=0.0, advance=nothing)
    warm, timed = calls[:6], calls[6:]
    assert warm == [("a", 0), ("a", 1), ("a", 2), ("b", 0), ("b", 1), ("b", 2)]
    assert timed == [("a", 0), ("a", 1), ("b", 0), ("b", 1)] * 3
    assert (times["a"].calls, len(times["a"].seconds)) == (6, 3)


def test_the_slower_case_is_seen_as_slower() -> None:
    cases = [Case(name, lambda index, size=size: sum(range(size))) for name, size in (("a", 20_000), ("b", 200_000))]
    times = measure(cases, rounds=5, seconds=0.002, advance=nothing)
    assert 3 < times["a"].ratio(times["b"]) < 40


def test_ratios_are_of_one_round() -> None:
    own, base = Times([1.0, 5.0, 2.0]), Times([10.0, 50.0, 2.0])
    assert own.ratio(base) == 10  # the median of 10, 10, 1
    assert own.rate == 0.5


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="the system cannot pin processes to processors")
def test_the_process_is_pinned_and_freed_again() -> None:
    before = os.sched_getaffinity(0)
    with pinned() as processor:
        assert os.sched_getaffinity(0) == {processor}
    assert os.sched_getaffinity(0) == before


@pytest.mark.parametrize("kind", ["bar", "line", "pie"])
def test_the_baseline_draws_a_chart_of_the_size_that_is_compared(kind: str, tmp_path: Path) -> None:
    (tmp_path / "chart.png").write_bytes(baselines.matplotlib_chart(kind)(3))
    with Image.open(tmp_path / "chart.png") as picture:
        assert picture.size == (baselines.WIDTH, baselines.HEIGHT)
        assert len(picture.convert("RGB").getcolors(1 << 24)) > 20


@pytest.mark.usefixtures("fake")
def test_what_is_timed_of_a_family_is_a_picture() -> None:
    for make in (drawn("pages"), rendered("pages", unknown_setting=0.0)):
        assert make(5).startswith(b"\x89PNG")
        assert make(5) == make(5) != make(6)


@pytest.mark.usefixtures("fake")
def test_memory_is_looked_at_evenly() -> None:
    held = measure_memory(30, 6, nothing)
    assert [number for number, _ in held] == [5, 10, 15, 20, 25, 30]
    assert all(1 < memory < 100_000 for _, memory in held)


def test_growth_compares_the_ends_of_a_run() -> None:
    assert growth([(number, 100.0 if number <= 4 else 130.0) for number in range(1, 13)]) == pytest.approx(0.3)
    assert growth([(1, 50.0)]) == 0


@pytest.mark.usefixtures("fake")
def test_a_pool_is_measured_against_a_loop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scaling, "_SHARD", 5)
    told: list[int] = []
    pool = measure_pool("pages", 40, 2, tmp_path, lambda amount, note: told.append(amount))
    assert sum(told) == 2 * 50
    assert pool.workers == 2 and min(pool.plain, pool.pooled, pool.plain_processor, pool.pooled_processor) > 0


def test_bars_are_judged() -> None:
    times = {OWN_CHARTS: Times([0.001], 1), MATPLOTLIB: Times([0.039], 1)}
    pool = Pool(4, 100, 10.0, 36.0, 9.0, 10.0)
    rows = judged(times, pool, [(1, 100.0), (2, 100.0), (3, 104.0)])
    assert [(row["measured"], row["met"]) for row in rows] == [("39.0x", False), ("90%", True), ("+4.0%", True)]
    data = json.loads(as_json(times, pool, []))
    assert data["cases"][OWN_CHARTS]["ratio"] == pytest.approx(39)
    assert data["pool"]["efficiency"] == pytest.approx(0.9)


def test_tables_show_every_case_and_bar(capsys: pytest.CaptureFixture[str]) -> None:
    times = {OWN_CHARTS: Times([0.001], 1), MATPLOTLIB: Times([0.05], 1)}
    print_cases(times)
    print_bars(times, None, [])
    said = capsys.readouterr().err
    assert OWN_CHARTS in said and "50.00" in said and "met" in said


def test_every_bar_is_of_a_case_that_there_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for part in ("drawn", "rendered", "recorded"):  # what they prepare is not needed here
        monkeypatch.setattr(f"datagen.bench.cases.{part}", lambda *_, **__: lambda index: b"")
    monkeypatch.setattr("datagen.bench.cases._chart_of_640x480", lambda: np.zeros((480, 640, 3), np.uint8))
    monkeypatch.setattr("datagen.bench.cases.of_package", lambda name: [])
    assert "molecules" in families.MODULES
    names = {case.name for case in all_cases(tmp_path)}
    own = {bar.case for bar in BARS} | {bar.baseline for bar in BARS if bar.baseline}
    assert {name for name in own if "512" not in name} <= names  # the others are those of the family's own package
