"""Compare single functions: norms, activations, resized tables, windows, router, rotary embedding, attention."""

import math
import re
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

from dsocr_jax.config import ClipConfig, DecoderConfig, SamConfig
from dsocr_jax.errors import UserError
from dsocr_jax.model.decoder import CausalAttention
from dsocr_jax.model.layers import RMSNorm, exact_gelu, layer_norm, quick_gelu, resize_grid, rotary_angles, rotate
from dsocr_jax.model.moe import MoE, balance
from dsocr_jax.model.ocr import causal_mask
from dsocr_jax.model.sam import RelativeAttention, relative_table, split_windows
from dsocr_jax.parity import synthetic
from dsocr_jax.parity.fixture import Entry
from dsocr_jax.parity.results import Comparison, Limits

STAGE = "operations"
#: Largest input that is made, in numbers.
MAX_INPUT = 1 << 26

Arrays = dict[str, np.ndarray]
#: From the inputs, the numbers in the case's name, the stored arrays and the case's description to arrays by name.
Operation = Callable[[Arrays, list[int], dict[str, Entry], str], dict[str, Any]]


def compare_operations(found: Comparison, limits: Limits) -> None:
    """Compare every case of a fixture of single functions."""
    for case, described in found.fixture.meta["cases"].items():
        match = next((match for pattern in OPERATIONS if (match := re.fullmatch(pattern, case))), None)
        if match is None:
            continue
        given = _inputs(case, described["inputs"])
        numbers = [int(text) for text in re.findall(r"\d+", case) if match.re.groups]
        results = OPERATIONS[match.re.pattern](given, numbers, found.fixture.entries, str(described.get("what", "")))
        for name, value in results.items():
            found.array(case + name, STAGE, np.asarray(value), limits.operations)


def _inputs(case: str, described: dict[str, Any]) -> Arrays:
    given = {}
    for name, spec in described.items():
        shape = tuple(spec["shape"])
        if math.prod(shape) > MAX_INPUT:
            raise UserError(f"{case}: its input {name} of {shape} is larger than any that we make")
        given[name] = synthetic.operation_input(spec["key"], shape, spec["scale"])
    return given


def _assign(module: nnx.Module, arrays: dict[str, np.ndarray]) -> None:
    """Set parameters by their dotted names."""
    for name, array in arrays.items():
        *parents, last = name.split(".")
        owner: Any = module
        for part in parents:
            owner = getattr(owner, part)
        getattr(owner, last)[...] = jnp.asarray(array)


def _norm(eps: float, channels_first: bool = False) -> Operation:
    def run(given: Arrays, _: list[int], __: dict[str, Entry], ___: str) -> dict[str, Any]:
        norm = layer_norm(len(given["weight"]), eps, nnx.Rngs(0))
        _assign(norm, {"scale": given["weight"], "bias": given["bias"]})
        x = jnp.asarray(given["x"])
        return {"": jnp.moveaxis(norm(jnp.moveaxis(x, 1, -1)), -1, 1) if channels_first else norm(x)}

    return run


def _rms_norm(given: Arrays, _: list[int], __: dict[str, Entry], ___: str) -> dict[str, Any]:
    norm = RMSNorm(len(given["weight"]), DecoderConfig.norm_eps)
    _assign(norm, {"scale": given["weight"]})
    return {"": norm(jnp.asarray(given["x"]))}


def _activation(function: Callable[[jax.Array], jax.Array]) -> Operation:
    return lambda given, *_: {"": function(jnp.asarray(given["x"]))}


def _clip_table(given: Arrays, numbers: list[int], __: dict[str, Entry], ___: str) -> dict[str, Any]:
    table, side = given["x"][0], numbers[0]
    old = math.isqrt(len(table) - 1)
    grid = resize_grid(jnp.asarray(table[1:].reshape(old, old, -1)), side).reshape(side * side, -1)
    return {"": np.concatenate([table[:1], grid])}


def _decomposed_bias(given: Arrays, numbers: list[int], __: dict[str, Entry], ___: str) -> dict[str, Any]:
    side = numbers[0]
    q = jnp.asarray(given["q"]).reshape(-1, side, side, given["q"].shape[-1])
    rows = jnp.einsum("nywd,ykd->nywk", q, relative_table(jnp.asarray(given["rel_h"]), side))
    columns = jnp.einsum("nyxd,xkd->nyxk", q, relative_table(jnp.asarray(given["rel_w"]), side))
    return {"": (rows[..., :, None] + columns[..., None, :]).reshape(-1, side * side, side * side)}


