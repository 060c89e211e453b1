from pathlib import Path

import numpy as np
import pytest

from train.board import CELL, PICTURE_EVERY, Board, heat_map, scalars

LINE = {
    "step": 7,
    "loss": 2.0,
    "grad_norm": None,
    "norm/sam": 3.0,
    "kinds": {"charts": 1.0},
    "modes": {"tiny": 2.5},
    "left_out": {"charts too long": 4},
    "bad": {},
    "router_load": [[0.5, 0.25, 0.125, 0.125]],
}


def test_figures_are_grouped_and_those_that_are_not_there_are_left_out() -> None:
    assert scalars(LINE, {"step": 7, "tokens_per_s": 10.0, "host_memory": 5.0}) == {
        "train/loss": 2.0,
        "norm/sam": 3.0,
        "loss by kind/charts": 1.0,
        "loss by mode/tiny": 2.5,
        "left out/charts too long": 4,
        "router/max over mean, layer 00": 2.0,
        "router/min over mean, layer 00": 0.5,
        "speed/tokens_per_s": 10.0,
        "memory/host_memory": 5.0,
    }
    assert scalars({"step": 1}, {}) == {}


def test_the_heat_map_has_a_cell_for_each_expert_of_each_layer() -> None:
    picture = heat_map(np.array([[0.75, 0.25, 0.0, 0.0], [0.25, 0.25, 0.25, 0.25]]))
    assert picture.shape == (2 * CELL, 4 * CELL, 3)
    assert picture.dtype == np.uint8
    brightness = picture.sum(axis=-1)[::CELL, ::CELL].astype(int)
    assert brightness[0, 0] > brightness[0, 1] > brightness[0, 2] == brightness[0, 3]
    assert len(set(brightness[1])) == 1


def events(folder: Path) -> list:
    from tensorboardX.proto.event_pb2 import Event

    found = []
    for file in sorted(folder.iterdir()):
        data = file.read_bytes()
        while data:  # length (8 bytes), its checksum (4), the event, its checksum (4)
            size = int.from_bytes(data[:8], "little")
            found.append(Event.FromString(data[12 : 12 + size]))
            data = data[16 + size :]
    return found


def test_event_files_hold_the_figures_and_a_picture_now_and_then(tmp_path: Path) -> None:
    with Board(tmp_path, 0) as board:
        for step in range(PICTURE_EVERY + 1):
            board.write(step, LINE, {"tokens_per_s": 10.0})
    values = [(event.step, value) for event in events(tmp_path) for value in event.summary.value]
    losses = [(step, value.simple_value) for step, value in values if value.tag == "train/loss"]
    assert losses == [(step, 2.0) for step in range(PICTURE_EVERY + 1)]
    pictures = [(step, value.image.height, value.image.width) for step, value in values if value.tag == "router/load"]
    assert pictures == [(0, CELL, 4 * CELL), (PICTURE_EVERY, CELL, 4 * CELL)]


@pytest.mark.parametrize(("step", "starts"), [(0, []), (12, [13])])
def test_a_run_that_goes_on_takes_back_what_it_will_do_again(tmp_path: Path, step: int, starts: list[int]) -> None:
    Board(tmp_path, step).__exit__()
    assert [event.step for event in events(tmp_path) if event.HasField("session_log")] == starts
