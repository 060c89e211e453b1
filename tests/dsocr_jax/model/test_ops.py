"""Single functions against the original's: norms, activations, resized tables, windows, router, rotary, attention."""

import math
from functools import cache

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from dsocr_jax.config import DecoderConfig
from dsocr_jax.model.backends import Backends
from dsocr_jax.model.decoder import CausalAttention
from dsocr_jax.model.layers import RMSNorm, exact_gelu, layer_norm, quick_gelu, resize_grid, rotary_angles, rotate
from dsocr_jax.model.moe import MoE, balance
from dsocr_jax.model.ocr import causal_mask
from dsocr_jax.model.sam import RelativeAttention, relative_table, split_windows
from tests.reference import golden, weights
from tests.reference.tiny import FIXTURES


@cache
def fixture() -> tuple[dict, dict[str, golden.Entry]]:
    return golden.load("ops", FIXTURES)


def inputs(case: str) -> dict[str, np.ndarray]:
    """The inputs of a case, made from its keys as the fixtures say."""
    out = {}
    for name, spec in fixture()[0]["cases"][case]["inputs"].items():
        draws = weights.noise("ops:" + spec["key"], math.prod(spec["shape"])).astype(np.int32) - 131070
        out[name] = (draws.astype(np.float32) * np.float32(np.sqrt(3.0) / 65536 * spec["scale"])).reshape(spec["shape"])
    return out


def check(case: str, value: jax.Array | np.ndarray) -> None:
    fixture()[1][case].check(np.asarray(value))


def cases(prefix: str) -> list[str]:
    return [name for name in fixture()[0]["cases"] if name.startswith(prefix)]


def assign(module: nnx.Module, **arrays: np.ndarray) -> None:
    """Set parameters by their dotted names."""
    for name, array in arrays.items():
        *parents, last = name.split(".")
        owner = module
        for part in parents:
            owner = getattr(owner, part)
        getattr(owner, last)[...] = jnp.asarray(array)


@pytest.mark.parametrize(("case", "eps"), [("sam_layernorm", 1e-6), ("clip_layernorm", 1e-5), ("layernorm2d", 1e-6)])
def test_layer_norms(case: str, eps: float) -> None:
    given = inputs(case)
    norm = layer_norm(len(given["weight"]), eps, nnx.Rngs(0))
    assign(norm, scale=given["weight"], bias=given["bias"])
    if case == "layernorm2d":
        check(case, norm(given["x"].transpose(0, 2, 3, 1)).transpose(0, 3, 1, 2))
    else:
        check(case, norm(jnp.asarray(given["x"])))


def test_rms_norm() -> None:
    given = inputs("rmsnorm")
    norm = RMSNorm(len(given["weight"]), 1e-6)
    assign(norm, scale=given["weight"])
    check("rmsnorm", norm(jnp.asarray(given["x"])))


@pytest.mark.parametrize(
    ("case", "function"), [("sam_gelu", exact_gelu), ("clip_quick_gelu", quick_gelu), ("decoder_silu", jax.nn.silu)]
)
def test_activations(case: str, function) -> None:
    check(case, function(jnp.asarray(inputs(case)["x"])))


@pytest.mark.parametrize("case", cases("sam_pos_embed_"))
def test_sam_position_tables(case: str) -> None:
    check(case, resize_grid(jnp.asarray(inputs(case)["x"][0]), int(case.rsplit("_", maxsplit=1)[-1]))[None])


@pytest.mark.parametrize("case", cases("clip_pos_embed_"))
def test_clip_position_tables(case: str) -> None:
    table, side = inputs(case)["x"][0], int(case.rsplit("_", maxsplit=1)[-1])
    grid = resize_grid(jnp.asarray(table[1:].reshape(16, 16, -1)), side).reshape(side * side, -1)
    check(case, np.concatenate([table[:1], grid])[None])


@pytest.mark.parametrize("case", cases("rel_pos_"))
def test_relative_tables(case: str) -> None:
    check(case, relative_table(jnp.asarray(inputs(case)["x"]), int(case.rsplit("_", maxsplit=1)[-1])))


