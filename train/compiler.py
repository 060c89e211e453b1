"""What the compiler is told about a training step."""

import functools

import jax
from jax.sharding import Mesh

#: Options of XLA that let communication run behind computation; names differ between versions.
OVERLAP: dict[str, bool] = {
    "xla_gpu_enable_latency_hiding_scheduler": True,
}


def step_options(mesh: Mesh, overlap: bool) -> dict[str, bool]:
    """Return the options for a step on these devices: none, but on several GPUs those of `OVERLAP` that XLA knows."""
    if not overlap or mesh.size == 1 or mesh.devices.flat[0].platform != "gpu":
        return {}
    return known(tuple(OVERLAP.items()))


@functools.cache
def known(options: tuple[tuple[str, bool], ...]) -> dict[str, bool]:
    """Return those of ``options`` that this version of XLA does not refuse."""
    return {name: value for name, value in options if _is_known(name, value)}


def _is_known(name: str, value: bool) -> bool:
    try:
        jax.jit(lambda: 0, compiler_options={name: value}).lower().compile()
    except jax.errors.JaxRuntimeError:
        return False
    return True
