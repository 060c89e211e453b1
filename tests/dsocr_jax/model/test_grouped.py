"""Forms of the grouped product agree with the reference, forward and backward, however the rows fall."""

import sys
from functools import cache, partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from dsocr_jax.errors import UserError
from dsocr_jax.model.backends import Backends
from dsocr_jax.model.grouped import LAYOUTS, blocked, grouped_matmul, limited, over_groups, overflow, room
from tests.dsocr_jax.model.close import FORWARD, GRADIENT, close

ROWS, EXPERTS, WIDTH, OUT = 40, 5, 6, 7
#: Room for 16 rows an expert.
CAPACITY = 2.0
EXACT = ["blocked", "capacity"]

counts = st.lists(st.integers(0, EXPERTS - 1), min_size=ROWS, max_size=ROWS).map(
    lambda chosen: np.bincount(chosen, minlength=EXPERTS)
)
one_takes_all = np.array([0, 0, ROWS, 0, 0])
even = np.full(EXPERTS, ROWS // EXPERTS)


def problem(seed: int = 0) -> tuple[jax.Array, jax.Array]:
    rng = np.random.default_rng(seed)
    x, w = rng.standard_normal((ROWS, WIDTH), np.float32), rng.standard_normal((EXPERTS, WIDTH, OUT), np.float32)
    return jnp.asarray(x), jnp.asarray(w)


@cache
def run(grouped: str):
    """A function of rows, weights and sizes: product, share without room, gradients of a function of the product."""
    backends = Backends(grouped=grouped, capacity=CAPACITY)

    def loss(x: jax.Array, w: jax.Array, sizes: jax.Array):
        out, beyond = grouped_matmul(x, w, sizes, backends)
        return jnp.sum(jnp.sin(out)), (out, beyond)

    def both(x: jax.Array, w: jax.Array, sizes: jax.Array):
        grads, aux = jax.grad(loss, (0, 1), has_aux=True)(x, w, sizes)
        return *aux, grads

    return jax.jit(both)


def test_the_reference_is_a_loop_over_experts() -> None:
    x, w = problem()
    sizes = np.array([3, 0, 30, 1, 6])
    expected = np.einsum("rk,rkn->rn", x, np.asarray(w)[np.repeat(np.arange(EXPERTS), sizes)])
    close(run("ragged")(x, w, jnp.asarray(sizes))[0], expected, FORWARD)


@pytest.mark.parametrize("grouped", EXACT)
@settings(max_examples=30, deadline=None)
@given(sizes=counts)
@example(sizes=one_takes_all)
@example(sizes=even)
def test_exact_forms_equal_the_reference(grouped: str, sizes: np.ndarray) -> None:
    x, w = problem()
    out, _, grads = run(grouped)(x, w, jnp.asarray(sizes))
    expected, _, expected_grads = run("ragged")(x, w, jnp.asarray(sizes))
    close(out, expected, FORWARD)
    close(grads, expected_grads, GRADIENT)


@settings(max_examples=20, deadline=None)
@given(sizes=counts)
@example(sizes=one_takes_all)
@example(sizes=even)
def test_limited_room_drops_the_last_rows_of_an_expert_and_says_how_many(sizes: np.ndarray) -> None:
    x, w = problem()
    out, beyond, (dx, _) = run("capacity_drop")(x, w, jnp.asarray(sizes))
    expected = np.array(run("ragged")(x, w, jnp.asarray(sizes))[0])
    rank = np.concatenate([np.arange(n) for n in sizes])
    dropped = rank >= room(ROWS, EXPERTS, CAPACITY)
    expected[dropped] = 0
    close(out, expected, FORWARD)
    assert beyond == pytest.approx(dropped.mean())
    np.testing.assert_array_equal(dx[dropped], 0)


@pytest.mark.parametrize(
    ("sizes", "share"), [(even, 0.0), (one_takes_all, 24 / 40), (np.array([17, 16, 7, 0, 0]), 1 / 40)]
)
def test_overflow_counts_what_has_no_room(sizes: np.ndarray, share: float) -> None:
    assert room(ROWS, EXPERTS, CAPACITY) == 16
    assert overflow(jnp.asarray(sizes), ROWS, CAPACITY) == pytest.approx(share)
    assert run("capacity")(*problem(), jnp.asarray(sizes))[1] == pytest.approx(share)


@pytest.mark.parametrize("block", [1, 4, 64])
def test_blocks_of_any_size(block: int) -> None:
    x, w = problem()
    sizes = jnp.array([3, 0, 30, 1, 6])
    layout = blocked(sizes, ROWS, block)
    close(layout.restore(layout.product(layout.arrange(x), w)), run("ragged")(x, w, sizes)[0], FORWARD)


@pytest.mark.parametrize("grouped", [*EXACT, "triton"])
def test_groups_are_those_of_one_each(grouped: str) -> None:
    """Two groups at once give what each gives alone, also when one of them overflows."""
    x, w = problem()
    sizes = jnp.array([even, one_takes_all])
    both = jnp.stack([x, x[::-1]])

    def product(layout, x: jax.Array) -> jax.Array:
        return layout.restore(layout.product(layout.arrange(x), w))

    apply = jax.jit(partial(over_groups, product), static_argnums=1)
    out, _ = apply(sizes, ROWS, Backends(grouped=grouped, capacity=CAPACITY), both)
    for i in range(2):
        close(out[i], run("ragged")(both[i], w, sizes[i])[0], FORWARD)


def test_the_kernels_equal_the_reference() -> None:
    """Step by step, as there is no GPU here."""
    x, w = problem()
    sizes = jnp.array([3, 0, 30, 1, 6])
    out, _, grads = run("triton")(x, w, sizes)
    expected, _, expected_grads = run("ragged")(x, w, sizes)
    close(out, expected, FORWARD)
    close(grads, expected_grads, GRADIENT)


def test_the_slow_form_is_taken_only_where_something_has_no_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(LAYOUTS, "blocked", lambda sizes, rows, capacity: limited(sizes, rows, 0.0))
    x, w = problem()
    backends = Backends(grouped="capacity", capacity=CAPACITY)
    expected = run("ragged")(x, w, jnp.asarray(even))[0]
    close(grouped_matmul(x, w, jnp.asarray(even), backends)[0], expected, FORWARD)
    out = grouped_matmul(x, w, jnp.asarray(one_takes_all), backends)[0]
    assert np.count_nonzero(np.asarray(out).any(axis=1)) == room(ROWS, EXPERTS, 0.0)


def test_a_missing_tokamax_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tokamax", None)
    with pytest.raises(UserError, match="the backend tokamax needs the package tokamax"):
        run("tokamax")(*problem(), jnp.asarray(even))


def test_unknown_names_are_refused_all_at_once() -> None:
    with pytest.raises(UserError, match=r"grouped 'dense' is not one of ragged.*remat 'some' is not one of none"):
        Backends(grouped="dense", remat="some")
