"""The released ``config.json`` to our configuration and back.

It says some things twice (at the top and under ``language_config``), leaves others to the code that came with it, and
could ask for things that this port does not compute; those are refused, not ignored.
"""

from collections.abc import Mapping
from typing import Any

from dsocr_jax.config import ClipConfig, DecoderConfig, ModelConfig, SamConfig
from dsocr_jax.errors import UserError

#: Largest sizes accepted: far above any such model, far below what would fill the memory with names alone.
MAX_LAYERS, MAX_EXPERTS, MAX_SIZE = 256, 1024, 1 << 24

#: What this port computes, where the original has a choice; absent means that (except `use_mla`).
ONLY: dict[str, tuple[Any, ...]] = {
    "use_mla": (False,),
    "norm_topk_prob": (False,),
    "scoring_func": ("softmax",),
    "topk_method": ("greedy", "gready"),  # the original's default is misspelt
    "n_group": (1, None),
    "topk_group": (1, None),
    "routed_scaling_factor": (1,),
    "moe_layer_freq": (1,),
    "seq_aux": (True,),
    "hidden_act": ("silu",),
    "rope_scaling": (None,),
    "attention_bias": (False,),
    "attention_dropout": (0,),
    "tie_word_embeddings": (False,),
    "quantization_config": (None,),
}

#: Numbers of the language model: our name of each, and its largest value.
NUMBERS: dict[str, tuple[str, int]] = {
    "vocab_size": ("vocab_size", MAX_SIZE),
    "hidden_size": ("hidden", MAX_SIZE),
    "num_hidden_layers": ("layers", MAX_LAYERS),
    "num_attention_heads": ("heads", MAX_SIZE),
    "num_key_value_heads": ("kv_heads", MAX_SIZE),
    "first_k_dense_replace": ("dense_layers", MAX_LAYERS),
    "intermediate_size": ("dense_ffn", MAX_SIZE),
    "n_routed_experts": ("experts", MAX_EXPERTS),
    "num_experts_per_tok": ("top_k", MAX_EXPERTS),
    "moe_intermediate_size": ("expert_ffn", MAX_SIZE),
    "n_shared_experts": ("shared_experts", MAX_EXPERTS),
    "max_position_embeddings": ("max_positions", MAX_SIZE),
}
#: Real numbers that the released file leaves to the code.
REALS = {"rope_theta": "rope_base", "rms_norm_eps": "norm_eps", "aux_loss_alpha": "router_loss"}
IDS = ("bos_token_id", "eos_token_id", "pad_token_id", "image_token_id")

_CLIP, _SAM = "clip-l-14-224", "sam_vit_b"


class _Values:
    """Nested values read by dotted path; what is missing or wrong is collected."""

    def __init__(self, values: Mapping[str, Any], problems: list[str], where: str = ""):
        self.values, self.problems, self.where = values, problems, where

    def part(self, name: str) -> "_Values":
        value = self.values.get(name)
        if not isinstance(value, Mapping):
            self.problems.append(f"{self.where}{name} is missing")
            value = {}
        return _Values(value, self.problems, f"{self.where}{name}.")

    def integer(self, name: str, most: int = MAX_SIZE, default: int | None = None, least: int = 1) -> int:
        value = self.values.get(name)
        value = default if value is None else value
        if type(value) is int and least <= value <= most:
            return value
        found = "missing" if value is None else f"{repr(value)[:40]}, not a whole number from {least} to {most}"
        self.problems.append(f"{self.where}{name} is {found}")
        return least

    def real(self, name: str, default: float) -> float:
        value = self.values.get(name, default)
        if type(value) in (int, float) and 0 < value < 1e12:
            return float(value)
        self.problems.append(f"{self.where}{name} is {repr(value)[:40]}, not a positive number")
        return default

    def integers(self, name: str, most: int, least: int, count: int | None = None) -> tuple[int, ...]:
        value = self.values.get(name)
        fits = isinstance(value, list) and len(value) <= MAX_LAYERS and count in (None, len(value))
        if fits and all(type(item) is int and least <= item <= most for item in value or ()):
            return tuple(value or ())
        self.problems.append(f"{self.where}{name} is {str(value)[:40]}, not {count or 'a list of'} whole numbers")
        return (least,) * (count or 1)

    def only(self, name: str, allowed: tuple[Any, ...]) -> None:
        value = self.values.get(name, allowed[0])
        if value not in allowed:
            self.problems.append(f"{self.where}{name} is {str(value)[:40]}, and this port computes only {allowed[0]}")