@pytest.mark.parametrize("case", cases("decomposed_bias_"))
def test_decomposed_bias(case: str) -> None:
    given, side = inputs(case), int(case.rsplit("_", maxsplit=1)[-1])
    q = jnp.asarray(given["q"]).reshape(-1, side, side, given["q"].shape[-1])
    rows = jnp.einsum("nywd,ykd->nywk", q, relative_table(jnp.asarray(given["rel_h"]), side))
    columns = jnp.einsum("nyxd,xkd->nyxk", q, relative_table(jnp.asarray(given["rel_w"]), side))
    check(case, (rows[..., :, None] + columns[..., None, :]).reshape(-1, side * side, side * side))


@pytest.mark.parametrize("case", cases("window_"))
def test_windows(case: str) -> None:
    check(case, split_windows(jnp.asarray(inputs(case)["x"]), 14))


@pytest.mark.parametrize("relative", ["plain", "folded"])
def test_window_attention(relative: str) -> None:
    given = inputs("sam_window_attention")
    attention = RelativeAttention(16, 2, 14, nnx.Rngs(0))
    assign(
        attention,
        **{"qkv.kernel": given["qkv_w"].T, "qkv.bias": given["qkv_b"]},
        **{"proj.kernel": given["proj_w"].T, "proj.bias": given["proj_b"]},
        rel_pos_h=given["rel_h"],
        rel_pos_w=given["rel_w"],
    )
    check("sam_window_attention", attention(jnp.asarray(given["x"]), Backends(relative=relative)))


MIXTURE = DecoderConfig(hidden=32, experts=16, top_k=4, expert_ffn=24, shared_experts=2)


def test_router() -> None:
    given = inputs("router")
    moe = MoE(MIXTURE, nnx.Rngs(0))
    assign(moe, **{"router.kernel": given["w"].T})
    probabilities, scales, chosen = moe.route(jnp.asarray(given["x"]))
    order = chosen.argsort(-1)
    check("router_experts", np.take_along_axis(np.asarray(chosen), np.asarray(order), -1).reshape(18, 4))
    check("router", jnp.take_along_axis(scales, order, -1).reshape(18, 4))
    check("router_aux", balance(probabilities, chosen, 0.001)[0][None])


@pytest.mark.parametrize("grouped", ["ragged", "blocked", "capacity"])
def test_mixture(grouped: str) -> None:
    given = inputs("moe")
    moe = MoE(MIXTURE, nnx.Rngs(0))
    assign(moe, **{"router.kernel": given["gate.weight"].T})
    for part in ("gate", "up", "down"):
        stacked = np.stack([given[f"experts.{e}.{part}_proj.weight"].T for e in range(16)])
        assign(moe, **{f"experts.{part}": stacked})
        assign(moe, **{f"shared.{part}.kernel": given[f"shared_experts.{part}_proj.weight"].T})
    check("moe", moe(jnp.asarray(given["x"]), backends=Backends(grouped=grouped))[0])


def test_rotary() -> None:
    q = jnp.asarray(inputs("rope")["q"]).transpose(0, 2, 1, 3)
    angles = rotary_angles(jnp.array([[0, 1, 2, 700, 4095, 8191]]), 32, 10000.0)
    check("rope", rotate(q, *angles).transpose(0, 2, 1, 3))


def test_decoder_attention() -> None:
    given = inputs("decoder_attention")
    attention = CausalAttention(DecoderConfig(hidden=64, heads=2, kv_heads=2), nnx.Rngs(0))
    assign(attention, **{f"{part}.kernel": given[f"{part}_w"].T for part in "qkvo"})
    positions = jnp.arange(11)[None]
    mask = causal_mask(jnp.ones((1, 11), jnp.int32))
    out, _ = attention(jnp.asarray(given["x"]), rotary_angles(positions, 32, 10000.0), positions, mask, None)
    check("decoder_attention", out)
