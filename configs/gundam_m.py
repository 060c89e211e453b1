r"""Gundam-M: a trained model goes on with tiles of 1024 pixels and a global view of 1280.

    dsocr-train configs/gundam_m.py --init-from runs/stage2 --tokenizer tokenizer.json \
        --data data/pages --out runs/gundam-m

The paper samples six million pictures for it, and trains it apart from the other modes because its many tiles would
slow all of them down. With the released weights: --init-from and --tokenizer both name their folder.
"""

from train.config import MeshConfig, OptimizerConfig, TrainConfig

config = TrainConfig(
    model="released",
    modes=("gundam-m",),
    freeze=(r"^encoder/sam/",),  # our choice: as in stage 2; the paper does not say
    length=8192,  # the model's; a picture takes 421 (no tiles) to 2,869 tokens of it
    rows=64,  # our choice: some 130 pictures, of up to nine tiles each
    accumulate=8,  # our choice: one row at a time on each of eight devices
    epochs=1.0,  # our choice: each picture once
    optimizer=OptimizerConfig(
        peak_lr=1e-5,  # our choice: between the first and the last rate of stage 2
        schedule="cosine",
        final_fraction=0.0,  # our choice: it is the last of the trainings
        warmup=200,  # our choice: the moments begin anew
        weight_decay=0.1,  # our choice: as in stage 2
        b2=0.95,  # our choice: as in stage 2
        clip=1.0,  # our choice: as in stage 2
    ),
    mesh=MeshConfig(data=1, fsdp=-1),  # our choice: as in stage 2
    compute_dtype="bfloat16",  # our choice: as in stage 2
    loss_chunk=1024,  # our choice: 0.5 GB of scores at a time
    workers=16,  # our choice: as in stage 2
    checkpoint_every=500,  # our choice: as in stage 2
    keep=3,  # our choice: as in stage 2
)
