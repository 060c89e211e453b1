"""What the compiler is told."""

from types import SimpleNamespace
from typing import Any

from train.compiler import OVERLAP, known, step_options
from train.config import MeshConfig
from train.sharding import make_mesh

#: A mesh of two devices that call themselves GPUs.
GPUS: Any = SimpleNamespace(size=2, devices=SimpleNamespace(flat=[SimpleNamespace(platform="gpu")] * 2))


def test_options_that_this_version_refuses_are_left_out():
    assert known((("xla_gpu_no_such_option", True), *OVERLAP.items())) == OVERLAP


def test_other_devices_than_gpus_get_none():
    mesh = make_mesh(MeshConfig(data=1, fsdp=-1))
    assert mesh.size > 1
    assert step_options(mesh, overlap=True) == {}


def test_several_gpus_get_them_unless_that_is_refused():
    assert step_options(GPUS, overlap=True) == OVERLAP
    assert step_options(GPUS, overlap=False) == {}
