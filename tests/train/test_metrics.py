import numpy as np
import pytest
from PIL import Image

from train.metrics import MetricsFile, plain, read_metrics
from train.plot import plot_loss, smooth


def write(path, steps, after=0):
    with MetricsFile(path, after) as file:
        for step in steps:
            file.write({"step": step, "loss": 1.0 / step, "lr": 0.1})


def test_lines_behind_the_resumed_step_are_written_once(tmp_path):
    path = tmp_path / "m.jsonl"
    write(path, [1, 2, 3, 4])
    write(path, [3, 4, 5], after=2)
    assert [line["step"] for line in read_metrics(path)] == [1, 2, 3, 4, 5]


@pytest.mark.parametrize("torn", ['{"step": 3, "lo', '{"step": 3}', "\x00\x00", "[3]\n", '{"step": "3"}\n'])
def test_torn_line_is_dropped(tmp_path, torn):
    path = tmp_path / "m.jsonl"
    write(path, [1, 2])
    with path.open("a") as stream:
        stream.write(torn)
    write(path, [3], after=9)
    assert [line["step"] for line in read_metrics(path)] == [1, 2, 3]


def test_a_figure_that_json_has_not_is_refused(tmp_path):
    with MetricsFile(tmp_path / "m.jsonl", 0) as file, pytest.raises(ValueError, match="not JSON compliant"):
        file.write({"step": 1, "loss": float("nan")})


def test_smooth_is_the_mean_of_the_last_values():
    np.testing.assert_allclose(smooth(np.array([1.0, 2.0, 3.0, 4.0]), 2), [1.0, 1.5, 2.5, 3.5])


def test_smooth_passes_over_what_is_no_number():
    np.testing.assert_allclose(smooth(np.array([1.0, np.nan, 3.0, 5.0]), 2), [1.0, 1.0, 3.0, 4.0])
    assert np.isnan(smooth(np.array([np.nan, 1.0]), 1)[0])


def colours(picture):
    pixels = np.asarray(Image.open(picture).convert("RGB")).astype(int)
    return {name: (abs(pixels - rgb).sum(axis=-1) < 30).sum() for name, rgb in NAMED.items()}


NAMED = {"blue": (0, 0x72, 0xB2), "orange": (0xD5, 0x5E, 0), "green": (0, 0x9E, 0x73)}


def test_plot_has_a_curve_for_each_kind_and_mode(tmp_path):
    path = tmp_path / "m.jsonl"
    with MetricsFile(path, 0) as file:
        for step in range(1, 9):
            kinds = {"a": 9.0 / step, "b": 2.0, "c": 1.0} if step > 1 else {}
            modes = {"tiny": 1.0} if step % 2 else {"base": 2.0}
            loss = None if step == 3 else 5.0 / step
            file.write({"step": step, "loss": loss, "lr": 0.1, "kinds": kinds, "modes": modes})
    assert plot_loss(path, tmp_path / "all.png")
    assert min(colours(tmp_path / "all.png").values()) > 100
    with MetricsFile(path, 0) as file:
        for step in range(1, 9):
            file.write({"step": step, "loss": 1.0, "lr": 0.1, "kinds": {"a": 1.0}, "modes": {"tiny": 1.0}})
    assert plot_loss(path, tmp_path / "one.png")
    found = colours(tmp_path / "one.png")
    assert found["blue"] > 100
    assert found["orange"] == found["green"] == 0


def test_plot_needs_two_lines_and_shows_a_curve(tmp_path):
    path, picture = tmp_path / "m.jsonl", tmp_path / "loss.png"
    write(path, [1])
    assert not plot_loss(path, picture)
    assert not picture.exists()
    write(path, [2, 3], after=1)
    assert plot_loss(path, picture, title="run")
    pixels = np.asarray(Image.open(picture).convert("RGB")).astype(int)
    blue = (pixels[..., 2] - pixels[..., 0] > 100).sum()
    assert blue > 500
    assert [file.name for file in tmp_path.iterdir() if file.suffix == ".partial"] == []


def test_plain_figures():
    found = plain({"a": np.float32(0.5), "b": np.int32(3), "c": np.inf, "d": np.array([1.0, 2.0]), "e": np.eye(2) / 3})
    assert found == {"a": 0.5, "b": 3, "c": None, "d": [1.0, 2.0], "e": [[0.33333, 0.0], [0.0, 0.33333]]}
    assert isinstance(found["b"], int)
