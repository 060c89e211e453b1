"""The SAM ViT tower and the 16x compressor: pixels to a map of a quarter of the patches a side."""

import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Float

from dsocr_jax.config import SamConfig
from dsocr_jax.model.attention import RELATIVE
from dsocr_jax.model.backends import DEFAULT, Backends
from dsocr_jax.model.layers import MLP, exact_gelu, layer_norm, linear, resize_grid, resize_relative
from dsocr_jax.model.scan import run_layers


def split_windows(x: Float[Array, "b n n c"], window: int) -> Float[Array, "bw window window c"]:
    """Pad at the bottom and right with zeros, then cut into windows in row-major order.

    The padding comes after the norm and is not masked: its keys and values are the biases of the
    projection, and they take part in every softmax of their window, as in the original.
    """
    b, n, _, c = x.shape
    pad = -n % window
    x = jnp.pad(x, ((0, 0), (0, pad), (0, pad), (0, 0)))
    k = (n + pad) // window
    return x.reshape(b, k, window, k, window, c).transpose(0, 1, 3, 2, 4, 5).reshape(-1, window, window, c)


def join_windows(x: Float[Array, "bw window window c"], side: int) -> Float[Array, "b side side c"]:
    """Undo `split_windows` and crop to ``side``."""
    window, c = x.shape[1], x.shape[3]
    k = -(-side // window)
    x = x.reshape(-1, k, k, window, window, c).transpose(0, 1, 3, 2, 4, 5)
    return x.reshape(-1, k * window, k * window, c)[:, :side, :side]


def relative_table(table: Float[Array, "r d"], side: int) -> Float[Array, "side side d"]:
    """Row ``[y, y']`` is the vector for the offset ``y - y'`` of a query from a key."""
    rows = resize_relative(table, 2 * side - 1)
    offsets = jnp.arange(side)[:, None] - jnp.arange(side)[None, :] + side - 1
    return rows[offsets]


class RelativeAttention(nnx.Module):
    """Self-attention over a square map with decomposed relative positions."""

    def __init__(self, width: int, heads: int, side: int, rngs: nnx.Rngs):
        self.qkv = linear(width, 3 * width, rngs)
        self.proj = linear(width, width, rngs)
        self.rel_pos_h = nnx.Param(jnp.zeros((2 * side - 1, width // heads)))
        self.rel_pos_w = nnx.Param(jnp.zeros((2 * side - 1, width // heads)))
        self.heads = heads

    def __call__(self, x: Float[Array, "b s s c"], backends: Backends = DEFAULT) -> Float[Array, "b s s c"]:
        """Every position attends to every position of its map or window."""
        b, s, _, c = x.shape
        q, k, v = jnp.moveaxis(self.qkv(x).reshape(b, s * s, 3, self.heads, c // self.heads), 2, 0)
        # The bias takes the query as it is; only the dot product with the key is scaled.
        rows, columns = (relative_table(table[...], s) for table in (self.rel_pos_h, self.rel_pos_w))
        out = RELATIVE[backends.relative](q, k, v, rows, columns)
        return self.proj(out.reshape(b, s, s, c))


class SamBlock(nnx.Module):
    """A pre-norm block; ``window`` 0 attends to the whole map."""

    def __init__(self, config: SamConfig, window: int, rngs: nnx.Rngs):
        self.norm1 = layer_norm(config.width, config.norm_eps, rngs)
        self.attn = RelativeAttention(config.width, config.heads, window or config.grid, rngs)
        self.norm2 = layer_norm(config.width, config.norm_eps, rngs)
        self.mlp = MLP(config.width, config.mlp_ratio * config.width, exact_gelu, rngs)
        self.window = window

    def __call__(self, x: Float[Array, "b n n c"], backends: Backends = DEFAULT) -> Float[Array, "b n n c"]:
        """Attention, within windows or not, then the MLP, each added to its input."""
        y = self.norm1(x)
        if self.window:
            y = join_windows(self.attn(split_windows(y, self.window), backends), x.shape[1])
        else:
            y = self.attn(y, backends)
        x = x + y
        return x + self.mlp(self.norm2(x))


def _conv(inp: int, out: int, side: int, stride: int, rngs: nnx.Rngs) -> nnx.Conv:
    # Symmetric padding, which "SAME" is not for stride 2.
    pad = side // 2
    return nnx.Conv(inp, out, (side, side), strides=stride, padding=((pad, pad), (pad, pad)), use_bias=False, rngs=rngs)


class Neck(nnx.Module):
    """1x1 and 3x3 convolutions, each followed by a norm over the channels of a pixel."""

    def __init__(self, config: SamConfig, rngs: nnx.Rngs):
        self.conv1 = _conv(config.width, config.neck, 1, 1, rngs)
        self.norm1 = layer_norm(config.neck, config.norm_eps, rngs)
        self.conv2 = _conv(config.neck, config.neck, 3, 1, rngs)
        self.norm2 = layer_norm(config.neck, config.norm_eps, rngs)

    def __call__(self, x: Float[Array, "b n n c"]) -> Float[Array, "b n n k"]:
        """Fewer channels, same map."""
        return self.norm2(self.conv2(self.norm1(self.conv1(x))))


class Compressor(nnx.Module):
    """Two stride-2 convolutions with nothing between them: 16 times fewer tokens."""

    def __init__(self, config: SamConfig, rngs: nnx.Rngs):
        self.conv1 = _conv(config.neck, config.compressor[0], 3, 2, rngs)
        self.conv2 = _conv(config.compressor[0], config.compressor[1], 3, 2, rngs)

    def __call__(self, x: Float[Array, "b n n k"]) -> Float[Array, "b m m c"]:
        """More channels, a quarter of the map a side."""
        return self.conv2(self.conv1(x))


class Patches(nnx.Module):
    """A convolution over patches that do not overlap, as one matrix product.

    On an H100 a third to a tenth of cuDNN's time, gradients included. Grey pixels (c = 1) stand for all channels.
    """

    def __init__(self, width: int, side: int, rngs: nnx.Rngs):
        self.kernel = nnx.Param(nnx.initializers.lecun_normal()(rngs.params(), (side, side, 3, width)))
        self.bias = nnx.Param(nnx.initializers.zeros(rngs.params(), (width,)))

    def __call__(self, pixels: Float[Array, "b S S c"]) -> Float[Array, "b n n k"]:
        """Patches of the pixels, row by row."""
        kernel = self.kernel[...]
        side, _, _, width = kernel.shape
        b, height, across, channels = pixels.shape
        if channels == 1:
            kernel = kernel.sum(axis=2, keepdims=True)
        patches = pixels.reshape(b, height // side, side, across // side, side, channels).transpose(0, 1, 3, 2, 4, 5)
        flat = patches.reshape(*patches.shape[:3], side * side * channels)
        return flat @ kernel.reshape(-1, width) + self.bias[...]


class Sam(nnx.Module):
    """Pixels ``[b, S, S, c]``, S a multiple of 4 patches, to ``[b, S/64, S/64, compressor[1]]``."""

    def __init__(self, config: SamConfig, rngs: nnx.Rngs):
        self.patch_embed = Patches(config.width, config.patch, rngs)
        self.pos_embed = nnx.Param(0.02 * rngs.params.normal((config.grid, config.grid, config.width)))
        windows = [0 if i in config.global_layers else config.window for i in range(config.layers)]
        self.blocks = nnx.List([SamBlock(config, window, rngs) for window in windows])
        self.neck = Neck(config, rngs)
        self.compressor = Compressor(config, rngs)

    def embed(self, pixels: Float[Array, "b S S c"]) -> Float[Array, "b n n k"]:
        """Patches and their positions."""
        x = self.patch_embed(pixels)
        return x + resize_grid(self.pos_embed[...], x.shape[1])

    def __call__(self, pixels: Float[Array, "b S S c"], backends: Backends = DEFAULT) -> Float[Array, "b m m k"]:
        """Patches through all blocks, neck and compressor."""
        x = run_layers(self.blocks, self.embed(pixels), lambda block, x: block(x, backends), backends)
        return self.compressor(self.neck(x))
