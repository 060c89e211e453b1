"""Models of DeepSeek-OCR's shape by the released names, and folders of synthetic weights in the released layout.

The names and shapes of all tensors are written down here apart from the program's own table; the recipe of their
values is the program's (`dsocr_jax.parity.synthetic`).

Command line, one released-layout checkpoint folder::

    python -m tests.reference.weights --config tiny --seed s0 OUT      # or full, or a JSON file
"""

import argparse
import copy
import json
import math
import struct
from pathlib import Path

import numpy as np

from dsocr_jax.parity.synthetic import image, noise, tensor

__all__ = ["CONFIGS", "image", "make_config", "noise", "tensor", "tensor_shapes", "write_checkpoint"]

SHARD = "model-00001-of-000001.safetensors"


def make_config(
    *,
    sam_width,
    sam_layers,
    sam_heads,
    sam_global,
    neck,
    down,
    clip_width,
    clip_layers,
    clip_heads,
    hidden,
    layers,
    heads,
    dense,
    experts,
    top_k,
    expert_dim,
    shared,
    vocab,
    image_token_id,
    clip_ffn=None,
    image_size=1024,
    max_positions=8192,
):
    """A config with the key names of the released ``config.json``.

    Sizes that the released file leaves to the code are extra keys:
    ``image_token_id``, ``sam_vit_b.neck_channels`` and ``clip-l-14-224.ffn``.
    """
    lm = {
        "bos_token_id": 0,
        "eos_token_id": 1,
        "first_k_dense_replace": 1,
        "hidden_size": hidden,
        "intermediate_size": dense,
        "kv_lora_rank": None,
        "lm_head": True,
        "max_position_embeddings": max_positions,
        "moe_intermediate_size": expert_dim,
        "n_group": 1,
        "n_routed_experts": experts,
        "n_shared_experts": shared,
        "num_attention_heads": heads,
        "num_experts_per_tok": top_k,
        "num_hidden_layers": layers,
        "num_key_value_heads": heads,
        "q_lora_rank": None,
        "qk_nope_head_dim": 0,
        "qk_rope_head_dim": 0,
        "rm_head": False,
        "topk_group": 1,
        "topk_method": "greedy",
        "use_mla": False,
        "v_head_dim": 0,
        "vocab_size": vocab,
    }
    return {
        "architectures": ["DeepseekOCRForCausalLM"],
        "model_type": "deepseek_vl_v2",
        "torch_dtype": "bfloat16",
        "tile_tag": "2D",
        "global_view_pos": "head",
        "candidate_resolutions": [[image_size, image_size]],
        "image_token_id": image_token_id,
        "language_config": {**lm, "architectures": ["DeepseekV2ForCausalLM"], "torch_dtype": "bfloat16"},
        "projector_config": {
            "input_dim": clip_width + down[1],
            "model_type": "mlp_projector",
            "n_embed": hidden,
            "projector_type": "linear",
        },
        "vision_config": {
            "image_size": image_size,
            "mlp_ratio": 3.7362,
            "model_name": "deeplip_b_l",
            "model_type": "vision",
            "width": {
                "clip-l-14-224": {
                    "heads": clip_heads,
                    "image_size": 224,
                    "layers": clip_layers,
                    "patch_size": 14,
                    "width": clip_width,
                    "ffn": clip_ffn or 4 * clip_width,
                },
                "sam_vit_b": {
                    "downsample_channels": list(down),
                    "global_attn_indexes": list(sam_global),
                    "heads": sam_heads,
                    "layers": sam_layers,
                    "width": sam_width,
                    "neck_channels": neck,
                },
            },
        },
        **copy.deepcopy(lm),
    }


CONFIGS = {
    "full": make_config(
        sam_width=768,
        sam_layers=12,
        sam_heads=12,
        sam_global=[2, 5, 8, 11],
        neck=256,
        down=[512, 1024],
        clip_width=1024,
        clip_layers=24,
        clip_heads=16,
        hidden=1280,
        layers=12,
        heads=10,
        dense=6848,
        experts=64,
        top_k=6,
        expert_dim=896,
        shared=2,
        vocab=129280,
        image_token_id=128815,
    ),
    "tiny": make_config(
        sam_width=64,
        sam_layers=4,
        sam_heads=2,
        sam_global=[1, 3],
        neck=32,
        down=[64, 96],
        clip_width=96,
        clip_layers=3,
        clip_heads=4,
        hidden=80,
        layers=3,
        heads=4,
        dense=160,
        experts=8,
        top_k=3,
        expert_dim=56,
        shared=2,
        vocab=512,
        image_token_id=500,
    ),
}


