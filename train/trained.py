"""Which parameters a run trains; names of stacked layers stand for their first one."""

import re
from collections.abc import Sequence

from dsocr_jax.model.scan import first_of
from train.config import TrainConfig

#: How the names of adapters end (`train.lora`).
ADAPTER = re.compile(r"/lora_[ab]$")


def named_by(name: str, patterns: Sequence[str]) -> bool:
    """Tell whether any pattern is found in the name of a parameter."""
    return any(re.search(pattern, first_of(name)) for pattern in patterns)


def is_trained(name: str, config: TrainConfig) -> bool:
    """Tell whether the run changes the parameter of this name."""
    if config.lora is not None:
        return bool(ADAPTER.search(name))
    return not named_by(name, config.freeze)


def label(name: str, config: TrainConfig) -> tuple[bool, ...]:
    """Return what the parameters of layers must have in common to be stacked: how every pattern meets them."""
    patterns = (*config.freeze, *config.optimizer.decay, *(config.lora.on if config.lora else ()))
    return tuple(bool(re.search(pattern, name)) for pattern in patterns)
