"""The kernels of the whole routed MLP, interpreted: what the plain form computes, forward and every gradient."""

import contextlib
import re
from collections.abc import Iterator
from functools import cache, partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from dsocr_jax.config import DecoderConfig
from dsocr_jax.model.backends import Backends
from dsocr_jax.model.kernels.grouped import Blocks
from dsocr_jax.model.kernels.routed import FEW, MANY, Tiling, choose_tiling, routed_mlp
from dsocr_jax.model.kernels.sorting import sort_by_expert
from dsocr_jax.model.moe import Experts
from dsocr_jax.model.scan import run_layers
from tests.dsocr_jax.model.close import FORWARD, GRADIENT, close

TOKENS, CHOICES, EXPERTS = 13, 3, 5
HIDDEN, INNER = 24, 40
#: Several tiles along every axis; none of them fills its last one.
TILING = Tiling(*(Blocks(rows=16, columns=16, depth=16),) * 6)
#: Of results in bfloat16 to those in float32, as a share of an array's largest number; the plain form is no nearer.
HALF = 0.01


@pytest.fixture(scope="module", autouse=True)
def quick_compilation() -> Iterator[None]:
    """Compile without optimisation: that is most of the time here."""
    before = jax.config.values["jax_disable_most_optimizations"]
    jax.config.update("jax_disable_most_optimizations", True)
    yield
    jax.config.update("jax_disable_most_optimizations", before)


def plain(x: Any, weights: Any, gate: Any, up: Any, down: Any, chosen: Any) -> jax.Array:
    """Every token through every expert, and what was not chosen left out."""
    inner = jax.nn.silu(jnp.einsum("th,ehn->ten", x, gate)) * jnp.einsum("th,ehn->ten", x, up)
    out = jnp.einsum("ten,enh->teh", inner, down).astype(jnp.float32)
    asked = jax.nn.one_hot(chosen, gate.shape[0], dtype=jnp.float32) * weights[..., None]
    return jnp.einsum("teh,tke->th", out, asked).astype(x.dtype)


def problem(
    tokens: int = TOKENS, choices: int = CHOICES, hidden: int = HIDDEN, inner: int = INNER, dtype: Any = jnp.float32
) -> list[jax.Array]:
    """Tokens, their weights, and three experts' matrices."""
    rng = np.random.default_rng(0)

    def draw(*shape: int) -> jax.Array:
        return jnp.asarray(rng.standard_normal(shape, np.float32) / np.sqrt(shape[-2]) * 2)

    weights = jax.nn.softmax(draw(tokens, choices))
    gate, up, down = draw(EXPERTS, hidden, inner), draw(EXPERTS, hidden, inner), draw(EXPERTS, inner, hidden)
    return [draw(tokens, hidden).astype(dtype), weights, *(w.astype(dtype) for w in (gate, up, down))]


def choose(how: str, tokens: int = TOKENS, choices: int = CHOICES) -> jax.Array:
    """Each token's experts."""
    if how == "one takes all":  # a router never chooses an expert twice, but the kernels need not know
        return jnp.asarray(np.full((tokens, choices), 2))
    rng = np.random.default_rng(1)
    among = {"any": np.arange(EXPERTS), "some empty": np.array([0, 1, 3])}[how]
    return jnp.asarray(np.stack([rng.permutation(among)[:choices] for _ in range(tokens)]))


@cache
def program(function: Any) -> Any:
    """A function of arguments and choice: the gradients of the result's numbers, each times a slope, and the result."""

    def loss(*given: jax.Array) -> tuple[jax.Array, jax.Array]:
        out = function(*given)
        slopes = jnp.cos(jnp.arange(out.size, dtype=jnp.float32)).reshape(out.shape)
        return jnp.sum(out.astype(jnp.float32) * slopes), out

    return jax.jit(jax.grad(loss, (0, 1, 2, 3, 4), has_aux=True))


