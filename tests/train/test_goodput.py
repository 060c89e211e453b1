"""Where the time of a run went."""

import json

import pytest

from train.goodput import FILE, NOTE_EVERY, Goodput


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now

    def spend(self, goodput: Goodput, seconds: float, part: str) -> None:
        self.now += seconds
        assert goodput.lap(part) == pytest.approx(seconds)


def test_share_is_what_went_into_steps(tmp_path):
    clock = Clock()
    with Goodput(tmp_path, clock=clock) as goodput:
        goodput.back_to(0)
        clock.spend(goodput, 2, "starting")
        clock.spend(goodput, 6, "steps")
        clock.spend(goodput, 1, "waiting for input")
        clock.now += 1
    assert goodput.report() == (
        "goodput 60.0%: 6.0 s of 10.0 s in 1 start went into steps that were kept; starting 2.0 s, waiting for input "
        "1.0 s, other 1.0 s"
    )
    assert json.loads((tmp_path / FILE).read_text())["share"] == pytest.approx(0.6)


def test_what_is_beyond_the_most_counts_for_the_next_part(tmp_path):
    clock = Clock()
    goodput = Goodput(tmp_path, clock=clock)
    clock.now += 5
    assert goodput.lap("waiting for input", 2) == pytest.approx(2)
    clock.now += 1
    assert goodput.lap("steps") == pytest.approx(4)


def test_work_after_the_last_checkpoint_is_lost_by_a_kill(tmp_path):
    clock = Clock()
    killed = Goodput(tmp_path, clock=clock).__enter__()
    clock.spend(killed, 5, "steps")
    killed.mark(10)
    clock.spend(killed, 3, "steps")
    killed.mark(20)  # begun, but never listed
    clock.spend(killed, NOTE_EVERY, "steps")
    # Another process; the time between the two is not the run's.
    clock.now += 1000
    with Goodput(tmp_path, clock=clock) as goodput:
        goodput.back_to(10)
        clock.spend(goodput, 2, "starting")
    assert goodput.starts == 2
    assert goodput.parts["steps"] == pytest.approx(5)
    assert goodput.parts["lost work"] == pytest.approx(3 + NOTE_EVERY)
    assert goodput.total == pytest.approx(5 + 3 + NOTE_EVERY + 2)


def test_rollback_counts_what_it_undoes(tmp_path):
    clock = Clock()
    with Goodput(tmp_path, clock=clock) as goodput:
        clock.spend(goodput, 5, "steps")
        goodput.mark(10)
        clock.spend(goodput, 4, "steps")
        goodput.back_to(10)
        clock.spend(goodput, 1, "steps")
        goodput.mark(20)
        goodput.back_to(20)
    assert dict(goodput.parts) == pytest.approx({"steps": 6, "lost work": 4, "other": 0})


def test_finished_run_that_is_started_again_loses_nothing(tmp_path):
    clock = Clock()
    with Goodput(tmp_path, clock=clock) as goodput:
        clock.spend(goodput, 5, "steps")
        goodput.mark(10)
    with Goodput(tmp_path, clock=clock) as again:
        again.back_to(10)
    assert (again.parts["steps"], again.parts["lost work"]) == (5, 0)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"parts": {"steps": "x"}}', '{"parts": 3, "marks": {}, "starts": 1}'])
def test_torn_file_begins_the_count_anew(tmp_path, text):
    (tmp_path / FILE).write_text(text)
    with Goodput(tmp_path, clock=Clock()) as goodput:
        assert (goodput.starts, goodput.total) == (1, 0)


def test_other_processes_write_nothing(tmp_path):
    with Goodput(tmp_path / "none", write=False, clock=Clock()) as goodput:
        goodput.mark(1)
    assert not (tmp_path / "none").exists()
