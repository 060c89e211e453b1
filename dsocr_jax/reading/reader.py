"""Pages in, answers out: preprocessing, batches of few shapes, decoding, text."""

import dataclasses
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from itertools import islice

import jax
import numpy as np

from dsocr_jax.batch import Batch, Example, collate, make_example, view_counts
from dsocr_jax.config import ModelConfig
from dsocr_jax.errors import UserError
from dsocr_jax.modes import find_mode
from dsocr_jax.prompts import prompt_text
from dsocr_jax.reading.documents import Failure, Page
from dsocr_jax.reading.generate import generate
from dsocr_jax.reading.repetition import NoRepeat
from dsocr_jax.weights.checkpoint import LoadedModel

#: Prompts are padded to a multiple of this many tokens, so that few shapes are compiled.
LENGTH_STEP = 64


@dataclasses.dataclass(frozen=True)
class ReadOptions:
    """How pages are read.

    Attributes:
        mode: name of one of the model's modes.
        prompt: a named prompt, or free text.
        locate: what to look for, with the prompt ``locate``.
        max_new_tokens: most tokens of an answer; None leaves it to the model's context length.
        rule: bans repetition; None does not.
        batch_size: pages read together.
    """

    mode: str
    prompt: str = "free"
    locate: str = ""
    max_new_tokens: int | None = None
    rule: NoRepeat | None = None
    batch_size: int = 1

    def __post_init__(self) -> None:
        """Refuse numbers that mean nothing."""
        if self.batch_size < 1:
            raise UserError(f"--batch-size must be at least 1, got {self.batch_size}")
        if self.max_new_tokens is not None and self.max_new_tokens < 1:
            raise UserError(f"--max-new-tokens must be at least 1, got {self.max_new_tokens}")


@dataclasses.dataclass(frozen=True)
class Answer:
    """What the model read from one page.

    Attributes:
        page: where it came from.
        text: the answer, end-of-sentence mark cut off.
        token_ids: ids of the answer, end mark included.
        log_probs: natural logarithm of each id's probability.
        finish_reason: ``stop`` (the model ended) or ``length`` (the limit did).
        prompt_tokens: length of the prompt, the picture's tokens included.
        vision_tokens: tokens that the picture takes in the prompt.
    """

    page: Page
    text: str
    token_ids: tuple[int, ...]
    log_probs: tuple[float, ...]
    finish_reason: str
    prompt_tokens: int
    vision_tokens: int

    @property
    def mean_log_prob(self) -> float:
        """Mean of ``log_probs``; 0 for an empty answer."""
        return float(np.mean(self.log_probs)) if self.log_probs else 0.0


class Reader:
    """A loaded model with the options of one reading."""

    def __init__(self, loaded: LoadedModel, options: ReadOptions):
        self.config, self.model, self.tokenizer = loaded
        self.options = options
        self.mode = find_mode(options.mode, {mode.name: mode for mode in self.config.modes})
        self.prompt = prompt_text(options.prompt, options.locate)

    def read(self, pages: Iterable[Page | Failure]) -> Iterator[Answer | Failure]:
        """Answers in the order of the pages; failures pass through, and a page that does not fit becomes one."""
        pages = iter(pages)
        while chunk := list(islice(pages, self.options.batch_size)):
            prepared = [self._prepare(item) if isinstance(item, Page) else item for item in chunk]
            examples = [item for item in prepared if isinstance(item, Example)]
            answers = iter(self._answer(examples))
            for item, made in zip(chunk, prepared, strict=True):
                if isinstance(item, Page) and isinstance(made, Example):
                    yield next(answers)(item)
                elif isinstance(made, Failure):
                    yield made

    def _prepare(self, page: Page) -> Example | Failure:
        example = make_example(self.tokenizer, self.config, self.mode, self.prompt, page.image)
        limit = self.config.decoder.max_positions
        if len(example.tokens) < limit:
            return example
        message = (
            f"{page.source}: its prompt of {len(example.tokens)} tokens leaves no room for an answer in the model's "
            f"{limit} positions; choose a smaller mode than {self.mode.name}"
        )
        return Failure(page.source, message, page.page)

    def _answer(self, examples: Sequence[Example]) -> list[Callable[[Page], Answer]]:
        if not examples:
            return []
        batch = pad_batch(examples, self.options.batch_size, self.config)
        room = self.config.decoder.max_positions - batch.tokens.shape[1]
        limit = max(1, min(self.options.max_new_tokens or room, room))
        out = jax.device_get(generate(self.model, batch, limit, self.options.rule))
        answers: list[Callable[[Page], Answer]] = []
        for i, example in enumerate(examples):
            n = int(out.lengths[i])
            ids = out.tokens[i, :n].tolist()
            ended = bool(out.ended[i])
            text = self.tokenizer.decode(ids[:-1] if ended else ids).strip()
            placeholders = int((example.tokens == self.config.image_token_id).sum())
            answers.append(
                partial(
                    Answer,
                    text=text,
                    token_ids=tuple(ids),
                    log_probs=tuple(out.log_probs[i, :n].tolist()),
                    finish_reason="stop" if ended else "length",
                    prompt_tokens=len(example.tokens),
                    vision_tokens=placeholders,
                )
            )
        return answers


def pad_batch(examples: Sequence[Example], rows: int, config: ModelConfig) -> Batch:
    """Fill a batch up to ``rows`` rows and round its length and numbers of views up, so that few shapes occur."""
    nothing = np.zeros(0, np.int32)
    filled = [*examples, *[Example(nothing, nothing)] * (rows - len(examples))]
    longest = max(len(example.tokens) for example in examples)
    counts: Counter[int] = sum((view_counts(example) for example in examples), Counter())
    room = {size: 1 << (n - 1).bit_length() for size, n in counts.items()}
    return collate(filled, config, -(-longest // LENGTH_STEP) * LENGTH_STEP, room)