def kernels(x: Any, weights: Any, gate: Any, up: Any, down: Any, chosen: Any, tiling: Any = TILING, g: int = 1) -> Any:
    """Of one group or several."""
    x, weights, chosen = (part.reshape(g, part.shape[0] // g, -1) for part in (x, weights, chosen))
    return routed_mlp(x, weights, gate, up, down, chosen, tiling, True).reshape(-1, x.shape[-1])


chosen_tiles = partial(kernels, tiling=None)
two_groups = partial(kernels, g=2)


def compare(function: Any, given: list[jax.Array], chosen: jax.Array) -> None:
    gradients, out = program(function)(*given, chosen)
    expected_gradients, expected = program(plain)(*given, chosen)
    close(out, expected, FORWARD)
    close(gradients, expected_gradients, GRADIENT)


@pytest.mark.parametrize("how", ["any", "some empty", "one takes all"])
def test_the_kernels_equal_the_plain_form(how: str) -> None:
    compare(kernels, problem(), choose(how))


def test_strips_beyond_the_last_column() -> None:
    """The last tile of 64 columns has two strips of 32, and the second does not exist."""
    wide = Tiling(*(Blocks(rows=16, columns=64, depth=16),) * 6)
    compare(partial(kernels, tiling=wide), problem(inner=96), choose("any"))


def test_sixteen_bits_are_as_near_as_their_rounding() -> None:
    given, chosen = problem(dtype=jnp.bfloat16), choose("some empty")
    gradients, out = program(kernels)(*given, chosen)
    close((gradients, out), program(plain)(*(a.astype(jnp.float32) for a in given), chosen), HALF)
    assert [g.dtype for g in (out, *gradients)] == [jnp.bfloat16, *(a.dtype for a in given)]


@pytest.mark.parametrize("sizes", [(1, 1, 6, 7), (40, 2, 16, 32)], ids=str)
def test_any_sizes(sizes: tuple[int, int, int, int]) -> None:
    """Narrower than any tile, and as wide as whole ones; with the tiles that are chosen for so few rows."""
    compare(chosen_tiles, problem(*sizes), choose("any", *sizes[:2]))


def test_without_gradients_nothing_is_kept() -> None:
    given, chosen = problem(), choose("any")
    run = jax.jit(kernels)
    close(run(*given, chosen), plain(*given, chosen), FORWARD)
    # The kernel has one result in place of three.
    rows = f"f32[{TOKENS * CHOICES},{INNER}]"
    assert str(jax.make_jaxpr(run)(*given, chosen)).count(f":{rows} = pallas_call") == 1


def test_groups_are_those_of_one_each() -> None:
    compare(two_groups, problem(2 * TOKENS), choose("any", 2 * TOKENS))


def test_nobody_adds_nothing() -> None:
    """A choice of one expert more than there are is that of an expert whose outputs are 0."""
    given = x, weights, gate, up, down = problem()
    chosen = choose("any").at[::3, 1].set(EXPERTS)
    wider = (jnp.concatenate([part, jnp.zeros_like(part[:1])]) for part in (gate, up, down))

    def some(x, weights, gate, up, down):
        return routed_mlp(x[None], weights[None], gate, up, down, chosen[None], None, True, True)[0]

    def loss(function, *arrays):
        return jnp.sum(jnp.sin(function(*arrays)))

    close(jax.jit(some)(*given), plain(x, weights, *wider, chosen), FORWARD)
    gradient = jax.jit(jax.grad(partial(loss, some), argnums=(0, 1, 2, 3, 4)))(*given)

    def masked(x, weights, gate, up, down):
        there = jnp.where(chosen < EXPERTS, weights, 0.0)
        return plain(x, there, gate, up, down, jnp.minimum(chosen, EXPERTS - 1))

    close(gradient, jax.jit(jax.grad(partial(loss, masked), argnums=(0, 1, 2, 3, 4)))(*given), GRADIENT)


CONFIG = DecoderConfig(hidden=HIDDEN, experts=EXPERTS, expert_ffn=INNER, top_k=CHOICES)
LAYERS = 3


def layers_loss(x: jax.Array, weights: jax.Array, layers: list[Experts], backends: Backends) -> jax.Array:
    """A function of the last of some layers of experts."""

    def call(experts: Experts, x: jax.Array) -> jax.Array:
        return x + experts(jnp.tanh(x)[None], choose("any")[None], weights[None], backends)[0][0]

    return jnp.sum(jnp.sin(run_layers(layers, x, call, backends)))


def stack_of_layers() -> list[Experts]:
    return [Experts(CONFIG, nnx.Rngs(number)) for number in range(LAYERS)]


@pytest.mark.parametrize(("remat", "again"), [("dots", set()), ("full", {"experts_gated"})])
def test_scanned_layers_that_are_computed_again(remat: str, again: set[str]) -> None:
    """With ``dots`` no kernel runs twice; with ``full`` the one whose results the backward pass needs."""
    x, weights = problem()[:2]
    layers = stack_of_layers()

    def loss(x: jax.Array, weights: jax.Array, states: list[Any], backends: Backends) -> jax.Array:
        return layers_loss(x, weights, [nnx.merge(nnx.graphdef(layers[0]), state) for state in states], backends)

    given = x, weights, [nnx.state(layer) for layer in layers]
    run = jax.jit(jax.grad(loss, (0, 1, 2)), static_argnums=3)
    compiled = run.lower(*given, Backends(grouped="triton", layers="scanned", remat=remat)).compile()
    close(compiled(*given), run(*given, Backends(grouped="ragged")), GRADIENT)
    found = set(re.findall(r"rematted_computation/(\w+)", compiled.as_text()))
    assert {name for name in found if name.startswith(("experts", "count", "place"))} == again


def test_what_a_layer_keeps(capsys: pytest.CaptureFixture[str]) -> None:
    """The two products, the pairs by expert, and the experts' sizes."""
    layers, backends = stack_of_layers()[:1], Backends(grouped="triton", remat="dots")
    jax.ad_checkpoint.print_saved_residuals(partial(layers_loss, layers=layers, backends=backends), *problem()[:2])
    kept = [line.split()[0] for line in capsys.readouterr().out.splitlines() if "expert_product" in line]
    rows = TOKENS * CHOICES
    assert sorted(kept) == sorted([f"f32[1,{rows},{INNER}]"] * 2 + [f"i32[1,{rows}]", f"i32[1,{EXPERTS}]"])


@pytest.mark.parametrize(("rows", "experts"), [(1, 3), (128, 1), (129, 5), (3000, 64), (40_000, 6)])
def test_sorting(rows: int, experts: int) -> None:
    """One step, several steps, and several steps of several chunks."""
    ids = jnp.asarray(np.random.default_rng(rows).integers(0, experts, rows))
    order, sizes = jax.jit(partial(sort_by_expert, experts=experts, interpret=True))(ids)
    np.testing.assert_array_equal(order, np.argsort(ids, stable=True))
    np.testing.assert_array_equal(sizes, np.bincount(ids, minlength=experts))
    assert order.dtype == sizes.dtype == jnp.int32


def test_few_rows_and_wide_numbers_take_small_tiles() -> None:
    assert choose_tiling(64, 64, jnp.bfloat16) == FEW
    assert choose_tiling(16_384 * 6, 64, jnp.bfloat16) == MANY
    assert choose_tiling(16_384 * 6, 64, jnp.float32) == FEW


def hopper() -> contextlib.AbstractContextManager[Any]:
    """What newer JAX asks for where kernels are compiled without the GPU that will run them."""
    if not hasattr(jax.sharding, "AbstractDevice"):
        return contextlib.nullcontext()
    device = jax.sharding.AbstractDevice(device_kind="NVIDIA H100 80GB HBM3", num_cores=132, platform="gpu")
    return jax.sharding.use_abstract_mesh(jax.sharding.AbstractMesh((), (), abstract_device=device))


@pytest.mark.parametrize("tokens", [16_384, 100])
def test_the_kernels_are_written_for_a_gpu(tokens: int) -> None:
    """Every kernel becomes a Triton program, at the sizes of the released model: the interpreter allows more."""
    h, n, experts, k = 1280, 896, 64, 6
    shapes = [(1, tokens, h), (1, tokens, k), (experts, h, n), (experts, h, n), (experts, n, h)]
    types = [jnp.bfloat16, jnp.float32, *(jnp.bfloat16,) * 3]
    given = [jax.ShapeDtypeStruct(shape, dtype) for shape, dtype in zip(shapes, types, strict=True)]
    function = jax.value_and_grad(lambda *a: jnp.sum(routed_mlp(*a).astype(jnp.float32)), (0, 1, 2, 3, 4))
    with hopper():
        traced = jax.jit(function).trace(*given, jax.ShapeDtypeStruct((1, tokens, k), jnp.int32))
        text = traced.lower(lowering_platforms=("cuda",)).as_text()
    assert text.count("__gpu$xla.gpu.triton") == 8


@pytest.mark.gpu
@pytest.mark.parametrize("inner", [136, 320])
@pytest.mark.parametrize("tiling", [None, MANY], ids=["chosen", "many"])
def test_the_compiled_kernels_on_a_gpu(tiling: Tiling | None, inner: int) -> None:
    given, chosen = problem(700, hidden=200, inner=inner, dtype=jnp.bfloat16), choose("any", 700)

    def compiled(x: Any, weights: Any, gate: Any, up: Any, down: Any, chosen: Any) -> jax.Array:
        return routed_mlp(x[None], weights[None], gate, up, down, chosen[None], tiling, False)[0]

    gradients, out = program(compiled)(*given, chosen)
    close((gradients, out), program(plain)(*(a.astype(jnp.float32) for a in given), chosen), 2 * HALF)
