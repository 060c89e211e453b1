"""Forms of attention agree with the plain one, forward and backward."""

from functools import cache, partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx
from hypothesis import example, given, settings
from hypothesis import strategies as st

from dsocr_jax.config import SamConfig
from dsocr_jax.errors import UserError
from dsocr_jax.model.attention import RELATIVE, attend, fold, folded_cudnn, folded_padded, masked, plain
from dsocr_jax.model.backends import Backends, best_backends
from dsocr_jax.model.ocr import causal_mask
from dsocr_jax.model.sam import SamBlock
from tests.dsocr_jax.model.close import FORWARD, GRADIENT, close

FOLDED = {"folded": RELATIVE["folded"], "folded and padded": folded_padded}


def problem(side: int, heads: int, dim: int, views: int = 2) -> list[jax.Array]:
    """Queries, keys, values, and tables of rows and columns; scores of some spread."""
    rng = np.random.default_rng(side)
    shapes = [(views, side * side, heads, dim)] * 3 + [(side, side, dim)] * 2
    return [jnp.asarray(rng.standard_normal(shape, np.float32)) for shape in shapes]


def distance(found: jax.Array, expected: jax.Array) -> float:
    """The largest difference, as a share of the largest number."""
    return float(jnp.abs(found.astype(jnp.float32) - expected).max() / jnp.abs(expected).max())


def out_and_gradients(form, *arrays: jax.Array):
    def loss(*arrays: jax.Array):
        out = form(*arrays)
        return jnp.sum(jnp.sin(out.astype(jnp.float32))), out

    grads, out = jax.jit(jax.grad(loss, range(len(arrays)), has_aux=True))(*arrays)
    return out, grads


@settings(max_examples=3, deadline=None)
@given(side=st.integers(1, 7), heads=st.integers(1, 3), dim=st.sampled_from([1, 4, 6, 9]))
@example(side=14, heads=2, dim=8)
def test_folded_positions_equal_the_bias(side: int, heads: int, dim: int) -> None:
    arrays = problem(side, heads, dim)
    out, grads = out_and_gradients(plain, *arrays)
    for form in FOLDED.values():
        found, found_grads = out_and_gradients(form, *arrays)
        close(found, out, FORWARD)
        # A map of one position has one key: its queries have no gradient but rounding.
        close(found_grads[2:3] if side == 1 else found_grads, grads[2:3] if side == 1 else grads, GRADIENT)


def test_folded_dot_products_are_the_scores() -> None:
    q, k, _, rows, columns = problem(3, 1, 4, views=1)
    long_q, long_k = fold(q, k, rows, columns)
    assert long_q.shape == (1, 9, 1, 4 + 3 + 3)
    for query, key in [(0, 0), (5, 7), (8, 2)]:
        (y, x), (ky, kx) = divmod(query, 3), divmod(key, 3)
        one = q[0, query, 0]
        expected = one @ k[0, key, 0] / 2 + one @ rows[y, ky] + one @ columns[x, kx]
        assert long_q[0, query, 0] @ long_k[0, key, 0] / 2 == pytest.approx(float(expected), rel=1e-5)


def test_width_is_padded_to_what_cudnn_takes() -> None:
    q, k, _, rows, columns = problem(14, 1, 64, views=1)
    long_q, long_k = jax.eval_shape(lambda *arrays: fold(*arrays, step=8), q, k, rows, columns)
    assert long_q.shape == long_k.shape == (1, 14 * 14, 1, 96)


def test_folding_keeps_bfloat16_as_near_as_the_bias_does() -> None:
    arrays = problem(6, 2, 16)
    half = [array.astype(jnp.bfloat16) for array in arrays]
    forms = jax.jit(lambda *arrays: [form(*arrays).astype(jnp.float32) for form in (plain, *FOLDED.values())])
    exact = np.asarray(forms(*arrays)[0])
    errors = [np.abs(found - exact).max() for found in forms(*half)]
    assert max(errors[1:]) < 1.2 * errors[0]


@cache
def block(window: int) -> tuple[nnx.GraphDef, nnx.State]:
    """A block of SAM with tables that are not zero."""
    module = SamBlock(SamConfig(width=12, heads=2, mlp_ratio=1, grid=7), window, nnx.Rngs(0))
    rng = np.random.default_rng(0)
    for table in (module.attn.rel_pos_h, module.attn.rel_pos_w):
        table[...] = jnp.asarray(rng.standard_normal(table.shape, np.float32))
    return nnx.split(module)


@pytest.mark.parametrize(("window", "side"), [(3, 7), (0, 5)])
def test_blocks_with_windows_and_resized_tables(window: int, side: int) -> None:
    """Windows that do not divide the map, and a map for which the global tables are resized."""
    graphdef, params = block(window)
    x = jnp.asarray(np.random.default_rng(1).standard_normal((2, side, side, 12), np.float32))

    def run(relative: str):
        return out_and_gradients(lambda p, x: nnx.merge(graphdef, p)(x, Backends(relative=relative)), params, x)

    (out, grads), (found, found_grads) = run("plain"), run("folded")
    close(found, out, FORWARD)
    close(found_grads, grads, GRADIENT)


