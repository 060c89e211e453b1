"""The model with each of its parts replaced by one that brings its own parameters and notes what it returns.

The code that runs is the model's own, from `DeepseekOCR.hidden_states` down; only the parts (a block, a layer, a norm)
are wrapped. A part's parameters are made, used and dropped, so a model far larger than the memory can be compared, and
every part's output can be looked at.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

from dsocr_jax.model.decoder import DecoderLayer
from dsocr_jax.model.encoder import DeepEncoder
from dsocr_jax.model.ocr import DeepseekOCR
from dsocr_jax.parity.source import Parameters
from dsocr_jax.weights.params import abstract_model, path_name

#: Where a part's arguments go that are arrays, among those that are not.
_ARRAY = "array"


class Recorder:
    """What the parts returned: by name, one array for each call."""

    def __init__(self) -> None:
        self.calls: dict[str, list[np.ndarray]] = {}

    def note(self, name: str, value: jax.Array) -> None:
        """Add one call's array."""
        self.calls.setdefault(name, []).append(np.asarray(value))

    def clear(self) -> None:
        """Forget all calls."""
        self.calls.clear()


Note = Callable[[tuple[Any, ...], Any, dict[str, jax.Array]], None]


class Part:
    """One module of the model, callable like it.

    Args:
        module: without parameters (shapes only).
        path: of the module in the model, such as ``decoder/layers/3``.
        parameters: where its parameters come from.
        note: called with the arguments, the result and what the router chose.
    """

    def __init__(self, module: nnx.Module, path: str, parameters: Parameters, note: Note | None = None):
        self._graphdef, state = nnx.split(module, nnx.Param)[:2]
        leaves, self._structure = jax.tree_util.tree_flatten_with_path(state)
        self._paths = [f"{path}/{path_name(key)}" for key, _ in leaves]
        self._parameters, self._note = parameters, note

    def __call__(self, *args: Any) -> Any:
        """Run the module as the model does."""
        state = jax.tree_util.tree_unflatten(self._structure, self._parameters.take(self._paths))
        fixed = tuple(value if value is None or isinstance(value, int | str) else _ARRAY for value in args)
        arrays = [value for value in args if not (value is None or isinstance(value, int | str))]
        result, routed = _call(self._graphdef, fixed, state, arrays)
        jax.block_until_ready(result)
        if self._note:
            self._note(args, result, routed)
        return result


@partial(jax.jit, static_argnums=(0, 1))
def _call(
    graphdef: Any, fixed: tuple[Any, ...], state: nnx.State, arrays: list[Any]
) -> tuple[Any, dict[str, jax.Array]]:
    """Run a module; equal structures share one compilation."""
    module: Any = nnx.merge(graphdef, state)
    rest = iter(arrays)
    args = [next(rest) if value == _ARRAY else value for value in fixed]
    routed: dict[str, jax.Array] = {}
    if isinstance(module, DecoderLayer) and not module.dense:
        route = module.moe.route

        def noted(x: jax.Array) -> tuple[jax.Array, jax.Array, jax.Array]:
            probabilities, weights, chosen = route(x)
            routed.update(probabilities=probabilities, weights=weights, chosen=chosen)
            return probabilities, weights, chosen

        setattr(module.moe, "route", noted)  # noqa: B010 (an attribute over a method)
    return module(*args), routed


class RememberedEncoder:
    """An encoder that reads the same views once, however many continuations of them are asked for."""

    def __init__(self, encoder: DeepEncoder):
        self.encoder = encoder
        self._views: dict[int, Any] | None = None
        self._table: Any = None

    def vision_table(self, views: Mapping[int, Any]) -> jax.Array:
        """Return what the encoder's own function returns."""
        known = self._views
        if known is None or known.keys() != views.keys() or any(views[size] is not known[size] for size in views):
            self._table, self._views = self.encoder.vision_table(views), dict(views)
        return self._table