def _window_attention(given: Arrays, _: list[int], __: dict[str, Entry], ___: str) -> dict[str, Any]:
    width, side = given["x"].shape[-1], given["x"].shape[1]
    attention = RelativeAttention(width, width // given["rel_h"].shape[-1], side, nnx.Rngs(0))
    weights = {f"{part}.kernel": given[f"{part}_w"].T for part in ("qkv", "proj")}
    biases = {f"{part}.bias": given[f"{part}_b"] for part in ("qkv", "proj")}
    _assign(attention, {**weights, **biases, "rel_pos_h": given["rel_h"], "rel_pos_w": given["rel_w"]})
    return {"": attention(jnp.asarray(given["x"]))}


def _router(given: Arrays, _: list[int], stored: dict[str, Entry], __: str) -> dict[str, Any]:
    experts, hidden = given["w"].shape
    top_k = stored["router"].shape[-1]
    moe = MoE(DecoderConfig(hidden=hidden, experts=experts, top_k=top_k, expert_ffn=8, shared_experts=1), nnx.Rngs(0))
    _assign(moe, {"router.kernel": given["w"].T})
    probabilities, weights, chosen = moe.route(jnp.asarray(given["x"]))
    order = chosen.argsort(-1)
    return {
        "": jnp.take_along_axis(weights, order, -1),
        "_experts": jnp.take_along_axis(chosen, order, -1),
        "_aux": balance(probabilities, chosen, DecoderConfig.router_loss)[0],
    }


def _mixture(given: Arrays, _: list[int], __: dict[str, Entry], what: str) -> dict[str, Any]:
    experts, hidden = given["gate.weight"].shape
    width = given["experts.0.gate_proj.weight"].shape[0]
    shared = given["shared_experts.gate_proj.weight"].shape[0] // width
    # How many experts a token takes stands in the description alone.
    top_k = re.search(r"top (\d+)", what)
    if top_k is None:
        raise UserError("moe: its description does not say 'top N'; make the fixture again")
    config = DecoderConfig(hidden=hidden, experts=experts, top_k=int(top_k[1]), expert_ffn=width, shared_experts=shared)
    moe = MoE(config, nnx.Rngs(0))
    weights = {"router.kernel": given["gate.weight"].T}
    for part in ("gate", "up", "down"):
        weights[f"experts.{part}"] = np.stack([given[f"experts.{e}.{part}_proj.weight"].T for e in range(experts)])
        weights[f"shared.{part}.kernel"] = given[f"shared_experts.{part}_proj.weight"].T
    _assign(moe, weights)
    return {"": moe(jnp.asarray(given["x"]))[0]}


def _numbers(pattern: str, what: str) -> list[int]:
    match = re.search(pattern, what)
    if match is None:
        raise UserError(f"the description '{what}' does not hold what '{pattern}' looks for; make the fixture again")
    return [int(text) for text in re.findall(r"\d+", match[0])]


def _rotary(given: Arrays, _: list[int], __: dict[str, Entry], what: str) -> dict[str, Any]:
    positions = _numbers(r"positions [\d ]+", what)
    q = jnp.asarray(given["q"]).transpose(0, 2, 1, 3)
    angles = rotary_angles(jnp.array([positions]), q.shape[-1], DecoderConfig.rope_base)
    return {"": rotate(q, *angles).transpose(0, 2, 1, 3)}


def _decoder_attention(given: Arrays, _: list[int], __: dict[str, Entry], what: str) -> dict[str, Any]:
    rows, length, hidden = given["x"].shape
    heads = _numbers(r"\d+ heads", what)[0]
    attention = CausalAttention(DecoderConfig(hidden=hidden, heads=heads, kv_heads=heads), nnx.Rngs(0))
    _assign(attention, {f"{part}.kernel": given[f"{part}_w"].T for part in "qkvo"})
    positions = jnp.broadcast_to(jnp.arange(length), (rows, length))
    rope = rotary_angles(positions, hidden // heads, DecoderConfig.rope_base)
    mask = causal_mask(jnp.ones((rows, length), jnp.int32))
    return {"": attention(jnp.asarray(given["x"]), rope, positions, mask, None)[0]}


#: By the case's name; of a pattern with a group, the numbers in the name are handed on.
OPERATIONS: dict[str, Operation] = {
    "sam_layernorm": _norm(SamConfig.norm_eps),
    "clip_layernorm": _norm(ClipConfig.norm_eps),
    "layernorm2d": _norm(SamConfig.norm_eps, channels_first=True),
    "rmsnorm": _rms_norm,
    "sam_gelu": _activation(exact_gelu),
    "clip_quick_gelu": _activation(quick_gelu),
    "decoder_silu": _activation(jax.nn.silu),
    r"sam_pos_embed_(\d+)": lambda given, n, *_: {"": resize_grid(jnp.asarray(given["x"][0]), n[0])},
    r"clip_pos_embed_(\d+)": _clip_table,
    r"rel_pos_(\d+)_to_(\d+)": lambda given, n, *_: {"": relative_table(jnp.asarray(given["x"]), n[1])},
    r"decomposed_bias_(\d+)": _decomposed_bias,
    r"window_(\d+)": lambda given, *_: {"": split_windows(jnp.asarray(given["x"]), SamConfig.window)},
    "sam_window_attention": _window_attention,
    "router": _router,
    "moe": _mixture,
    "rope": _rotary,
    "decoder_attention": _decoder_attention,
}
