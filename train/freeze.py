"""What a run trains and what it leaves alone, part by part: said at its start, never assumed."""

import dataclasses
import math
import re
from typing import Any

import jax

from dsocr_jax.weights.params import path_name
from train.config import TrainConfig
from train.lora import adapters, is_adapter
from train.trained import is_trained

#: CLIP's own patch embedding: released files hold it, and the model never uses it (paper, section 3.2).
UNUSED = "CLIP's patches"

#: (part, pattern on the names of its parameters); the first that is found counts.
PARTS: tuple[tuple[str, str], ...] = (
    ("compressor", r"^encoder/sam/compressor/"),
    ("SAM", r"^encoder/sam/"),
    (UNUSED, r"^encoder/clip/patch_embed/"),
    ("CLIP", r"^encoder/clip/"),
    ("projector", r"^encoder/projector/"),
    ("convolutions", r"^encoder/convolutions/"),
    ("newline", r"^encoder/image_newline$"),
    ("separator", r"^encoder/view_separator$"),
    ("embedding", r"^decoder/embed/"),
    ("attention", r"^decoder/layers/.*/attn/"),
    ("router", r"^decoder/layers/.*/moe/router/"),
    ("experts", r"^decoder/layers/.*/moe/experts/"),
    ("shared experts", r"^decoder/layers/.*/moe/shared/"),
    ("dense", r"^decoder/layers/.*/mlp/"),
    ("norms", r"^decoder/(layers/.*_norm|norm)/"),
    ("head", r"^decoder/lm_head/"),
)
#: What stands in no row of the table.
OTHER = "other"


@dataclasses.dataclass
class Part:
    """A part of the model, in numbers of parameters.

    Attributes:
        trained: that the run changes.
        frozen: that keep their values.
        adapters: that low-rank adapters of the part add; they are trained.
    """

    trained: int = 0
    frozen: int = 0
    adapters: int = 0


def part_of(name: str) -> str:
    """Return the part that a parameter belongs to, by its name."""
    return next((part for part, pattern in PARTS if re.search(pattern, name)), OTHER)


def parts(params: Any, config: TrainConfig) -> dict[str, Part]:
    """Return the parts that the model has, in the order of `PARTS`.

    Args:
        params: the parameters in any tree whose paths are their names, arrays or shapes, layers stacked or not; the
            adapters may be among them, and are worked out where they are not.
        config: what is frozen, and what has adapters.

    Raises:
        UserError: a pattern of the adapters names no matrix (`train.lora.targets`).
    """
    shapes = {path_name(path): leaf for path, leaf in jax.tree_util.tree_leaves_with_path(params)}
    if config.lora is not None and not any(map(is_adapter, shapes)):
        lora = config.lora
        shapes |= jax.eval_shape(lambda: adapters(shapes, lora, jax.random.key(0)))
    found: dict[str, Part] = {}
    for name, leaf in shapes.items():
        part = found.setdefault(part_of(name), Part())
        size = math.prod(leaf.shape)
        if is_adapter(name):
            part.adapters += size
        elif is_trained(name, config) and part_of(name) != UNUSED:
            part.trained += size
        else:
            part.frozen += size
    order = [part for part, _ in PARTS] + [OTHER]
    return {name: found[name] for name in order if name in found}


def describe(params: Any, config: TrainConfig) -> list[str]:
    """Return a line for each part (its parameters, trained or frozen) and one for the whole model.

    Args and errors: see `parts`.
    """
    rows = parts(params, config)
    whole = Part(*(sum(getattr(part, field.name) for part in rows.values()) for field in dataclasses.fields(Part)))
    width = max(map(len, rows))
    lines = [f"{name:<{width}}  {part.trained + part.frozen:>13,}  {_state(name, part)}" for name, part in rows.items()]
    changed, size = whole.trained + whole.adapters, whole.trained + whole.frozen
    return [*lines, f"{'whole model':<{width}}  {size:>13,}  {changed:,} numbers are trained ({changed / size:.2%})"]


def _state(name: str, part: Part) -> str:
    if name == UNUSED:
        return "never used: no gradient reaches it"
    if not part.trained:
        return "frozen" + (f", with adapters of {part.adapters:,} that are trained" if part.adapters else "")
    return f"{part.trained:,} trained, {part.frozen:,} frozen" if part.frozen else "trained"
