"""Continuous batching: prompts join as places get free, rows leave as they end, the device is never waited for.

The host keeps one dispatch ahead of the device: while the device decodes a stretch of steps, the host looks at what
the stretch before brought. A row that has ended rests for at most one stretch.
"""

import dataclasses
from collections import deque
from collections.abc import Iterator, Sequence

import jax
import jax.numpy as jnp
import numpy as np

from dsocr_jax.batch import Example
from dsocr_jax.config import ModelConfig
from dsocr_jax.errors import UserError
from dsocr_jax.model.backends import DEFAULT, Backends
from dsocr_jax.model.ocr import DeepseekOCR
from dsocr_jax.modes import FIRST_ROW
from dsocr_jax.reading import fused
from dsocr_jax.reading.choose import GREEDY, LOOPS, Choice, LoopRule, Sampling, choice_row
from dsocr_jax.reading.paging import PagePool
from dsocr_jax.reading.repetition import NoRepeat
from dsocr_jax.reading.slots import ACTIVE, IDLE, LENGTH, REPETITION, STOP, SlotOptions, advance, empty_slots, insert
from dsocr_jax.reading.vision import empty_table, encode_pictures, rows_needed

#: Prompts are padded to a multiple of this, and to a power of two of them beyond `FINE`.
PROMPT_STEP = 2 * fused.PAGE
FINE = 8 * PROMPT_STEP
#: Prompts that join together: the smallest of these that holds them.
GROUPS = (1, 4, 16)

REASONS = {STOP: "stop", LENGTH: "length", REPETITION: "repetition"}


@dataclasses.dataclass(frozen=True)
class EngineOptions:
    """How much is worked on at once.

    Attributes:
        rows: answers written at the same time.
        steps: ids that a row gets from one dispatch.
        pages: pages of the cache; rows share them. None gives every row room for ``length`` ids.
        length: most ids of a row, prompt and answer; None is the model's limit.
        prompt_tokens: most prompt tokens that join together (a longer prompt joins alone).
        loops: the detector of loops; None turns it off.
        whitelist: ids that no rule against repetition bans.
        kernels: use the GPU's kernels; None finds out.
    """

    rows: int = 8
    steps: int = 16
    pages: int | None = None
    length: int | None = None
    prompt_tokens: int = 8192
    loops: LoopRule | None = LOOPS
    whitelist: tuple[int, ...] = ()
    kernels: bool | None = None

    def __post_init__(self) -> None:
        """Refuse numbers that mean nothing."""
        for name in ("rows", "steps", "prompt_tokens"):
            if getattr(self, name) < 1:
                raise UserError(f"engine: {name} must be at least 1, got {getattr(self, name)}")


@dataclasses.dataclass(frozen=True)
class Request:
    """One prompt to be continued.

    Attributes:
        key: what the caller knows it by.
        example: the prompt, with the picture's views.
        max_new_tokens: most ids of the answer; None leaves it to the row's room.
        rule: bans repetition.
        sampling: how ids are chosen.
    """

    key: int
    example: Example
    max_new_tokens: int | None = None
    rule: NoRepeat | None = None
    sampling: Sampling = GREEDY


@dataclasses.dataclass
class Progress:
    """What has come of a request so far; ``new`` counts the ids since it was last reported."""

    request: Request
    tokens: list[int]
    log_probs: list[float]
    finish_reason: str | None = None
    new: int = 0


