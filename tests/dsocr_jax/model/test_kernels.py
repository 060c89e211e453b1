"""The GPU's kernels, interpreted: they compute what the plain forms compute, at sizes that fill no tile."""

from collections.abc import Iterator
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from dsocr_jax.config import DecoderConfig
from dsocr_jax.model.kernels import grouped
from dsocr_jax.model.kernels.decode import paged_decode
from dsocr_jax.reading.fused import PAGE, _angles, _plain_paged
from tests.dsocr_jax.model.close import FORWARD, GRADIENT, close

DIM = 16
#: Rows of each expert: none, few, more than a tile, and none at the end.
SIZES = [
    pytest.param([3, 0, 19, 2, 0], id="some empty"),
    pytest.param([24, 0, 0, 0, 0], id="one takes all"),
    pytest.param([5, 5, 5, 5, 4], id="even"),
]
DEPTH, WIDTH = 24, 40
BLOCKS = grouped.Blocks(rows=16, columns=16, depth=16)


@pytest.fixture(scope="module", autouse=True)
def quick_compilation() -> Iterator[None]:
    """Compile without optimisation: that is most of the time here."""
    before = jax.config.values["jax_disable_most_optimizations"]
    jax.config.update("jax_disable_most_optimizations", True)
    yield
    jax.config.update("jax_disable_most_optimizations", before)


def arrays(*shapes: tuple[int, ...], seed: int = 0) -> list[jax.Array]:
    rng = np.random.default_rng(seed)
    return [jnp.asarray(rng.standard_normal(shape, np.float32)) for shape in shapes]


def ragged(x: jax.Array, w: jax.Array, sizes: jax.Array) -> jax.Array:
    """The plain form: each row times its expert's weights."""
    expert = np.repeat(np.arange(len(w)), np.asarray(sizes))
    return jnp.einsum("rk,rkn->rn", x, w[expert])


@pytest.mark.parametrize(("heads", "kv_heads", "parts"), [(2, 2, 1), (4, 2, 1), (4, 1, 3)], ids=["MHA", "GQA", "parts"])
def test_paged_decode(heads: int, kv_heads: int, parts: int) -> None:
    """Rows of all lengths beside idle ones, their pages in any order; what nobody owns is not touched."""
    positions = jnp.array([0, -1, 63, 64, 150])
    table = jnp.array([[3, 0, 0], [0, 0, 0], [1, 0, 0], [7, 2, 0], [4, 6, 5]])
    shape = (9, PAGE, kv_heads, DIM)
    qkv, keys, values = arrays((5, heads + 2 * kv_heads, DIM), shape, shape)
    cos, sin = _angles(positions, DecoderConfig(hidden=heads * DIM, heads=heads, kv_heads=kv_heads))
    run = jax.jit(partial(paged_decode, parts=parts, interpret=True))
    out, new_keys, new_values = run(qkv, cos, sin, positions, table, keys, values)
    expected, plain_keys, plain_values = _plain_paged(qkv, cos, sin, positions, table, keys, values)
    close(out, expected, FORWARD)
    np.testing.assert_array_equal(out[1], 0)
    close((new_keys, new_values), (plain_keys, plain_values), FORWARD)
    np.testing.assert_array_equal(new_keys[8], keys[8])


@pytest.mark.parametrize("sizes", SIZES)
@pytest.mark.parametrize("transposed", [False, True])
def test_grouped_matmul(sizes: list[int], transposed: bool) -> None:
    x, w = arrays((24, DEPTH), (5, DEPTH, WIDTH))
    given = w.swapaxes(1, 2) if transposed else w
    run = jax.jit(partial(grouped.matmul, transposed=transposed, blocks=BLOCKS, interpret=True))
    out = run(x, given, jnp.array(sizes))
    close(out, ragged(x, w, sizes), FORWARD)


def test_grouped_matmul_of_unsorted_rows() -> None:
    x, w = arrays((4, DEPTH), (5, DEPTH, WIDTH))
    experts = jnp.array([3, 0, 3, 1])
    plan = grouped.single_tiles(experts)
    out = grouped.matmul(x, w, jnp.zeros(5, jnp.int32), blocks=BLOCKS, plan=plan, interpret=True)
    close(out, jnp.einsum("rk,rkn->rn", x, w[experts]), FORWARD)


@pytest.mark.parametrize("sizes", SIZES)
def test_gated(sizes: list[int]) -> None:
    x, gate, up = arrays((24, DEPTH), (5, DEPTH, WIDTH), (5, DEPTH, WIDTH))
    out = jax.jit(partial(grouped.gated, blocks=BLOCKS, interpret=True))(x, gate, up, jnp.array(sizes))
    close(out, jax.nn.silu(ragged(x, gate, sizes)) * ragged(x, up, sizes), FORWARD)


@pytest.mark.parametrize("sizes", SIZES)
def test_outer(sizes: list[int]) -> None:
    x, y = arrays((24, DEPTH), (24, WIDTH))
    out = jax.jit(partial(grouped.outer, blocks=BLOCKS, interpret=True))(x, y, jnp.array(sizes))
    ends = np.cumsum(sizes)
    expected = [x[end - n : end].T @ y[end - n : end] for n, end in zip(sizes, ends, strict=True)]
    close(out, jnp.stack(expected), FORWARD)


@pytest.mark.parametrize("rows", [8, 17, 32])
def test_every_expert(rows: int) -> None:
    """Rows that ask for two of four experts each, beside some that ask for none; nobody asks for the last expert."""
    x, gate, up, down = arrays((rows, DEPTH), (4, DEPTH, WIDTH), (4, DEPTH, WIDTH), (4, WIDTH, DEPTH))
    weights = np.zeros((rows, 4), np.float32)
    for row in range(rows - 5):
        weights[row, [row % 3, (row + 1) % 3]] = 0.25 + row / 40, 0.5
    inner = jax.nn.silu(jnp.einsum("rh,ehk->rek", x, gate)) * jnp.einsum("rh,ehk->rek", x, up)
    expected = jnp.einsum("rek,ekh,re->rh", inner, down, weights)
    gate, down = gate.at[3].set(jnp.nan), down.at[3].set(jnp.nan)
    out = jax.jit(partial(grouped.every_expert, interpret=True))(x, gate, up, down, jnp.asarray(weights))
    close(out, expected, FORWARD)


def test_gradients() -> None:
    x, w = arrays((24, DEPTH), (5, DEPTH, WIDTH))
    sizes = jnp.array([3, 0, 19, 2, 0])
    ours = jax.jit(jax.grad(lambda x, w: jnp.sin(grouped.triton(x, w, sizes, True)).sum(), (0, 1)))(x, w)
    plain = jax.grad(lambda x, w: jnp.sin(ragged(x, w, sizes)).sum(), (0, 1))(x, w)
    close(ours, plain, GRADIENT)
