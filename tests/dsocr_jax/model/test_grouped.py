"""Forms of the grouped product agree, forward and backward."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dsocr_jax.model.grouped import BACKENDS, blocked, ragged


def problem(sizes: list[int], seed: int = 0) -> tuple[jax.Array, jax.Array, jax.Array]:
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((sum(sizes), 6), np.float32)
    return jnp.asarray(x), jnp.asarray(rng.standard_normal((len(sizes), 6, 5), np.float32)), jnp.array(sizes)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(0, 9), min_size=4, max_size=4).filter(lambda sizes: sum(sizes) > 0))
def test_blocked_equals_a_loop_over_experts(sizes: list[int]) -> None:
    x, w, counts = problem(sizes)
    expert = np.repeat(np.arange(len(sizes)), sizes)
    expected = np.einsum("rk,rkn->rn", x, np.asarray(w)[expert])
    np.testing.assert_allclose(blocked(x, w, counts, block=4), expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("backend", sorted(set(BACKENDS) - {"ragged"}))
def test_gradients_equal_the_reference(backend: str) -> None:
    x, w, sizes = problem([3, 0, 40, 1])

    def loss(x: jax.Array, w: jax.Array, form) -> jax.Array:
        return jnp.sum(jnp.sin(form(x, w, sizes)))

    for ours, theirs in zip(
        jax.grad(loss, (0, 1))(x, w, BACKENDS[backend]), jax.grad(loss, (0, 1))(x, w, ragged), strict=True
    ):
        np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-5)