SEGMENTS = np.array([[1, 1, 1, 2, 2, 0, 0], [1] * 7, [1, 2, 3, 3, 3, 3, 0]])


@pytest.mark.parametrize("length", [7, 6])
@pytest.mark.parametrize("kv_heads", [4, 2])
def test_packed_rows_in_the_form_that_cudnn_gets(length: int, kv_heads: int) -> None:
    """Odd lengths get a position more, and the causal promise changes nothing."""
    rng = np.random.default_rng(0)
    mask = causal_mask(jnp.asarray(SEGMENTS[:, :length]))
    q, k, v = (jnp.asarray(rng.standard_normal((3, length, n, 8), np.float32)) for n in (4, kv_heads, kv_heads))
    out, grads = out_and_gradients(partial(attend, mask=mask), q, k, v)
    found, found_grads = out_and_gradients(partial(masked, mask=mask, causal=True, implementation="xla"), q, k, v)
    close(found, out, FORWARD)
    close(found_grads, grads, GRADIENT)


@pytest.mark.parametrize("length", [4, 5])
def test_odd_lengths_without_a_mask(length: int) -> None:
    """CLIP's: its tokens are the squares and one more."""
    rng = np.random.default_rng(length)
    q, k, v = (jnp.asarray(rng.standard_normal((2, length, 2, 8), np.float32)) for _ in range(3))
    out, grads = out_and_gradients(attend, q, k, v)
    found, found_grads = out_and_gradients(partial(masked, mask=None, causal=False, implementation="xla"), q, k, v)
    close(found, out, FORWARD)
    close(found_grads, grads, GRADIENT)


def test_mask_over_a_longer_cache() -> None:
    rng = np.random.default_rng(0)
    q, k, v = (jnp.asarray(rng.standard_normal((2, n, 2, 8), np.float32)) for n in (4, 9, 9))
    mask = (jnp.arange(9) <= jnp.array([[3, 4, 5, 6], [0, 1, 2, 3]])[:, :, None])[:, None]
    close(masked(q, k, v, mask, False, "xla"), attend(q, k, v, mask), FORWARD)


def test_a_row_of_padding_sees_its_first_position_alone() -> None:
    mask = np.asarray(causal_mask(jnp.zeros((1, 3), jnp.int32)))[0, 0]
    np.testing.assert_array_equal(mask, [[1, 0, 0]] * 3)


def test_cudnn_is_refused_without_a_gpu() -> None:
    q, k, v, rows, columns = problem(2, 1, 8)
    with pytest.raises(UserError, match="folded_cudnn needs an NVIDIA GPU"):
        folded_cudnn(q, k, v, rows, columns)
    with pytest.raises(UserError, match="cudnn needs an NVIDIA GPU"):
        attend(q, k, v, backend="cudnn")


def test_a_platform_gets_backends_that_run_on_it() -> None:
    assert best_backends(platform="cpu") == Backends()
    assert best_backends(jnp.float32, "gpu").relative == "folded"
    assert best_backends(jnp.bfloat16, "gpu").relative == "folded_cudnn"


@pytest.mark.gpu
@pytest.mark.parametrize("side", [14, 16])
def test_cudnn_on_a_gpu_equals_the_bias(side: int) -> None:
    """No further from the plain form in float32 than half as far again as the plain form in bfloat16 is."""
    arrays = [array.astype(jnp.bfloat16) for array in problem(side, 3, 64)]
    exact = out_and_gradients(plain, *(array.astype(jnp.float32) for array in arrays))
    spread, found = (
        jax.tree.leaves(jax.tree.map(distance, out_and_gradients(form, *arrays), exact))
        for form in (plain, folded_cudnn)
    )
    assert all(ours <= 1.5 * own for ours, own in zip(found, spread, strict=True)), (found, spread)


@pytest.mark.gpu
@pytest.mark.parametrize("length", [100, 101, 257])
def test_cudnn_on_a_gpu_equals_xla(length: int) -> None:
    """Within what bfloat16 keeps; XLA's form is computed in float32."""
    rng = np.random.default_rng(length)
    arrays = [jnp.asarray(rng.standard_normal((2, length, 4, 64)), jnp.bfloat16) for _ in range(3)]
    out, grads = out_and_gradients(attend, *(array.astype(jnp.float32) for array in arrays))
    found, found_grads = out_and_gradients(partial(attend, backend="cudnn"), *arrays)
    close(found, out, 2e-2)
    close(found_grads, grads, 5e-2)


@pytest.mark.gpu
@pytest.mark.parametrize("length", [7, 6])
def test_cudnn_on_a_gpu_keeps_packed_rows_apart(length: int) -> None:
    rng = np.random.default_rng(0)
    mask = causal_mask(jnp.asarray(SEGMENTS[:, :length]))
    q, k, v = (jnp.asarray(rng.standard_normal((3, length, 4, 64)), jnp.bfloat16) for _ in range(3))
    out, grads = out_and_gradients(partial(attend, mask=mask), *(array.astype(jnp.float32) for array in (q, k, v)))
    found, found_grads = out_and_gradients(partial(attend, mask=mask, causal=True, backend="cudnn"), q, k, v)
    close(found, out, 2e-2)
    close(found_grads, grads, 5e-2)