class Engine:
    """A model's rows in work. `add` requests, call `step` until `busy` is false; not for several threads at once."""

    def __init__(
        self,
        model: DeepseekOCR,
        options: EngineOptions,
        backends: Backends = DEFAULT,
    ):
        self.config: ModelConfig = model.config
        self.options = options
        self.backends = backends
        self.encoder = model.encoder
        self.decoder = fused.fuse(model.decoder)
        self.length = min(options.length or self.config.decoder.max_positions, self.config.decoder.max_positions)
        per_row = -(-self.length // fused.PAGE)
        self.pool = PagePool(options.pages or options.rows * per_row, options.rows, per_row)
        self.slots = empty_slots(fused.empty_pages(self.decoder, self.pool.size), options.rows, self.length)
        kernels = options.kernels
        if kernels is None:
            kernels = jax.default_backend() == "gpu"
        self.compiled = SlotOptions(self.config.eos_token_id, options.whitelist, loops=options.loops, kernels=kernels)
        self.waiting: deque[Request] = deque()
        self.rows: list[Progress | None] = [None] * options.rows
        self.bounds = np.zeros(options.rows, np.int64)
        self.limits = np.zeros(options.rows, np.int64)
        self.pending: deque[tuple[str, object]] = deque()
        self.table = empty_table(self.encoder, FIRST_ROW)

    @property
    def busy(self) -> bool:
        """Whether anything waits or is at work."""
        return bool(self.waiting or self.pending or any(row is not None for row in self.rows))

    @property
    def free(self) -> int:
        """How many more requests would find a place at once."""
        return sum(row is None for row in self.rows) - len(self.waiting)

    def add(self, request: Request) -> None:
        """Queue a request.

        Raises:
            UserError: its prompt leaves no room for an answer.
        """
        prompt = len(request.example.tokens)
        if prompt >= min(self.length, self.pool.size * fused.PAGE - fused.PAGE):
            raise UserError(
                f"a prompt of {prompt} tokens leaves no room for an answer in rows of {self.length}; choose a mode "
                "with fewer vision tokens"
            )
        rule, compiled = request.rule, self.compiled
        if rule is not None:
            look = self.length if rule.window is None else max(compiled.look, rule.window)
            compiled = dataclasses.replace(
                compiled, look=max(compiled.look, min(look, self.length)), longest=max(compiled.longest, rule.ngram)
            )
        if request.sampling.temperature > 0:
            compiled = dataclasses.replace(compiled, sampled=True)
        self.compiled = compiled
        self.waiting.append(request)

    def cancel(self, key: int) -> None:
        """Forget a request; its row is free when the device has seen it."""
        self.waiting = deque(request for request in self.waiting if request.key != key)
        for row, progress in enumerate(self.rows):
            if progress is not None and progress.request.key == key:
                self._free(row)
                status = self.slots.status.at[row].set(IDLE)
                self.slots = dataclasses.replace(self.slots, status=status)

    def step(self) -> list[Progress]:
        """Let waiting prompts join, dispatch the next stretch, and report what an earlier one brought."""
        self._join()
        active = [row for row, progress in enumerate(self.rows) if progress is not None]
        if active:
            self._dispatch(active)
        # One stretch stays with the device while the host looks at the one before.
        ahead = 1 if active else 0
        reports: list[Progress] = []
        while sum(kind == "steps" for kind, _ in self.pending) > ahead or (self.pending and not active):
            reports += self._collect()
        return reports

    def _join(self) -> None:
        while self.waiting:
            free = [row for row, progress in enumerate(self.rows) if progress is None]
            group = self._next_group(len(free))
            if not group:
                return
            self._insert(group, free[: len(group)])

    def _next_group(self, free: int) -> list[Request]:
        """Take waiting requests of one padded length that find rows, pages and room together."""
        if not free:
            return []
        length = padded_length(len(self.waiting[0].example.tokens))
        most = min(free, max(1, self.options.prompt_tokens // length), GROUPS[-1])
        group: list[Request] = []
        pages = self.pool.free
        for request in self.waiting:
            tokens = len(request.example.tokens)
            if len(group) == most or padded_length(tokens) != length:
                break
            pages -= self.pool.needed(tokens + 1 + 2 * self.options.steps)
            if pages < 0:
                break
            group.append(request)
        for _ in group:
            self.waiting.popleft()
        return group

    def _insert(self, group: Sequence[Request], rows: Sequence[int]) -> None:
        count = next(n for n in GROUPS if n >= len(group))
        length = padded_length(max(len(request.example.tokens) for request in group))
        examples = [request.example for request in group]
        need = rows_needed(examples, self.config.stride)
        if need > self.table.shape[0]:
            self.table = empty_table(self.encoder, 1 << (need - 1).bit_length())
        self.table, index = encode_pictures(self.encoder, examples, self.table, self.config, self.backends)
        tokens, where = np.zeros((count, length), np.int32), np.full((count, length), -1, np.int32)
        lengths, limits = np.zeros(count, np.int32), np.zeros(count, np.int32)
        slots = np.full(count, self.options.rows, np.int32)
        choices = [choice_row(None, GREEDY)] * count
        for i, (request, row) in enumerate(zip(group, rows, strict=True)):
            n = len(request.example.tokens)
            tokens[i, :n], where[i, :n], lengths[i], slots[i] = request.example.tokens, index[i], n, row
            limits[i] = min(self.length, n + (request.max_new_tokens or self.length))
            choices[i] = choice_row(request.rule, request.sampling)
            self.bounds[row], self.limits[row] = n + 1, limits[i]
            self.pool.grow(row, n + 1)
            self.rows[row] = Progress(request, [], [])
        table = self.pool.table(slots, -(-length // fused.PAGE))
        choice = Choice(*(jnp.asarray(column) for column in _columns(choices)))
        self.slots, new, log_probs = insert(
            self.decoder, self.slots, self.table, tokens, where, lengths, slots, limits, table, choice, self.compiled
        )
        owners = [self.rows[row] for row in rows]
        self.pending.append(("first", (new, log_probs, owners, list(rows))))

    def _dispatch(self, active: list[int]) -> None:
        steps = self.options.steps
        for row in list(active):
            bound = min(self.bounds[row] + steps, self.limits[row])
            if not self.pool.grow(row, int(bound)):
                active.remove(row)
                self._evict(row)
                continue
            self.bounds[row] = bound
        width = self.pool.width if self.compiled.kernels else self.pool.used_width()
        table = self.pool.table(np.arange(self.options.rows), width)
        self.slots, ids, log_probs, status = advance(self.decoder, self.slots, table, steps, self.compiled)
        self.pending.append(("steps", (ids, log_probs, status, list(self.rows))))

    def _evict(self, row: int) -> None:
        """Give a row's pages back and let its request begin again later: greedy and seeded answers come out equal."""
        progress = self.rows[row]
        assert progress is not None
        self._free(row)
        self.slots = dataclasses.replace(self.slots, status=self.slots.status.at[row].set(IDLE))
        self.waiting.appendleft(progress.request)

    def _free(self, row: int) -> None:
        self.rows[row] = None
        self.pool.release(row)

    def _collect(self) -> list[Progress]:
        kind, item = self.pending.popleft()
        if kind == "first":
            new, log_probs, owners, rows = item  # type: ignore[misc]
            new, log_probs = np.asarray(new), np.asarray(log_probs)
            reports = []
            for i, (owner, row) in enumerate(zip(owners, rows, strict=True)):
                if owner is not None and self.rows[row] is owner:
                    reports += self._note(owner, row, new[i : i + 1], log_probs[i : i + 1], ACTIVE)
            return reports
        ids, log_probs, status, owners = item  # type: ignore[misc]
        ids, log_probs, status = np.asarray(ids), np.asarray(log_probs), np.asarray(status)
        reports = []
        for row, owner in enumerate(owners):
            if owner is not None and self.rows[row] is owner:
                reports += self._note(owner, row, ids[:, row], log_probs[:, row], int(status[row]))
        return reports

    def _note(
        self, progress: Progress, row: int, ids: np.ndarray, log_probs: np.ndarray, status: int
    ) -> list[Progress]:
        real = ids >= 0
        progress.tokens += ids[real].tolist()
        progress.log_probs += log_probs[real].tolist()
        progress.new = int(real.sum())
        if status in REASONS:
            progress.finish_reason = REASONS[status]
            self._free(row)
        return [progress] if progress.new or progress.finish_reason else []


def padded_length(tokens: int) -> int:
    """The length that a prompt is padded to."""
    if tokens <= FINE:
        return -(-tokens // PROMPT_STEP) * PROMPT_STEP
    return 1 << (tokens - 1).bit_length()


def _columns(rows: Sequence[tuple[int, int, float, float, int]]) -> Iterator[np.ndarray]:
    kinds = (np.int32, np.int32, np.float32, np.float32, np.int32)
    for values, kind in zip(zip(*rows, strict=True), kinds, strict=True):
        yield np.array(values, kind)
