"""Predictions by hand, and what they refuse."""

import dataclasses
import json

import pytest

from dsocr_jax.bench.device import DeviceSpeed
from dsocr_jax.bench.row import write_json
from dsocr_jax.errors import UserError
from train.scale.collectives import Traffic
from train.scale.forecast import count_sizes, forecast, forecast_file, read_file
from train.scale.line import Check, Line
from train.scale.options import Links, Options
from train.scale.predict import Sizes, largest, predictions, repeat, split_further, step_of

LINKS = Links(inside=100.0, between=80.0, host=8, latency=0.0)
#: 7.5 GB sent in 0.1 s of communication by 4 devices: 75 % of the links' speed.
TRAFFIC = (Traffic("all-gather", 4, 10, 2e9, 6e9), Traffic("reduce-scatter", 4, 5, 2e9, 1.5e9))
ONE = Line("text, 1 device", "text", {}, 1, "tokens", 1000.0, 1000.0)
FOUR = Line(
    "text, fsdp 4", "text", {"fsdp": 4}, 4, "tokens", 3600.0, 1000 / 0.9, 1e12, 0.4, 0.9,
    TRAFFIC, communication=0.1 * 0.9, exposed=0.04 * 0.9, gigabytes=30.0, loss=1.5,
    checks=(Check("loss", 1.5, 1.5, 1e-3),),
)  # fmt: skip
SIZES = {
    ("text", "fsdp 4"): Sizes(gradients=1e9, state=10e9),
    ("text", "fsdp 8"): Sizes(gradients=0.5e9, state=5e9),
    ("text", "fsdp 16"): Sizes(gradients=0.25e9, state=2.5e9),
}


def test_a_step_says_how_well_the_links_were_used():
    step = step_of(FOUR, LINKS)
    assert step.communication == pytest.approx(0.1) and step.exposed == pytest.approx(0.04)
    assert step.used == pytest.approx(0.75) and step.hidden == pytest.approx(0.6)
    assert step.done == pytest.approx(1000)
    assert step_of(dataclasses.replace(FOUR, communication=None), LINKS) is None
    assert step_of(dataclasses.replace(FOUR, traffic=()), LINKS) is None


def test_splitting_further_sends_little_more():
    step = step_of(FOUR, LINKS)
    sent, seconds = split_further(step, 8, LINKS)
    assert sent == pytest.approx(7.5e9 * (7 / 8) / (3 / 4)) and seconds == pytest.approx(sent / 75e9)
    # Two hosts: eight links of 10 GB/s are slower than those inside.
    sent, seconds = split_further(step, 16, LINKS)
    assert sent == pytest.approx(7.5e9 * (15 / 16) / (3 / 4)) and seconds == pytest.approx(sent / 60e9)
    late = split_further(step, 16, dataclasses.replace(LINKS, latency=10.0))[1]
    assert late - seconds == pytest.approx(15 * 12 * 10e-6)


def test_copies_add_their_gradients_up():
    step = step_of(FOUR, LINKS)
    assert repeat(step, 1, 1e9, LINKS) == (0, 0)
    assert repeat(step, 2, 1e9, LINKS) == (1e9, pytest.approx(1e9 / 75e9))  # in one host
    # Four rings of a host share eight links of 10 GB/s.
    sent, seconds = repeat(step, 4, 1e9, LINKS)
    assert sent == pytest.approx(1.5e9) and seconds == pytest.approx(1.5e9 / (20e9 * 0.75))


def test_the_table_follows_from_the_steps():
    split, copied = predictions([ONE, FOUR], SIZES, 8, LINKS)
    assert (split.name, copied.name) == ("text, fsdp 8", "text, fsdp 4 x data 2")
    more = 7.5e9 * (7 / 8) / (3 / 4) / 75e9 - 0.1
    seconds = 1 / 0.9
    assert split.least == pytest.approx(8 * 1000 / (seconds + more))
    assert split.most == pytest.approx(8 * 1000 / (seconds + 0.4 * more))
    assert split.gigabytes == pytest.approx(25.0) and copied.gigabytes == 30.0
    assert split.efficiency(split.least) == pytest.approx(split.least / 8000)
    assert copied.sent == pytest.approx(8.5e9)


def test_reading_grows_with_the_devices():
    lines = [
        Line("reading, 1", "reading", unit="pages", rate=20.0, devices=1),
        Line("reading, 4", "reading", unit="pages", rate=78.0, devices=4),
    ]
    (found,) = predictions(lines, {}, 64, LINKS)
    assert found.least == found.most == pytest.approx(78.0 * 16) and found.efficiency(found.least) == pytest.approx(
        0.975
    )


def test_the_largest_mesh_of_each_kind_counts():
    two, lost = dataclasses.replace(FOUR, axes={"fsdp": 2}, devices=2), Line("text, expert 4", error="gone")
    assert largest([ONE, two, FOUR, lost]) == [FOUR]


def test_sizes_are_those_of_the_shapes():
    sizes = count_sizes([FOUR], Options(preset="nano", dtype="bfloat16"), (8,))
    own, new = sizes["text", "fsdp 4"], sizes["text", "fsdp 8"]
    assert 0 < new.gradients < own.gradients < 1.5e6 and own.state > 5 * own.gradients


def test_a_written_table_is_predicted_from(tmp_path, capsys):
    file = tmp_path / "run.json"
    said = dataclasses.asdict(Options(preset="nano", dtype="float32"))
    write_json(file, [ONE, FOUR], DeviceSpeed("none", 1e12, 1e9), said)
    lines, options = read_file(file)
    assert lines == [ONE, FOUR] and options.preset == "nano"
    assert forecast_file(file, (8, 64), LINKS) == 0
    text = capsys.readouterr().out
    assert "| 64 | text, fsdp 4 x data 16 |" in text and "Predicted, not measured" in text
    assert "75% of the link's speed" in text
    bad = tmp_path / "bad.json"
    bad.write_text(json.dumps({"rows": [{"nothing": 1}], "options": said}))
    with pytest.raises(UserError, match="no table"):
        forecast_file(bad, (8,), LINKS)
    with pytest.raises(UserError, match="cannot be read"):
        forecast_file(tmp_path / "none.json", (8,), LINKS)


@pytest.mark.parametrize(
    ("lines", "devices", "message"),
    [
        ([ONE], (8,), "no line of several"),
        ([FOUR], (8,), "lines of one device"),
        ([ONE, FOUR], (), "numbers of devices"),
    ],
)
def test_what_cannot_be_predicted_is_refused(lines, devices, message):
    with pytest.raises(UserError, match=message):
        forecast(lines, Options(preset="nano", dtype="float32"), devices, LINKS, "this run")
