"""A small model that learns the easy level of all kinds on two CPU cores."""

from train.config import OptimizerConfig, TrainConfig

config = TrainConfig(
    model="nano",
    modes=("tiny",),
    length=256,
    rows=12,
    steps=3000,
    optimizer=OptimizerConfig(peak_lr=1e-3, schedule="cosine", warmup=100, weight_decay=0.05, b2=0.98),
    checkpoint_every=500,
    log_every=10,
)
