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


class Answers:
    """Reads with the parameters of a run, which it copies to the first device for that.

    Args:
        config: of the run.
        tokenizer: the model's.
    """

    def __init__(self, config: TrainConfig, tokenizer: Tokenizer) -> None:
        self.config, self.tokenizer = config, tokenizer
        self._ready = jax.jit(lambda params: unstack_arrays(effective(params, config)))

    def read(self, params: Params, mode: Mode, records: Sequence[Record]) -> list[Said]:
        """Return the answers to the pictures of ``records`` and their own prompts, greedily.

        Raises:
            jax.errors.JaxRuntimeError: the memory has no room for a second copy of the parameters and a cache.
        """
        model = self.config.model_config
        here = jax.device_put(self._ready(params), SingleDeviceSharding(jax.local_devices()[0]))
        graphdef, _ = abstract_model(model)
        loaded = LoadedModel(model, nnx.merge(graphdef, unflatten(model, here)), self.tokenizer)
        longest = max(len(self.tokenizer.encode(record.label)) for record in records)
        options = ReadOptions(
            mode.name,
            max_new_tokens=min(round(LONGER * longest) + MORE, model.decoder.max_positions),
            blank=False,
            rows=min(len(records), ROWS),
        )
        asks = [
            Ask(
                Page(record.pil(), f"{record.kind} {record.id}"),
                prompt=record.prompt,
                text=None if model.rival is None else record.label,
            )
            for record in records
        ]
        return [
            Said("", f"no answer: {one.message}") if isinstance(one, Failure) else Said(one.text, one.finish_reason)
            for one in Reader(loaded, options).read(asks)
        ]
