"""What is asked of the reader, and what it answers."""

import dataclasses
import math

import numpy as np

from dsocr_jax.config import ModelConfig
from dsocr_jax.errors import UserError
from dsocr_jax.modes import Mode, find_mode
from dsocr_jax.prompts import IMAGE, prompt_text
from dsocr_jax.reading.choose import GREEDY, LOOPS, LoopRule, Sampling
from dsocr_jax.reading.documents import Page
from dsocr_jax.reading.repetition import NoRepeat, named_rule, stronger
from dsocr_jax.tokenizer import Tokenizer

#: A rule against repetition: itself, or a name of `dsocr_jax.reading.repetition.RULES`; None is said where it is used.
Rule = NoRepeat | str | None


@dataclasses.dataclass(frozen=True)
class ReadOptions:
    """How pages are read, unless an `Ask` says otherwise, and how much is worked on at once.

    Attributes:
        mode: name of one of the model's modes.
        prompt: a named prompt, or free text.
        locate: what to look for, with the prompt ``locate``.
        max_new_tokens: most tokens of an answer; None leaves it to the model's context length.
        rule: bans repetition; None does not.
        sampling: how ids are chosen; greedily unless said.
        ladder: a page whose answer loops is read again with a stronger rule, and then in the next mode too.
        blank: a page without a mark gets an empty answer, and the model is not asked.
        loops: what counts as a loop, which ends an answer; None never ends one.
        rows: answers written at the same time; None is 8 on a CPU and 256 elsewhere.
        steps: ids that a row gets between two looks of the host.
        threads: pages prepared at the same time (Pillow and the tokenizer release the interpreter's lock).
        ahead: pages that `Reader.read` holds at once, in work and done; None is four times ``rows``.
        length: most tokens of a page, prompt and answer; None is the model's limit.
        cache_pages: pages of the decoder's cache (64 tokens each); None takes what the rows may need, or what fits
            into the device's memory.
    """

    mode: str
    prompt: str = "free"
    locate: str = ""
    max_new_tokens: int | None = None
    rule: Rule = None
    sampling: Sampling = GREEDY
    ladder: bool = False
    blank: bool = True
    loops: LoopRule | None = LOOPS
    rows: int | None = None
    steps: int = 16
    threads: int = 4
    ahead: int | None = None
    length: int | None = None
    cache_pages: int | None = None

    def __post_init__(self) -> None:
        """Refuse numbers that mean nothing."""
        for name in ("rows", "steps", "threads", "ahead", "length", "max_new_tokens", "cache_pages"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise UserError(f"--{name.replace('_', '-')} must be at least 1, got {value}")


@dataclasses.dataclass(frozen=True)
class Ask:
    """A page with wishes of its own; None leaves one to the reader's options.

    Attributes:
        page: the picture.
        mode, prompt, locate, sampling, max_new_tokens: as in `ReadOptions`.
        rule: a rule or its name; ``off`` asks for none.
        text: what the page says, for a model whose encoder is given that in the picture's place (a rival).
    """

    page: Page
    mode: str | None = None
    prompt: str | None = None
    locate: str | None = None
    rule: Rule = None
    sampling: Sampling | None = None
    max_new_tokens: int | None = None
    text: str | None = None


@dataclasses.dataclass(frozen=True)
class Try:
    """One way to read a page: everything that the engine must know beside the picture."""

    mode: Mode
    prompt: str
    rule: NoRepeat | None
    sampling: Sampling
    max_new_tokens: int | None


@dataclasses.dataclass(frozen=True)
class Answer:
    """What the model read from one page.

    Attributes:
        page: where it came from.
        text: the answer, end-of-sentence mark cut off.
        token_ids: ids of the answer, end mark included.
        log_probs: natural logarithm of each id's probability under the model, whatever was banned.
        finish_reason: ``stop`` (the model ended), ``length`` (the limit did) or ``repetition`` (it went in circles).
        prompt_tokens: length of the prompt, the picture's tokens included.
        vision_tokens: tokens that the picture takes in the prompt.
        mode, prompt: how it was read at last.
        tries: how often the page was read; above 1 after loops, 0 for a blank page, which the model did not see.
    """

    page: Page
    text: str
    token_ids: tuple[int, ...]
    log_probs: tuple[float, ...]
    finish_reason: str
    prompt_tokens: int
    vision_tokens: int
    mode: str = ""
    prompt: str = ""
    tries: int = 1

    @property
    def mean_log_prob(self) -> float:
        """Mean of ``log_probs``; 0 for an empty answer."""
        return float(np.mean(self.log_probs)) if self.log_probs else 0.0

    @property
    def confidence(self) -> float:
        """Geometric mean of the ids' probabilities, 0 to 1; 1 for an empty answer."""
        return math.exp(self.mean_log_prob)


#: What an `Ask` may wish for.
WISHES = ("mode", "prompt", "locate", "rule", "sampling", "max_new_tokens")


def plan_tries(
    options: ReadOptions, config: ModelConfig, tokenizer: Tokenizer, ask: Ask | None = None
) -> tuple[Try, ...]:
    """Return the ways in which a page may be read: the first, and with a ladder those that follow after loops.

    Raises:
        UserError: an unknown mode or rule, or a prompt with more than one picture.
    """
    modes = {mode.name: mode for mode in config.modes}
    wish = {} if ask is None else {field: value for field in WISHES if (value := getattr(ask, field)) is not None}
    asked = dataclasses.replace(options, **wish)
    mode = find_mode(asked.mode, modes)
    prompt = prompt_text(asked.prompt, asked.locate)
    if prompt.count(IMAGE) != 1:
        raise UserError(f"a prompt holds {IMAGE} at most once, and this one {prompt.count(IMAGE)} times: {prompt!r}")
    rule = named_rule(asked.rule, tokenizer) if isinstance(asked.rule, str) else asked.rule
    first = Try(mode, prompt, rule, asked.sampling, asked.max_new_tokens)
    if not options.ladder:
        return (first,)
    second = dataclasses.replace(first, rule=stronger(rule))
    behind = config.modes[config.modes.index(mode) + 1 :]
    return (first, second, *(dataclasses.replace(second, mode=following) for following in behind[:1]))
