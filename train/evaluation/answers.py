"""What the present parameters answer, by the reader that users read with; no checkpoint is written for it."""

import dataclasses
from collections.abc import Sequence

import jax
from flax import nnx
from jax.sharding import SingleDeviceSharding

from datagen.records import Record
from dsocr_jax.model.scan import unstack_arrays
from dsocr_jax.modes import Mode
from dsocr_jax.reading.documents import Failure, Page
from dsocr_jax.reading.reader import Ask, Reader, ReadOptions
from dsocr_jax.tokenizer import Tokenizer
from dsocr_jax.weights.checkpoint import LoadedModel
from dsocr_jax.weights.params import abstract_model, unflatten
from train.config import TrainConfig
from train.evaluation.losses import effective
from train.step import Params

#: An answer may be so many times as long as the longest truth, and so many tokens more.
LONGER, MORE = 1.25, 16
#: Answers that are written at the same time.
ROWS = 32


@dataclasses.dataclass(frozen=True)
class Said:
    """One answer.

    Attributes:
        text: of the answer; empty where there is none.
        finish: ``stop``, ``length`` or ``repetition``, or why there is no answer.
    """

    text: str
    finish: str


def answer(
    params: Params, config: TrainConfig, tokenizer: Tokenizer, mode: Mode, records: Sequence[Record]
) -> list[Said]:
    """Read the pictures of ``records`` with their own prompts, greedily.

    Raises:
        jax.errors.JaxRuntimeError: the device's memory has no room for a second copy of the parameters and a cache.
    """
    model = config.model_config
    loaded = LoadedModel(model, nnx.merge(abstract_model(model)[0], _here(params, config)), tokenizer)
    longest = max(len(tokenizer.encode(record.label)) for record in records)
    options = ReadOptions(
        mode.name,
        max_new_tokens=min(round(LONGER * longest) + MORE, model.decoder.max_positions),
        blank=False,
        rows=min(len(records), ROWS),
    )
    reader = Reader(loaded, options)
    asks = [Ask(Page(record.pil(), f"{record.kind} {record.id}"), prompt=record.prompt) for record in records]
    found = reader.read(asks)
    return [
        Said("", f"no answer: {one.message}") if isinstance(one, Failure) else Said(one.text, one.finish_reason)
        for one in found
    ]


def _here(params: Params, config: TrainConfig) -> nnx.State:
    """The parameters as the reader has them, on the first device alone."""
    device = SingleDeviceSharding(jax.local_devices()[0])
    arrays = jax.jit(lambda params: unstack_arrays(effective(params, config)))(params)
    return unflatten(config.model_config, jax.device_put(arrays, device))