def tensor_shapes(config):  # noqa: PLR0915 (one statement a tensor)
    """Ordered ``{name: shape}`` of every tensor, in PyTorch layout."""
    lm, shapes = config["language_config"], {}
    sam = config["vision_config"]["width"]["sam_vit_b"]
    clip = config["vision_config"]["width"]["clip-l-14-224"]
    grid = config["vision_config"]["image_size"] // 16

    def linear(name, out, inp, bias=True):
        shapes[name + ".weight"] = (out, inp)
        if bias:
            shapes[name + ".bias"] = (out,)

    def norm(name, width):
        shapes[name + ".weight"] = shapes[name + ".bias"] = (width,)

    # decoder
    hid = lm["hidden_size"]
    shapes["model.embed_tokens.weight"] = (lm["vocab_size"], hid)
    for i in range(lm["num_hidden_layers"]):
        pre = f"model.layers.{i}."
        for p in "qkvo":
            linear(f"{pre}self_attn.{p}_proj", hid, hid, bias=False)

        def mlp(name, width):
            linear(name + ".gate_proj", width, hid, bias=False)
            linear(name + ".up_proj", width, hid, bias=False)
            linear(name + ".down_proj", hid, width, bias=False)

        if i < lm["first_k_dense_replace"]:
            mlp(pre + "mlp", lm["intermediate_size"])
        else:
            for e in range(lm["n_routed_experts"]):
                mlp(f"{pre}mlp.experts.{e}", lm["moe_intermediate_size"])
            linear(pre + "mlp.gate", lm["n_routed_experts"], hid, bias=False)
            mlp(pre + "mlp.shared_experts", lm["moe_intermediate_size"] * lm["n_shared_experts"])
        shapes[pre + "input_layernorm.weight"] = (hid,)
        shapes[pre + "post_attention_layernorm.weight"] = (hid,)
    shapes["model.norm.weight"] = (hid,)
    linear("lm_head", lm["vocab_size"], hid, bias=False)

    # glue between the encoder and the decoder
    shapes["model.image_newline"] = shapes["model.view_seperator"] = (hid,)
    linear("model.projector.layers", config["projector_config"]["n_embed"], config["projector_config"]["input_dim"])

    # SAM and its two-convolution compressor
    w, neck, (mid, out) = sam["width"], sam["neck_channels"], sam["downsample_channels"]
    shapes["model.sam_model.pos_embed"] = (1, grid, grid, w)
    shapes["model.sam_model.patch_embed.proj.weight"] = (w, 3, 16, 16)
    shapes["model.sam_model.patch_embed.proj.bias"] = (w,)
    for i in range(sam["layers"]):
        pre = f"model.sam_model.blocks.{i}."
        norm(pre + "norm1", w)
        rel = (2 * (grid if i in sam["global_attn_indexes"] else 14) - 1, w // sam["heads"])
        shapes[pre + "attn.rel_pos_h"] = shapes[pre + "attn.rel_pos_w"] = rel
        linear(pre + "attn.qkv", 3 * w, w)
        linear(pre + "attn.proj", w, w)
        norm(pre + "norm2", w)
        linear(pre + "mlp.lin1", 4 * w, w)
        linear(pre + "mlp.lin2", w, 4 * w)
    shapes["model.sam_model.neck.0.weight"] = (neck, w, 1, 1)
    norm("model.sam_model.neck.1", neck)
    shapes["model.sam_model.neck.2.weight"] = (neck, neck, 3, 3)
    norm("model.sam_model.neck.3", neck)
    shapes["model.sam_model.net_2.weight"] = (mid, neck, 3, 3)
    shapes["model.sam_model.net_3.weight"] = (out, mid, 3, 3)

    # CLIP
    w, patch = clip["width"], clip["patch_size"]
    shapes["model.vision_model.embeddings.class_embedding"] = (w,)
    shapes["model.vision_model.embeddings.patch_embedding.weight"] = (w, 3, patch, patch)
    shapes["model.vision_model.embeddings.position_embedding.weight"] = ((clip["image_size"] // patch) ** 2 + 1, w)
    for i in range(clip["layers"]):
        pre = f"model.vision_model.transformer.layers.{i}."
        linear(pre + "self_attn.qkv_proj", 3 * w, w)
        linear(pre + "self_attn.out_proj", w, w)
        linear(pre + "mlp.fc1", clip["ffn"], w)
        linear(pre + "mlp.fc2", w, clip["ffn"])
        norm(pre + "layer_norm1", w)
        norm(pre + "layer_norm2", w)
    norm("model.vision_model.pre_layrnorm", w)
    return shapes


def write_checkpoint(folder, config, seed):
    """Write config.json, the index and one safetensors shard, one tensor in memory at a time."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    shapes = tensor_shapes(config)
    header, end = {"__metadata__": {"format": "pt"}}, 0
    for name in sorted(shapes):
        start, end = end, end + 2 * math.prod(shapes[name])
        header[name] = {"dtype": "BF16", "shape": list(shapes[name]), "data_offsets": [start, end]}
    head = json.dumps(header).encode()
    head += b" " * (-len(head) % 8)
    with (folder / SHARD).open("wb") as f:
        f.write(struct.pack("<Q", len(head)) + head)
        for name in sorted(shapes):
            f.write(tensor(name, shapes[name], seed).view(np.uint16).astype("<u2").tobytes())
    index = {"metadata": {"total_size": end}, "weight_map": dict.fromkeys(sorted(shapes), SHARD)}
    for name, value in (("config.json", config), ("model.safetensors.index.json", index)):
        (folder / name).write_text(json.dumps(value, indent=1, sort_keys=True))


def main():
    parser = argparse.ArgumentParser(description="Write a synthetic checkpoint in the released layout.")
    parser.add_argument("folder", help="where to write")
    parser.add_argument("--config", default="tiny", help="tiny, full or the path of a config JSON")
    parser.add_argument("--seed", default="s0")
    args = parser.parse_args()
    config = CONFIGS.get(args.config) or json.loads(Path(args.config).read_text())
    write_checkpoint(args.folder, config, args.seed)
    shapes = tensor_shapes(config)
    print(len(shapes), "tensors,", sum(map(math.prod, shapes.values())), "parameters")


if __name__ == "__main__":
    main()
