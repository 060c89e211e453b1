"""Scanned layers, with and without computing parts again, equal layers one by one."""

from functools import cache

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx
from hypothesis import given
from hypothesis import strategies as st

from dsocr_jax.model.backends import Backends
from dsocr_jax.model.scan import Run, find_runs, run_layers, stack_arrays, unstack_arrays
from dsocr_jax.weights.params import flatten, unflatten
from tests.dsocr_jax.model import small
from tests.dsocr_jax.model.close import FORWARD, GRADIENT, close


@pytest.mark.parametrize(
    ("kinds", "runs"),
    [
        ("wwgwwgwwgwwg", [Run(0, 3, 4)]),
        ("dmmmm", [Run(0, 1, 1), Run(1, 1, 4)]),
        ("cccc", [Run(0, 1, 4)]),
        ("wwg", [Run(0, 1, 2), Run(2, 1, 1)]),
        ("d", [Run(0, 1, 1)]),
        ("", []),
    ],
)
def test_runs(kinds: str, runs: list[Run]) -> None:
    assert find_runs(kinds) == runs


@given(st.text("abc", max_size=14))
def test_runs_hold_every_layer_once_and_in_order(kinds: str) -> None:
    written = "".join(kinds[run.first : run.first + run.period] * run.repeats for run in find_runs(kinds))
    assert written == kinds


class Layer(nnx.Module):
    def __init__(self, w: jax.Array):
        self.w = nnx.Param(w)

    def __call__(self, x: jax.Array) -> jax.Array:
        return jnp.tanh(x @ self.w[...])


LAYERS, WIDTH = 6, 128
NAMES = [f"x/layers/{i}/w" for i in range(LAYERS)]


@cache
def arrays() -> dict[str, jax.Array]:
    rng = np.random.default_rng(0)
    return {name: jnp.asarray(rng.normal(0, WIDTH**-0.5, (WIDTH, WIDTH)), jnp.float32) for name in NAMES}


def loss(arrays: dict[str, jax.Array], x: jax.Array, backends: Backends) -> jax.Array:
    """Of layers that are stored one by one, or stacked."""
    arrays = unstack_arrays(arrays)
    return jnp.sum(run_layers([Layer(arrays[name]) for name in NAMES], x, lambda layer, x: layer(x), backends) ** 2)


INPUT = jnp.asarray(np.random.default_rng(1).standard_normal((4, WIDTH), np.float32))
run = jax.jit(jax.value_and_grad(loss))


@pytest.mark.parametrize("remat", ["none", "dots", "full"])
@pytest.mark.parametrize("layers", ["unrolled", "scanned"])
def test_layers_give_the_same_however_they_are_run(layers: str, remat: str) -> None:
    expected, gradients = run(arrays(), INPUT, Backends())
    found, found_gradients = run(arrays(), INPUT, Backends(layers=layers, remat=remat))
    close(found, expected, FORWARD)
    close(found_gradients, gradients, GRADIENT)


def test_a_stacked_state_gives_the_same() -> None:
    expected, gradients = run(arrays(), INPUT, Backends())
    found, found_gradients = run(stack_arrays(arrays()), INPUT, Backends(layers="scanned"))
    close(found, expected, FORWARD)
    close(unstack_arrays(found_gradients), gradients, GRADIENT)


@pytest.mark.parametrize("remat", ["none", "dots", "full"])
def test_what_the_backward_pass_finds_kept(remat: str) -> None:
    """Products of the forward pass are made once, or once more where they are not kept."""
    text = jax.jit(jax.grad(loss)).lower(arrays(), INPUT, Backends(remat=remat)).as_text()
    # The first layer's input needs no gradient.
    assert text.count("stablehlo.dot_general") == {"none": 3, "dots": 3, "full": 4}[remat] * LAYERS - 1


def test_the_model_is_the_same() -> None:
    backends = Backends(relative="folded", grouped="capacity", layers="scanned", remat="dots")
    (out, gradients), (found, found_gradients) = small.compute(small.PLAIN), small.compute(backends)
    close(found, out, FORWARD)
    close(found_gradients, gradients, GRADIENT)


def test_scanned_layers_compile_one_body() -> None:
    params, data = small.parameters()[1], small.batch()

    def products(layers: str) -> int:
        jaxpr = jax.make_jaxpr(lambda p: small.loss_of(p, data, Backends(layers=layers)))(params)
        return str(jaxpr).count("dot_general")

    assert products("scanned") < 0.7 * products("unrolled")


def test_stacks_and_back() -> None:
    arrays = flatten(small.parameters()[1])
    stacked = stack_arrays(arrays)
    assert stacked["decoder/layers/1-2by1/moe/experts/gate"].shape == (2, 8, 32, 16)
    assert stacked["encoder/sam/blocks/0-3by2/attn/qkv/kernel"].shape == (2, 16, 48)
    assert "decoder/layers/0/mlp/gate/kernel" in stacked
    assert "encoder/clip/blocks/0-1by1/mlp/fc1/bias" in stacked
    back = flatten(unflatten(small.CONFIG, unstack_arrays(stacked)))
    assert back.keys() == arrays.keys()
    for name, array in arrays.items():
        np.testing.assert_array_equal(back[name], array)


@pytest.mark.parametrize("stacked", [True, False])
def test_only_a_state_stacked_once_is_not_copied(stacked: bool) -> None:
    """The compiler drops taking apart and stacking again, forward and backward."""
    given = stack_arrays(arrays()) if stacked else arrays()
    jax.config.update("jax_disable_most_optimizations", False)
    compiled = run.lower(given, INPUT, Backends(layers="scanned", remat="full")).compile()
    jax.config.update("jax_disable_most_optimizations", True)
    assert (compiled.memory_analysis().temp_size_in_bytes < 4 * LAYERS * WIDTH * WIDTH) == stacked
