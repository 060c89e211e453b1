"""Every size of the model, as frozen dataclasses, with the named presets.

Nothing else in the package knows a size: the released model, the one of the tests and the one that
learns on two CPU cores differ only in the values here.
"""

import dataclasses
from collections.abc import Mapping
from typing import Any, Literal

from dsocr_jax.errors import UserError
from dsocr_jax.modes import MODES, Mode


@dataclasses.dataclass(frozen=True)
class SamConfig:
    """The SAM ViT tower and the two-convolution compressor behind it (paper, section 3.2)."""

    width: int = 768
    layers: int = 12
    heads: int = 12
    #: Layers that attend to the whole picture; the others attend within windows.
    global_layers: tuple[int, ...] = (2, 5, 8, 11)
    #: Side of an attention window, in patches.
    window: int = 14
    #: Side of a patch, in pixels.
    patch: int = 16
    #: Side of the stored position table, in patches; other sizes resize it.
    grid: int = 64
    #: Channels of the neck.
    neck: int = 256
    #: Output channels of the two stride-2 convolutions.
    compressor: tuple[int, int] = (512, 1024)
    mlp_ratio: int = 4
    norm_eps: float = 1e-6


@dataclasses.dataclass(frozen=True)
class ClipConfig:
    """The CLIP ViT tower, which takes its patches from SAM."""

    width: int = 1024
    layers: int = 24
    heads: int = 16
    ffn: int = 4096
    #: Side of the stored position table, in tokens.
    grid: int = 16
    #: Side of the patches of the stored, never used patch embedding, in pixels.
    patch: int = 14
    norm_eps: float = 1e-5


@dataclasses.dataclass(frozen=True)
class DecoderConfig:
    """The mixture-of-experts language model (DeepSeek3B-MoE)."""

    vocab_size: int = 129280
    hidden: int = 1280
    layers: int = 12
    heads: int = 10
    kv_heads: int = 10
    #: The first layers are dense; set it to ``layers`` for a dense model.
    dense_layers: int = 1
    dense_ffn: int = 6848
    experts: int = 64
    top_k: int = 6
    expert_ffn: int = 896
    #: Shared experts are stored as one, this many times ``expert_ffn`` wide.
    shared_experts: int = 2
    max_positions: int = 8192
    rope_base: float = 10000.0
    norm_eps: float = 1e-6
    #: Weight of the router's balance loss.
    router_loss: float = 0.001


@dataclasses.dataclass(frozen=True)
class RivalConfig:
    """A simple rival of the encoder: it is given a page's own text, and no picture (`dsocr_jax.model.rivals`)."""

    #: Means of equal windows of the text's embeddings; learned convolutions over them; or its first embeddings.
    kind: Literal["mean", "convolved", "truncated"] = "mean"
    #: Most text tokens for each vector, a power of two: convolutions halve it until one is left. A truncated text has
    #: one token a vector, whatever its length.
    window: int = 32

    @property
    def width(self) -> int:
        """Room for text tokens behind each vector."""
        return 1 if self.kind == "truncated" else self.window

    def __post_init__(self) -> None:
        """Refuse what means nothing."""
        if self.kind not in RIVALS:
            raise UserError(f"model configuration: no rival is called {self.kind!r} (known: {', '.join(RIVALS)})")
        if self.window < 2 or self.window & (self.window - 1):
            raise UserError(f"model configuration: rival.window must be a power of two from 2 on, not {self.window}")


#: What `RivalConfig.kind` may be.
RIVALS = ("mean", "convolved", "truncated")


@dataclasses.dataclass(frozen=True)
class ModelConfig:
    """The whole model, the ids that it gives a meaning to, and the modes that it reads in."""

    sam: SamConfig = SamConfig()
    clip: ClipConfig = ClipConfig()
    decoder: DecoderConfig = DecoderConfig()
    modes: tuple[Mode, ...] = tuple(MODES.values())
    bos_token_id: int = 0
    eos_token_id: int = 1
    pad_token_id: int = 2
    image_token_id: int = 128815
    #: Takes the place of the encoder; None for the model that reads pictures.
    rival: RivalConfig | None = None
    #: Views have one channel, which is taken for all three: a third of the bytes while a model learns from grey pages.
    grey: bool = False

    @property
    def stride(self) -> int:
        """Pixels per side of one vision token: the patch, halved twice by the compressor."""
        return self.sam.patch * 4

    def __post_init__(self) -> None:
        """Refuse sizes that do not fit together, all of them at once."""
        sam, clip, decoder = self.sam, self.clip, self.decoder
        checks = {
            "sam.width must be a multiple of sam.heads": sam.width % sam.heads == 0,
            "clip.width must be a multiple of clip.heads": clip.width % clip.heads == 0,
            "clip.width must equal the last of sam.compressor": clip.width == sam.compressor[1],
            "sam.global_layers must lie below sam.layers": all(0 <= i < sam.layers for i in sam.global_layers),
            "decoder.hidden must be a multiple of 2 * decoder.heads": decoder.hidden % (2 * decoder.heads) == 0,
            "decoder.heads must be a multiple of decoder.kv_heads": decoder.heads % decoder.kv_heads == 0,
            "decoder.top_k must not exceed decoder.experts": decoder.top_k <= decoder.experts or self._dense(),
            "the special token ids must lie below decoder.vocab_size": max(
                self.bos_token_id, self.eos_token_id, self.pad_token_id, self.image_token_id
            )
            < decoder.vocab_size,
            f"every mode's sizes must be multiples of {self.stride} pixels": all(
                size % self.stride == 0 for mode in self.modes for size in (mode.base_size, mode.tile_size)
            ),
        }
        broken = [rule for rule, holds in checks.items() if not holds]
        if broken:
            raise UserError("model configuration: " + "; ".join(broken))

    def _dense(self) -> bool:
        return self.decoder.dense_layers >= self.decoder.layers