def streamed_model(parameters: Parameters, recorder: Recorder) -> DeepseekOCR:
    """Return the model in parts; the encoder's parts are called once for each size of the views."""
    model: Any = nnx.merge(*abstract_model(parameters.config))
    _split_encoder(model.encoder, parameters, recorder)
    model.encoder = RememberedEncoder(model.encoder)
    decoder = model.decoder
    decoder.embed = Part(decoder.embed, "decoder/embed", parameters)
    decoder.layers = [
        Part(layer, f"decoder/layers/{i}", parameters, _layer_tap(recorder, i))
        for i, layer in enumerate(decoder.layers)
    ]
    decoder.norm = Part(decoder.norm, "decoder/norm", parameters, _tap(recorder, "tap_dec_norm"))
    decoder.lm_head = Part(decoder.lm_head, "decoder/lm_head", parameters)
    return model


def _split_encoder(encoder: Any, parameters: Parameters, recorder: Recorder) -> None:
    def part(owner: Any, attribute: str, path: str, note: Note) -> None:
        setattr(owner, attribute, Part(getattr(owner, attribute), f"encoder/{path}", parameters, note))

    def parts(owner: Any, path: str, tap: str) -> None:
        wrapped = [
            Part(block, f"encoder/{path}/{i}", parameters, _tap(recorder, f"{tap}{i}"))
            for i, block in enumerate(owner.blocks)
        ]
        owner.blocks = wrapped

    def array(owner: Any, attribute: str, path: str) -> None:
        setattr(owner, attribute, nnx.Param(parameters.take([f"encoder/{path}"])[0]))

    def around_norm(args: tuple[Any, ...], result: Any, _: Any) -> None:
        recorder.note("tap_clip_embed", args[0])
        recorder.note("tap_clip_preln", result)

    sam, clip = encoder.sam, encoder.clip
    array(sam, "pos_embed", "sam/pos_embed")
    part(sam, "patch_embed", "sam/patch_embed", _tap(recorder, "tap_sam_patch"))
    parts(sam, "sam/blocks", "tap_sam_block")
    part(sam, "neck", "sam/neck", _tap(recorder, "tap_sam_neck"))
    part(sam.compressor, "conv1", "sam/compressor/conv1", _tap(recorder, "tap_sam_net2"))
    part(sam.compressor, "conv2", "sam/compressor/conv2", _tap(recorder, "sam"))
    array(clip, "class_embed", "clip/class_embed")
    array(clip, "pos_embed", "clip/pos_embed")
    part(clip, "pre_norm", "clip/pre_norm", around_norm)
    parts(clip, "clip/blocks", "tap_clip_layer")
    part(encoder, "projector", "projector", _tap(recorder, "proj"))
    array(encoder, "image_newline", "image_newline")
    array(encoder, "view_separator", "view_separator")


def _tap(recorder: Recorder, name: str) -> Note:
    return lambda args, result, routed: recorder.note(name, result)


def _layer_tap(recorder: Recorder, i: int) -> Note:
    def note(args: tuple[Any, ...], result: Any, routed: dict[str, jax.Array]) -> None:
        recorder.note(f"tap_dec_layer{i}", result[0])
        if routed:
            recorder.note(f"aux{i}", result[2].loss)
            for name, value in rising(**routed).items():
                recorder.note(f"router{i}_{name}", value)

    return note


def rising(probabilities: jax.Array, weights: jax.Array, chosen: jax.Array) -> dict[str, jax.Array]:
    """Return the choices in the order of the experts' numbers, and how clear each choice was.

    The margin is the logit of the last expert chosen less that of the first not chosen; a difference of logits is one
    of logarithms of probabilities.
    """
    order = chosen.argsort(-1)
    logs = jnp.log(jax.lax.top_k(probabilities, min(chosen.shape[-1] + 1, probabilities.shape[-1]))[0])
    return {
        "experts": jnp.take_along_axis(chosen, order, -1),
        "weights": jnp.take_along_axis(weights, order, -1),
        "margin": logs[..., chosen.shape[-1] - 1] - logs[..., -1],
    }