def config_from_released(values: Mapping[str, Any]) -> ModelConfig:
    """Our configuration from the content of a released ``config.json``.

    Three sizes that the released file leaves to its code may be given: ``image_token_id`` (else 128815),
    ``neck_channels`` of SAM (else 256) and ``ffn`` of CLIP (else four times its width). Modes are the released ones.

    Raises:
        UserError: listing what is missing, what contradicts itself and what this port does not compute.
    """
    problems: list[str] = []
    top = _Values(values, problems)
    language = top.part("language_config").values if "language_config" in values else {}
    known = {*ONLY, *NUMBERS, *REALS, *IDS}
    twice = sorted(name for name in known if name in values and name in language and values[name] != language[name])
    problems += [f"{name} is {values[name]!r} at the top and {language[name]!r} in language_config" for name in twice]
    merged = _Values({**values, **language}, problems)
    decoder = _decoder(merged)
    before = len(problems)
    sam, clip = _towers(top.part("vision_config"))
    projector = top.part("projector_config")
    projector.only("projector_type", ("linear",))
    # What follows from a size that is wrong itself is no second fault.
    if len(problems) == before:
        projector.only("input_dim", (clip.width + sam.compressor[1],))
    if merged.values.get("hidden_size") == decoder.hidden:
        projector.only("n_embed", (decoder.hidden,))
    top.only("tile_tag", ("2D",))
    bos, eos = (merged.integer(name, least=0) for name in ("bos_token_id", "eos_token_id"))
    pad = merged.integer("pad_token_id", least=0, default=ModelConfig.pad_token_id)
    image = merged.integer("image_token_id", least=0, default=ModelConfig.image_token_id)
    if not problems:
        try:
            return ModelConfig(
                sam, clip, decoder, bos_token_id=bos, eos_token_id=eos, pad_token_id=pad, image_token_id=image
            )
        except UserError as error:
            problems.append(str(error))
    raise UserError("\n".join(f"  {problem}" for problem in problems))


def _decoder(values: _Values) -> DecoderConfig:
    if values.values.get("use_mla") is None:  # the original's default is true
        values.problems.append("use_mla is missing; it must be given as false")
    for name, allowed in ONLY.items():
        values.only(name, allowed)
    heads = values.values.get("num_attention_heads")
    fields: dict[str, Any] = {}
    for name, (ours, most) in NUMBERS.items():
        default = heads if name == "num_key_value_heads" else None
        fields[ours] = values.integer(name, most, default, least=0 if name == "first_k_dense_replace" else 1)
    for name, ours in REALS.items():
        fields[ours] = values.real(name, getattr(DecoderConfig, ours))
    return DecoderConfig(**fields)


