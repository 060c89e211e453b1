r"""Stage 1 of the paper: DeepEncoder learns by next-token prediction in front of a compact, dense language model.

    dsocr tokenizer --out tokenizer.json
    dsocr-train configs/stage1_encoder.py --tokenizer tokenizer.json \
        --data data/ocr data/general.jsonl --out runs/stage1

The paper's data: all its pages, scenes, charts, formulas and figures, and 100 million general pictures. It begins SAM
and CLIP from their published weights, which --init-parts '^encoder/sam/' MODEL '^encoder/clip/' MODEL takes from model
folders; without them everything begins at random.

`--accumulate` times the number of devices is best 640: then a device computes two rows at a time, and 80 GB are enough
(`--dry-run --on H100:8` says for what).
"""

from dsocr_jax.config import DecoderConfig, ModelConfig
from train.config import OptimizerConfig, TrainConfig

config = TrainConfig(
    model=ModelConfig(
        # The paper says no more than "compact". 0.45 billion parameters, three quarters of them words; our choice.
        decoder=DecoderConfig(
            hidden=1280,  # our choice: the released width, so that projector, newline and separator go on to stage 2
            layers=6,  # our choice: half of the released
            dense_layers=6,  # every layer is dense: the sizes of experts have no effect
            heads=10,  # our choice: heads of 128, as released
            kv_heads=10,
            dense_ffn=3584,  # our choice: 2.8 times the width
            max_positions=4096,
        ),
    ),
    # Our choice: stage 2 freezes SAM, which must have seen every size of views by then (Gundam's are among these).
    modes=("tiny", "small", "base", "large"),
    length=4096,
    rows=1280,
    accumulate=80,  # our choice: for eight devices, see above
    epochs=2.0,
    optimizer=OptimizerConfig(
        peak_lr=5e-5,
        schedule="cosine",
        final_fraction=0.0,  # our choice: annealed to nothing
        warmup=1000,  # our choice: Adam's second moment settles in about as many steps
        weight_decay=0.1,  # our choice: usual for language models
        b2=0.95,  # our choice: usual for language models
        clip=1.0,  # our choice: single batches cannot spoil a long run
    ),
    compute_dtype="bfloat16",  # our choice: half the bytes and twice the rate; the parameters stay float32
    loss_chunk=512,  # our choice: 0.5 GB of scores at a time
    workers=16,  # our choice: one for each core of a usual host
    checkpoint_every=1000,  # our choice: minutes of work at most are lost
    keep=3,  # our choice: two to go back to
)
