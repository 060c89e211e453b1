"""Stage 2 at a middling size: a mixture-of-experts decoder behind the encoder of stage1.py, SAM and compressor frozen.

    python examples/two_stages/text.py text.jsonl
    dsocr-train examples/two_stages/stage2.py --data live:standard text.jsonl \
        --init-parts '^encoder/' runs/middle1 --out runs/middle2

As configs/stage2.py, but for the sizes, the rate, the number of steps and the mixture, which has no general pictures;
the tokenizer is our small one.
"""

from dsocr_jax.config import ClipConfig, DecoderConfig, ModelConfig, SamConfig
from train.config import MeshConfig, OptimizerConfig, TrainConfig

config = TrainConfig(
    model=ModelConfig(
        sam=SamConfig(width=384, layers=8, heads=6, global_layers=(1, 3, 5, 7), compressor=(256, 512)),
        clip=ClipConfig(width=512, layers=8, heads=8, ffn=2048),
        decoder=DecoderConfig(
            vocab_size=2048,
            hidden=640,
            layers=6,
            heads=5,
            kv_heads=5,
            dense_ffn=1792,
            experts=32,
            top_k=4,
            expert_ffn=320,
        ),
        image_token_id=2036,
    ),
    freeze=(r"^encoder/sam/",),
    mixture={"pages": 30, "charts": 20, "molecules": 20, "geometry": 20, "text": 10},
    modes=("tiny", "small", "base", "large", "gundam"),
    length=8192,
    rows=4,
    steps=300,
    optimizer=OptimizerConfig(peak_lr=4e-4, schedule="step", step_every=100, step_factor=0.5, warmup=40, b2=0.95),
    mesh=MeshConfig(data=1, fsdp=-1),
    compute_dtype="bfloat16",
    loss_chunk=512,
    workers=16,
    checkpoint_every=300,
)
