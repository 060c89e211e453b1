"""Which lines there are, and in which order."""

import pytest

from dsocr_jax.errors import UserError
from train.bench.works import Work
from train.config import MeshConfig
from train.scale.options import Options
from train.scale.plan import chosen, plan, task

TEXT, PAGES = Work("text", None, 16, 0, 8), Work("pages", "small", 10, 1, 6)


def names(*counts: int) -> list[str]:
    return [one.name for one in plan((TEXT, PAGES), counts)]


def test_lines_of_four_devices_come_in_order_of_importance():
    assert names(1, 2, 4) == [
        *("text, 1 device", "text, fsdp 4", "text, fsdp 2"),
        *("pages, 1 device", "pages, fsdp 4", "pages, fsdp 2"),
        *("text, expert 4", "pages, expert 4"),
        *("text, tensor 2 x fsdp 2", "pages, tensor 2 x fsdp 2"),
        "pages, stage 4",
        "checkpoint on 4 devices, continued on 2",
    ]


def test_eight_devices_end_with_the_other_meshes_on_four():
    found = names(1, 2, 4, 8)
    assert "pages, stage 4 x fsdp 2" in found and "checkpoint on 8 devices, continued on 4" in found
    assert found[-4:] == ["text, expert 4", "pages, expert 4", "text, tensor 2 x fsdp 2", "pages, tensor 2 x fsdp 2"]


def test_one_and_two_devices_have_no_pipeline():
    assert names(1) == ["text, 1 device", "pages, 1 device"]
    assert not any("stage" in name for name in names(1, 2))
    assert "text, tensor 2" in names(1, 2) and "checkpoint on 2 devices, continued on 1" in names(1, 2)


def test_every_line_uses_its_devices_and_equal_microbatches():
    for one in plan((TEXT, PAGES), (1, 2, 4, 8)):
        if "checkpoint" in one.name:
            continue
        sizes = [size for _, size in one.axes]
        assert one.devices == (1 if not sizes else sizes[0] * (sizes[1] if len(sizes) > 1 else 1))
    assert task(TEXT, stage=4, fsdp=2).accumulate == 16  # of 32 rows of a group of stages
    assert task(PAGES, stage=4).accumulate == 12  # of 24: four parts of six rows would not be equal
    assert task(TEXT, tensor=2, fsdp=2).mesh == MeshConfig(data=1, fsdp=2, expert=1, tensor=2, stage=1)


def test_lines_are_chosen_by_the_beginnings_of_their_names():
    assert chosen(names(1, 2), ("pages, f", "check")) == ["pages, fsdp 2", "checkpoint on 2 devices, continued on 1"]
    with pytest.raises(UserError, match="no line begins so"):
        chosen(names(1, 2), ("nothing",))
    with pytest.raises(UserError, match="numbers from 1 on"):
        plan((TEXT,), (0, 2))


def test_what_is_not_said_depends_on_the_device():
    on_cpu, on_gpu = Options().filled(True), Options().filled(False)
    assert (on_cpu.preset, on_cpu.dtype, on_cpu.rows) == ("nano", "float32", 1)
    assert (on_gpu.preset, on_gpu.dtype, on_gpu.rows) == ("released", "bfloat16", None)
    config, works = Options(rows=3, remat="full").training(False)
    assert [work.rows for work in works] == [3, 3] and [work.mode for work in works] == [None, "base"]
    assert config.backends.remat == "full" and config.compute_dtype == "bfloat16"
