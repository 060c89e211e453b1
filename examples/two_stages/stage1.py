"""Stage 1 at a middling size, in some minutes on one GPU: an encoder of 36 million parameters learns to be read from.

    dsocr-train examples/two_stages/stage1.py --data live:standard --out runs/middle1

As configs/stage1_encoder.py, but for the sizes, the rate and the number of steps; the tokenizer is our small one.
"""

from dsocr_jax.config import ClipConfig, DecoderConfig, ModelConfig, SamConfig
from train.config import OptimizerConfig, TrainConfig

config = TrainConfig(
    model=ModelConfig(
        sam=SamConfig(width=384, layers=8, heads=6, global_layers=(1, 3, 5, 7), compressor=(256, 512)),
        clip=ClipConfig(width=512, layers=8, heads=8, ffn=2048),
        decoder=DecoderConfig(
            vocab_size=2048, hidden=640, layers=6, dense_layers=6, heads=5, kv_heads=5, dense_ffn=1792
        ),
        image_token_id=2036,
    ),
    modes=("tiny", "small"),
    length=4096,
    rows=8,
    steps=300,
    optimizer=OptimizerConfig(peak_lr=6e-4, schedule="cosine", final_fraction=0.0, warmup=40, b2=0.95),
    compute_dtype="bfloat16",
    loss_chunk=512,
    workers=16,
    checkpoint_every=300,
)
