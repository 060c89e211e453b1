"""The policy for steps that are not finite."""

import json

import pytest

from dsocr_jax.errors import UserError
from train.health import FILE, Health, Rollback, named, open_health, write_rollbacks


def judge(health: Health, *skipped: int, first: int = 1) -> None:
    for step, flag in enumerate(skipped, first):
        health.note(step, flag, [f"sample {step}"])


def test_a_step_is_judged_when_the_next_one_is_under_way():
    health = Health(2, 1)
    judge(health, 0, 1)
    assert (health.sound, health.skipped) == (True, 0)
    judge(health, 1, first=3)
    assert (health.sound, health.skipped, health.lost) == (False, 1, False)
    health.settle()
    assert (health.skipped, health.lost) == (2, True)
    health.settle()
    assert health.skipped == 2


def test_one_finite_step_ends_the_row():
    health = Health(3, 1)
    judge(health, 1, 1, 0, 1, 1, 0)
    health.settle()
    assert (health.sound, health.lost, health.skipped) == (True, False, 4)


def test_skipped_step_is_told_with_its_samples(capfd):
    health = Health(3, 1)
    judge(health, 0, 1, 0)
    assert capfd.readouterr().err == ("step 2 is skipped: loss or gradient is not finite; its samples: sample 2\n")


def test_rollback_names_all_samples_of_the_row_and_the_way_past_them():
    health = Health(2, 2)
    judge(health, 1, 0, 1, 1)
    health.settle()
    assert health.roll_back(0, {"n": 5}) == Rollback(0, 4, {"n": 5}, ["sample 3", "sample 4"])
    assert (health.turn(0), health.turn(4)) == ({"n": 5}, None)
    # The same step again: the way past the newer data is taken from then on.
    health.roll_back(0, {"n": 9})
    assert health.turn(0) == {"n": 9}


def test_too_many_rollbacks_end_the_run_and_say_what_to_change():
    health = Health(1, 1, [Rollback(0, 3, {}, [])])
    judge(health, 1, first=7)
    health.settle()
    with pytest.raises(UserError, match=r"at step 7: .* after 1 rollbacks; .*sample 7.*lower --optimizer.peak-lr"):
        health.roll_back(6, {})
    assert len(health.rollbacks) == 1


def test_no_rollback_may_be_allowed_at_all():
    health = Health(1, 0)
    judge(health, 1)
    health.settle()
    with pytest.raises(UserError, match="after 0 rollbacks"):
        health.roll_back(0, {})


def test_a_row_goes_on_after_a_stop_in_its_middle():
    before = Health(3, 1)
    judge(before, 1, 1)
    before.settle()
    after = Health(3, 1)
    after.set_state(json.loads(json.dumps(before.state())))
    judge(after, 1, first=3)
    after.settle()
    assert (after.lost, after.skipped) == (True, 3)
    assert after.roll_back(0, {}).samples == ["sample 1", "sample 2", "sample 3"]
    after.set_state({})
    assert (after.sound, after.skipped) == (True, 0)


def test_what_is_not_judged_yet_is_forgotten_on_going_back():
    health = Health(1, 1)
    judge(health, 1)
    health.set_state({})
    health.settle()
    assert health.sound


def test_rollbacks_come_back_from_the_folder(tmp_path):
    assert open_health(tmp_path, 2, 3).rollbacks == []
    health = Health(2, 3, [Rollback(4, 9, {"lanes": [1, 2]}, ["ä"])])
    write_rollbacks(tmp_path, health)
    assert open_health(tmp_path, 2, 3).rollbacks == health.rollbacks


@pytest.mark.parametrize("text", ["", "[{}]", "[3]", '[{"step": 1}]', "{"])
def test_list_of_rollbacks_that_cannot_be_read_is_told(tmp_path, text):
    (tmp_path / FILE).write_text(text)
    with pytest.raises(UserError, match=r"rollbacks.json cannot be read"):
        open_health(tmp_path, 2, 3)


def test_many_samples_are_counted():
    assert named([]) == "not known"
    assert named(list("abcde")) == "a, b, c, d, e"
    assert named(list("abcdefg")) == "a, b, c, d, e and 2 more"
