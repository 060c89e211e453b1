"""How the model computes what it computes: choices that change speed and memory, never the result beyond rounding."""

import dataclasses
from typing import Any

import jax
import jax.numpy as jnp

from dsocr_jax.errors import UserError
from dsocr_jax.model.placement import HERE, Placement

#: The values of each field of `Backends`, the plain form first: what the others are held against in the tests.
CHOICES: dict[str, tuple[str, ...]] = {
    "relative": ("plain", "folded", "folded_cudnn", "folded_tokamax"),
    "attention": ("xla", "cudnn"),
    "grouped": ("ragged", "blocked", "capacity", "capacity_drop", "triton", "tokamax"),
    "layers": ("unrolled", "scanned"),
    "remat": ("none", "dots", "full"),
    "gathered": ("again", "kept"),
}


# A pytree without leaves: it passes through `jax.jit` as part of the program, without being named static.
@jax.tree_util.register_static
@dataclasses.dataclass(frozen=True)
class Backends:
    """One way to run the model; the defaults run on every device.

    Attributes:
        relative: attention with decomposed relative positions (SAM), see `dsocr_jax.model.attention`.
        attention: attention of CLIP and of the decoder; ``cudnn`` needs an NVIDIA GPU and 16-bit floats.
        grouped: products of rows sorted by expert, see `dsocr_jax.model.grouped`. All are exact but
            ``capacity_drop``, which drops the rows of an expert that is asked too often.
        layers: equal consecutive layers one by one, or one compiled body that runs over stacked parameters.
        remat: what the backward pass finds kept of each layer: everything, the results of the products with
            parameters, or only the layer's input.
        gathered: parameters that came together from several devices for a layer's forward pass come together again
            for its backward pass, or are kept until then: fewer bytes between devices, and a copy of the layers'
            parameters in the type of the computation on each.
        capacity: room for the rows of an expert with ``capacity`` and ``capacity_drop``, as a multiple of its
            fair share.
        placement: brings parameters that are spread over devices to where they are used.
    """

    relative: str = "plain"
    attention: str = "xla"
    grouped: str = "blocked"
    layers: str = "unrolled"
    remat: str = "none"
    gathered: str = "again"
    capacity: float = 1.25
    placement: Placement = HERE

    def __post_init__(self) -> None:
        """Refuse unknown names and numbers without a meaning, all of them at once."""
        found = [
            f"{name} '{getattr(self, name)}' is not one of {', '.join(choices)}"
            for name, choices in CHOICES.items()
            if getattr(self, name) not in choices
        ]
        if self.capacity <= 0:
            found.append(f"capacity must be above 0, not {self.capacity:g}")
        if found:
            raise UserError("backends: " + "; ".join(found))


#: What the model's calls use when nothing is said.
DEFAULT = Backends()


def best_backends(dtype: Any = jnp.bfloat16, platform: str | None = None) -> Backends:
    """Return the fastest backends, for training, that need nothing but JAX.

    Args:
        dtype: of the activations.
        platform: ``cpu``, ``gpu`` or ``tpu``; by default what JAX runs on.
    """
    platform = platform or jax.default_backend()
    if platform == "gpu":
        half = jnp.dtype(dtype).itemsize == 2
        relative, attention = ("folded_cudnn", "cudnn") if half else ("folded", "xla")
        return Backends(
            relative=relative, attention=attention, grouped="triton", layers="scanned", remat="dots", gathered="kept"
        )
    if platform == "tpu":
        return Backends(relative="folded", grouped="ragged", layers="scanned", remat="dots")
    return DEFAULT


def need_cudnn(x: jax.Array, name: str) -> None:
    """Raise `UserError` where cuDNN's attention does not run: on other devices, and with other floats than 16 bits."""
    if jax.default_backend() != "gpu" or x.dtype not in (jnp.bfloat16, jnp.float16):
        raise UserError(
            f"the backend {name} needs an NVIDIA GPU and bfloat16 or float16, and this is {x.dtype} on "
            f"{jax.default_backend()}; take another backend (`dsocr_jax.model.backends.best_backends`)"
        )


def import_tokamax(name: str) -> Any:
    """Return the module tokamax, or raise `UserError` where it is not installed."""
    try:
        import tokamax  # type: ignore[import-not-found]
    except ImportError as error:
        raise UserError(
            f"the backend {name} needs the package tokamax, which is not installed here ({error}); install it "
            "(`pip install tokamax`) or take another backend"
        ) from error
    return tokamax
