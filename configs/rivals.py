"""The nano model against simple rivals of its encoder: four runs that differ in ``--rival`` alone (docs/rivals.md).

Without the option the model reads pictures; with ``mean``, ``convolved`` or ``truncated`` it is given their text.
"""

from train.config import OptimizerConfig, TrainConfig

config = TrainConfig(
    model="nano",
    modes=("tiny",),
    length=256,
    rows=8,
    steps=1500,
    optimizer=OptimizerConfig(peak_lr=1e-3, schedule="cosine", warmup=50, weight_decay=0.05, b2=0.98),
    checkpoint_every=500,
    log_every=25,
)
