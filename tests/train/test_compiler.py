import jax

from train.compiler import OVERLAP, known, step_options
from train.config import MeshConfig
from train.sharding import make_mesh


def test_options_that_this_version_refuses_are_left_out():
    options = (("xla_gpu_no_such_option", True), *OVERLAP.items())
    assert known(options) == OVERLAP


def test_other_devices_than_gpus_get_none():
    mesh = make_mesh(MeshConfig(data=1, fsdp=-1))
    assert mesh.size > 1
    assert step_options(mesh, overlap=True) == {}


class _Gpus:
    """A mesh of two devices that call themselves GPUs."""

    size = 2

    class devices:
        class _Gpu:
            platform = "gpu"

        flat = (_Gpu(), _Gpu())


def test_several_gpus_get_them_unless_that_is_refused():
    assert step_options(_Gpus(), overlap=True) == OVERLAP
    assert step_options(_Gpus(), overlap=False) == {}
    assert jax.default_backend() == "cpu"
