"""Small parts that the towers and the decoder share."""

from collections.abc import Callable

import jax
import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Float, Int


def linear(inp: int, out: int, rngs: nnx.Rngs, bias: bool = True) -> nnx.Linear:
    """A linear layer; its kernel is ``[inp, out]``."""
    return nnx.Linear(inp, out, use_bias=bias, rngs=rngs)


def layer_norm(width: int, eps: float, rngs: nnx.Rngs) -> nnx.LayerNorm:
    """LayerNorm as PyTorch computes it: two-pass variance, epsilon inside the root, float32 statistics."""
    return nnx.LayerNorm(width, epsilon=eps, use_fast_variance=False, rngs=rngs)


class RMSNorm(nnx.Module):
    """Root-mean-square norm: float32 statistics, cast back, then times the weight."""

    def __init__(self, width: int, eps: float):
        self.scale = nnx.Param(jnp.ones(width))
        self.eps = eps

    def __call__(self, x: Float[Array, "*b h"]) -> Float[Array, "*b h"]:
        """Normalise the last axis."""
        x32 = x.astype(jnp.float32)
        x32 = x32 * jax.lax.rsqrt(jnp.mean(x32 * x32, axis=-1, keepdims=True) + self.eps)
        return self.scale[...] * x32.astype(x.dtype)


class MLP(nnx.Module):
    """Two linear layers with an activation between them."""

    def __init__(self, width: int, ffn: int, activation: Callable[[Array], Array], rngs: nnx.Rngs):
        self.fc1 = linear(width, ffn, rngs)
        self.fc2 = linear(ffn, width, rngs)
        self.activation = activation

    def __call__(self, x: Float[Array, "*b c"]) -> Float[Array, "*b c"]:
        """Apply both layers to the last axis."""
        return self.fc2(self.activation(self.fc1(x)))


class SwiGLU(nnx.Module):
    """``down(silu(gate(x)) * up(x))``, without biases."""

    def __init__(self, width: int, ffn: int, rngs: nnx.Rngs):
        self.gate = linear(width, ffn, rngs, bias=False)
        self.up = linear(width, ffn, rngs, bias=False)
        self.down = linear(ffn, width, rngs, bias=False)

    def __call__(self, x: Float[Array, "*b h"]) -> Float[Array, "*b h"]:
        """Apply the gated layers to the last axis."""
        return self.down(jax.nn.silu(self.gate(x)) * self.up(x))


@jax.custom_jvp
def _half_gelu(x: Array) -> Array:
    """GELU of 16-bit floats in float32, by a polynomial times an exponential that is right to 1.5e-7.

    Abramowitz and Stegun, 7.1.26. The compiler's own error function takes half again as long as the memory does.
    """
    x32 = x.astype(jnp.float32)
    return (x32 * _normal_share(x32)).astype(x.dtype)


def _normal_share(x: Array) -> Array:
    z = jnp.abs(x) * 2**-0.5
    t = 1 / (1 + 0.3275911 * z)
    factors = (1.061405429, -1.453152027, 1.421413741, -0.284496736, 0.254829592)
    total = jnp.zeros_like(x)
    for factor in factors:
        total = total * t + factor
    tail = 0.5 * total * t * jnp.exp(-z * z)
    return jnp.where(x < 0, tail, 1 - tail)


@_half_gelu.defjvp
def _half_gelu_slope(primals: tuple[Array], tangents: tuple[Array]) -> tuple[Array, Array]:
    (x,), (dx,) = primals, tangents
    x32 = x.astype(jnp.float32)
    share = _normal_share(x32)
    slope = share + x32 * jnp.exp(-0.5 * x32 * x32) * (2 * jnp.pi) ** -0.5
    return (x32 * share).astype(x.dtype), (dx.astype(jnp.float32) * slope).astype(x.dtype)


def exact_gelu(x: Array) -> Array:
    """GELU by the error function (SAM)."""
    return _half_gelu(x) if x.dtype.itemsize == 2 else jax.nn.gelu(x, approximate=False)


def quick_gelu(x: Array) -> Array:
    """``x * sigmoid(1.702 x)`` (CLIP)."""
    return x * jax.nn.sigmoid(1.702 * x)


def resize_grid(table: Float[Array, "h w c"], side: int) -> Float[Array, "side side c"]:
    """Resize a square position table as the original does: bicubic, antialiased, in float32."""
    if table.shape[0] == side:
        return table
    resized = jax.image.resize(table.astype(jnp.float32), (side, side, table.shape[-1]), "cubic", antialias=True)
    return resized.astype(table.dtype)


def resize_relative(table: Float[Array, "r d"], rows: int) -> Float[Array, "rows d"]:
    """Resize a table of relative positions along its first axis: linear, not antialiased, in float32."""
    if table.shape[0] == rows:
        return table
    resized = jax.image.resize(table.astype(jnp.float32), (rows, table.shape[1]), "linear", antialias=False)
    return resized.astype(table.dtype)


def rotary_angles(positions: Int[Array, "b t"], head_dim: int, base: float) -> tuple[Array, Array]:
    """Cosines and sines ``[b, t, 1, head_dim]``, float32, of the half-rotation form."""
    exponents = jnp.arange(0, head_dim, 2, dtype=jnp.float32) / head_dim
    angles = positions[..., None].astype(jnp.float32) * (1.0 / base**exponents)
    angles = jnp.concatenate([angles, angles], axis=-1)[:, :, None, :]
    return jnp.cos(angles), jnp.sin(angles)


def rotate(x: Float[Array, "b t n d"], cos: Array, sin: Array) -> Float[Array, "b t n d"]:
    """Apply the rotary embedding: the first half of the channels turns against the second."""
    first, second = jnp.split(x, 2, axis=-1)
    turned = jnp.concatenate([-second, first], axis=-1)
    return (x * cos + turned * sin).astype(x.dtype)