def _test_preset() -> ModelConfig:
    return ModelConfig(
        sam=SamConfig(width=64, layers=4, heads=2, global_layers=(1, 3), neck=32, compressor=(64, 96)),
        clip=ClipConfig(width=96, layers=3, heads=4, ffn=384),
        decoder=DecoderConfig(
            vocab_size=512,
            hidden=80,
            layers=3,
            heads=4,
            kv_heads=4,
            dense_ffn=160,
            experts=8,
            top_k=3,
            expert_ffn=56,
        ),
        image_token_id=500,
    )


def _nano_preset() -> ModelConfig:
    modes = (
        Mode("tiny", base_size=128, tile_size=128, crop=False, fit="stretch"),
        Mode("small", base_size=192, tile_size=192, crop=False, fit="stretch"),
        Mode("base", base_size=256, tile_size=256, crop=False, fit="pad"),
        Mode("gundam", base_size=192, tile_size=128, crop=True, fit="pad", max_tiles=6, tile_threshold=192),
    )
    return ModelConfig(
        sam=SamConfig(width=64, layers=3, heads=2, global_layers=(2,), window=4, grid=12, neck=48, compressor=(64, 96)),
        clip=ClipConfig(width=96, layers=2, heads=3, ffn=256, grid=3),
        decoder=DecoderConfig(
            vocab_size=2048,
            hidden=96,
            layers=3,
            heads=3,
            kv_heads=3,
            dense_ffn=256,
            experts=8,
            top_k=2,
            expert_ffn=64,
            max_positions=1024,
        ),
        modes=modes,
        image_token_id=2036,
    )


def _small_preset() -> ModelConfig:
    # Sizes that the original's code fixes (windows of 14, patches of 16, one grid of 64 patches) are as there.
    return ModelConfig(
        sam=SamConfig(width=256, layers=5, heads=4, global_layers=(2,), neck=128, compressor=(192, 384)),
        clip=ClipConfig(width=384, layers=3, heads=6, ffn=1536),
        decoder=DecoderConfig(
            vocab_size=2048,
            hidden=256,
            layers=4,
            heads=4,
            kv_heads=4,
            dense_ffn=768,
            experts=8,
            top_k=2,
            expert_ffn=128,
            max_positions=4096,
        ),
        image_token_id=2036,
    )


#: ``released``: the published model. ``small``: learns on one GPU in hours. ``nano``: learns on two CPU cores in
#: minutes. ``test``: that of the fixtures.
PRESETS = {"released": ModelConfig, "nano": _nano_preset, "test": _test_preset, "small": _small_preset}


def preset(name: str) -> ModelConfig:
    """Return the configuration called ``name``, or raise `UserError` with the known names."""
    if name not in PRESETS:
        raise UserError(f"unknown model preset '{name}': choose one of {', '.join(PRESETS)}")
    return PRESETS[name]()


def config_to_dict(config: ModelConfig) -> dict[str, Any]:
    """Return ``config`` as plain dictionaries, lists, numbers and strings (what JSON can hold)."""
    return _plain(dataclasses.asdict(config))


def config_from_dict(values: Mapping[str, Any]) -> ModelConfig:
    """Rebuild what `config_to_dict` wrote; an unknown or missing field is a `UserError`."""
    fields = dict(values)
    try:
        rival = fields.pop("rival", None)  # files from before there were rivals do not have it
        return ModelConfig(
            sam=SamConfig(**_tuples(fields.pop("sam"))),
            clip=ClipConfig(**fields.pop("clip")),
            decoder=DecoderConfig(**fields.pop("decoder")),
            modes=tuple(Mode(**mode) for mode in fields.pop("modes")),
            rival=None if rival is None else RivalConfig(**rival),
            **fields,
        )
    except (KeyError, TypeError) as error:
        raise UserError(f"model configuration: {error}") from error


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list | tuple) else value


def _tuples(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {key: tuple(value) if isinstance(value, list) else value for key, value in fields.items()}
