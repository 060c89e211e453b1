"""transformers' own modules with the same random weights as ours: an oracle that shares no code with the fixtures.

Its SAM encoder, compressor and mixture-of-experts decoder (``deepseek_ocr2``) and its CLIP encoder were written apart
from the original's remote code and from this port. Weights are random numbers under the released names.
"""

from typing import Any

import numpy as np
import torch
from transformers import CLIPVisionConfig
from transformers.models.clip.modeling_clip import CLIPEncoder
from transformers.models.deepseek_ocr2.configuration_deepseek_ocr2 import (
    DeepseekOcr2SamVisionConfig,
    DeepseekOcr2TextConfig,
)
from transformers.models.deepseek_ocr2.modeling_deepseek_ocr2 import DeepseekOcr2SamVisionEncoder, DeepseekOcr2TextModel

from dsocr_jax.config import ModelConfig

Weights = dict[str, np.ndarray]
SAM, CLIP = "model.sam_model.", "model.vision_model."


def _load(module: torch.nn.Module, weights: Weights) -> Any:
    module.load_state_dict({name: torch.from_numpy(np.array(array)) for name, array in weights.items()})
    return module.eval()


def _renamed(weights: Weights, prefix: str, *replacements: tuple[str, str]) -> Weights:
    out = {}
    for name, array in weights.items():
        if name.startswith(prefix):
            short = name.removeprefix(prefix)
            for old, new in replacements:
                short = short.replace(old, new)
            out[short] = array
    return out


def sam(config: ModelConfig, weights: Weights) -> DeepseekOcr2SamVisionEncoder:
    """Pixels ``[b, 3, S, S]`` to the compressed map ``[b, c, m, m]``."""
    sizes = config.sam
    settings = DeepseekOcr2SamVisionConfig(
        hidden_size=sizes.width,
        output_channels=sizes.neck,
        num_hidden_layers=sizes.layers,
        num_attention_heads=sizes.heads,
        image_size=sizes.grid * sizes.patch,
        patch_size=sizes.patch,
        window_size=sizes.window,
        global_attn_indexes=list(sizes.global_layers),
        downsample_channels=list(sizes.compressor),
        layer_norm_eps=sizes.norm_eps,
    )
    settings._attn_implementation = "eager"
    names = _renamed(
        weights,
        SAM,
        ("patch_embed.proj", "patch_embed.projection"),
        ("blocks.", "layers."),
        ("norm1", "layer_norm1"),
        ("norm2", "layer_norm2"),
        ("neck.0", "neck.conv1"),
        ("neck.1", "neck.layer_norm1"),
        ("neck.2", "neck.conv2"),
        ("neck.3", "neck.layer_norm2"),
        ("net_2", "proj.conv1"),
        ("net_3", "proj.conv2"),
    )
    return _load(DeepseekOcr2SamVisionEncoder(settings), names)


def clip_blocks(config: ModelConfig, weights: Weights) -> CLIPEncoder:
    """The blocks of CLIP, which take embedded tokens ``[b, s, c]``."""
    sizes = config.clip
    settings = CLIPVisionConfig(
        hidden_size=sizes.width,
        intermediate_size=sizes.ffn,
        num_hidden_layers=sizes.layers,
        num_attention_heads=sizes.heads,
        hidden_act="quick_gelu",
        layer_norm_eps=sizes.norm_eps,
    )
    settings._attn_implementation = "eager"
    names = {}
    for name, array in _renamed(weights, f"{CLIP}transformer.").items():
        if ".qkv_proj." in name:
            for part, third in zip("qkv", np.split(array, 3), strict=True):
                names[name.replace("qkv_proj", f"{part}_proj")] = third
        else:
            names[name] = array
    return _load(CLIPEncoder(settings), names)


def decoder(config: ModelConfig, weights: Weights) -> DeepseekOcr2TextModel:
    """Token ids to normalised hidden states."""
    sizes = config.decoder
    settings = DeepseekOcr2TextConfig(
        vocab_size=sizes.vocab_size,
        hidden_size=sizes.hidden,
        intermediate_size=sizes.dense_ffn,
        num_hidden_layers=sizes.layers,
        num_attention_heads=sizes.heads,
        num_key_value_heads=sizes.kv_heads,
        max_position_embeddings=sizes.max_positions,
        rms_norm_eps=sizes.norm_eps,
        rope_parameters={"rope_type": "default", "rope_theta": sizes.rope_base},
        n_routed_experts=sizes.experts,
        n_shared_experts=sizes.shared_experts,
        num_experts_per_tok=sizes.top_k,
        moe_intermediate_size=sizes.expert_ffn,
        mlp_layer_types=["dense" if i < sizes.dense_layers else "sparse" for i in range(sizes.layers)],
    )
    settings._attn_implementation = "eager"
    settings._experts_implementation = "eager"
    names = {name: array for name, array in _renamed(weights, "model.").items() if ".experts." not in name}
    names = {name: array for name, array in names.items() if name.startswith(("embed_tokens", "layers", "norm"))}
    for i in range(sizes.dense_layers, sizes.layers):
        where = f"layers.{i}.mlp.experts."

        def stacked(part: str, where: str = where) -> np.ndarray:
            return np.stack([weights[f"model.{where}{e}.{part}_proj.weight"] for e in range(sizes.experts)])

        names[f"{where}gate_up_proj"] = np.concatenate([stacked("gate"), stacked("up")], axis=1)
        names[f"{where}down_proj"] = stacked("down")
    return _load(DeepseekOcr2TextModel(settings), names)
