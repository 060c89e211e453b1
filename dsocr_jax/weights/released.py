"""A folder in the released layout: ``config.json`` and safetensors shards, held against our table of names.

Everything is checked before anything is allocated, and all that is wrong is said at once. Nothing from the folder is
ever run.
"""

import dataclasses
import math
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from flax import nnx

from dsocr_jax.config import ModelConfig
from dsocr_jax.errors import UserError
from dsocr_jax.weights.params import Shardings, abstract_model, flatten, from_released
from dsocr_jax.weights.released_config import config_from_released
from dsocr_jax.weights.safetensors_files import FLOATS, Contents, Tensor, read_folder
from dsocr_jax.weights.table import entries

#: What a re-saved checkpoint may hold besides the weights: a buffer that counts 0, 1, 2 ….
POSITION_IDS = "model.vision_model.embeddings.position_ids"

#: Most problems that one message lists.
MAX_PROBLEMS = 200
#: Elements examined at a time when looking for values that are not finite.
CHUNK = 1 << 22


@dataclasses.dataclass(frozen=True)
class ReleasedModel:
    """A checked folder.

    Attributes:
        folder: where it is.
        config: of the model.
        tensors: the weights on disk, by released name.
        dtype: the type of all weights; float32, which holds the others exactly, when the file mixes them.
    """

    folder: Path
    config: ModelConfig
    tensors: dict[str, Tensor]
    dtype: np.dtype

    @property
    def size(self) -> int:
        """Number of parameters."""
        return sum(math.prod(tensor.shape) for tensor in self.tensors.values())

    def read(self, name: str) -> np.ndarray:
        """A view of the released tensor on disk, in PyTorch layout; `UserError` if the file is gone."""
        try:
            return self.tensors[name].open()
        except (OSError, ValueError) as error:
            raise UserError(f"{self.tensors[name].file}: {name} cannot be read any more ({error})") from error

    def load(
        self, dtype: Any = None, shardings: Shardings | None = None, advance: Callable[[int], Any] | None = None
    ) -> nnx.State:
        """The parameters, tensor by tensor; every device reads its own slices. See `from_released`."""
        return from_released(self.config, self.read, dtype or self.dtype, shardings, advance)


def is_released(values: Any) -> bool:
    """Whether the content of a ``config.json`` is in the released form."""
    return isinstance(values, dict) and "vision_config" in values


def read_released_config(file: Path, values: dict[str, Any]) -> ModelConfig:
    """The configuration in the released ``file`` of the content ``values``; `UserError` names the file."""
    try:
        return config_from_released(values)
    except UserError as error:
        raise UserError(f"{file}: this model cannot be used:\n{error}") from error


def open_released(folder: Path, config: ModelConfig, check_finite: bool = False) -> ReleasedModel:
    """Check the weights in ``folder``.

    Args:
        check_finite: also read all weights in search of infinities and NaNs.

    Raises:
        UserError: listing every problem.
    """
    contents = read_folder(folder)
    shapes = released_shapes(config)
    problems = [*contents.problems, *_misfits(contents, shapes, config)]
    weights = {name: contents.tensors[name] for name in shapes if name in contents.tensors}
    if check_finite:
        whole = {name: tensor for name, tensor in weights.items() if tensor.file.name not in contents.torn}
        problems += [f"{name} holds values that are not finite" for name, tensor in whole.items() if _unsound(tensor)]
    if problems:
        listed = "".join(f"\n  {problem}" for problem in problems[:MAX_PROBLEMS])
        rest = f"\n  and {len(problems) - MAX_PROBLEMS} more" if len(problems) > MAX_PROBLEMS else ""
        raise UserError(f"{folder}: the weights cannot be used; nothing was loaded:{listed}{rest}")
    types = {tensor.dtype for tensor in weights.values()}
    return ReleasedModel(folder, config, weights, FLOATS[types.pop() if len(types) == 1 else "F32"])


def released_shapes(config: ModelConfig) -> dict[str, tuple[int, ...]]:
    """Shapes of the released tensors, by name."""
    ours = flatten(abstract_model(config)[1])
    shapes: dict[str, tuple[int, ...]] = {}
    for entry in entries(config):
        shape = ours[entry.path].shape
        # A view of one byte takes the shape through the layout without memory.
        part = np.broadcast_to(np.uint8(0), shape[1:] if entry.stacked else shape)
        shapes |= dict.fromkeys(entry.released, entry.layout.released(part).shape)
    return shapes


def _misfits(contents: Contents, shapes: dict[str, tuple[int, ...]], config: ModelConfig) -> Iterator[str]:
    """What the shards hold too little, too much, or in another form."""
    for name, shape in shapes.items():
        tensor = contents.tensors.get(name)
        if tensor is None:
            if contents.lacks(name):
                yield f"{name} is missing"
            continue
        if tensor.shape != shape:
            yield f"{name} has shape {list(tensor.shape)} in {tensor.file.name}, config.json asks for {list(shape)}"
        if tensor.dtype not in FLOATS:
            yield f"{name} has type {tensor.dtype} in {tensor.file.name}; weights are {', '.join(FLOATS)}"
    for name in sorted(contents.tensors.keys() - shapes.keys()):
        tensor = contents.tensors[name]
        if name != POSITION_IDS:
            yield f"{name} in {tensor.file.name} is unknown"
        elif (tensor.dtype, tensor.shape) != ("I64", (1, config.clip.grid**2 + 1)):
            yield f"{name} in {tensor.file.name} is {tensor.dtype} {list(tensor.shape)}, not I64 [1, grid * grid + 1]"


def _unsound(tensor: Tensor) -> bool:
    if tensor.dtype not in FLOATS or not all(tensor.shape):
        return False
    flat = tensor.open().reshape(-1)
    return not all(np.isfinite(flat[i : i + CHUNK]).all() for i in range(0, flat.size, CHUNK))