def _towers(vision: _Values) -> tuple[SamConfig, ClipConfig]:
    towers = vision.part("width")
    sam, clip = towers.part(_SAM), towers.part(_CLIP)
    first, second = sam.integers("downsample_channels", MAX_SIZE, 1, count=2)
    width, patch = clip.integer("width"), clip.integer("patch_size")
    return SamConfig(
        width=sam.integer("width"),
        layers=sam.integer("layers", MAX_LAYERS),
        heads=sam.integer("heads"),
        global_layers=sam.integers("global_attn_indexes", MAX_LAYERS, 0),
        grid=max(1, vision.integer("image_size") // SamConfig.patch),
        neck=sam.integer("neck_channels", default=SamConfig.neck),
        compressor=(first, second),
    ), ClipConfig(
        width=width,
        layers=clip.integer("layers", MAX_LAYERS),
        heads=clip.integer("heads"),
        ffn=clip.integer("ffn", default=4 * width),
        grid=max(1, clip.integer("image_size") // patch),
        patch=patch,
    )


def config_to_released(config: ModelConfig) -> dict[str, Any]:
    """The content of a released ``config.json`` for ``config``.

    Modes are not part of it; what the released file leaves to its code is given only where it differs from that.

    Raises:
        UserError: naming sizes that the released file cannot express.
    """
    sam, clip, decoder = config.sam, config.clip, config.decoder
    language: dict[str, Any] = {name: getattr(decoder, ours) for name, (ours, _) in NUMBERS.items()}
    language |= {name: getattr(config, name) for name in ("bos_token_id", "eos_token_id")}
    language |= {"use_mla": False, "topk_method": "greedy", "n_group": 1, "topk_group": 1}
    language |= {"lm_head": True, "rm_head": False, "q_lora_rank": None, "kv_lora_rank": None}
    language |= dict.fromkeys(("qk_nope_head_dim", "qk_rope_head_dim", "v_head_dim"), 0)
    for name, ours in REALS.items():
        if getattr(decoder, ours) != getattr(DecoderConfig, ours):
            language[name] = getattr(decoder, ours)
    sam_values: dict[str, Any] = {
        "downsample_channels": list(sam.compressor),
        "global_attn_indexes": list(sam.global_layers),
        "heads": sam.heads,
        "layers": sam.layers,
        "width": sam.width,
    }
    clip_values = {
        "heads": clip.heads,
        "image_size": clip.grid * clip.patch,
        "layers": clip.layers,
        "patch_size": clip.patch,
        "width": clip.width,
    }
    side = sam.grid * sam.patch
    released = {
        "architectures": ["DeepseekOCRForCausalLM"],
        "model_type": "deepseek_vl_v2",
        "torch_dtype": "bfloat16",
        "tile_tag": "2D",
        "global_view_pos": "head",
        "candidate_resolutions": [[side, side]],
        "language_config": {**language, "architectures": ["DeepseekV2ForCausalLM"], "torch_dtype": "bfloat16"},
        "projector_config": {
            "input_dim": clip.width + sam.compressor[1],
            "model_type": "mlp_projector",
            "n_embed": decoder.hidden,
            "projector_type": "linear",
        },
        "vision_config": {
            "image_size": side,
            "mlp_ratio": 3.7362,
            "model_name": "deeplip_b_l",
            "model_type": "vision",
            "width": {_CLIP: clip_values, _SAM: sam_values},
        },
        **language,
    }
    if sam.neck != SamConfig.neck:
        sam_values["neck_channels"] = sam.neck
    if clip.ffn != 4 * clip.width:
        clip_values["ffn"] = clip.ffn
    for name in ("pad_token_id", "image_token_id"):
        if getattr(config, name) != getattr(ModelConfig, name):
            released[name] = getattr(config, name)
    if lost := differences(config_from_released(released), config):
        raise UserError(f"the released layout cannot express {', '.join(lost)}; such a model stays in our own")
    return released


def differences(one: ModelConfig, other: ModelConfig) -> list[str]:
    """Names of the values that differ; modes, which the released layout leaves to the code, are not compared."""
    found = []
    for part in ("sam", "clip", "decoder"):
        mine, theirs = getattr(one, part), getattr(other, part)
        found += [f"{part}.{name}" for name in vars(mine) if getattr(mine, name) != getattr(theirs, name)]
    return found + [name for name in (*IDS, "rival", "grey") if getattr(one, name) != getattr(other, name)]
