"""Continuous batching: prompts join as places get free, rows leave as they end, the device is never waited for.

The host keeps one dispatch ahead of the device: while the device decodes a stretch of steps, the host looks at what
the stretch before brought. A row that has ended rests for at most one stretch.
"""

import dataclasses
from collections import deque
from collections.abc import Iterable, Sequence

import jax
import numpy as np

from dsocr_jax.batch import Example
from dsocr_jax.config import ModelConfig
from dsocr_jax.errors import UserError
from dsocr_jax.model.backends import DEFAULT, Backends
from dsocr_jax.model.ocr import DeepseekOCR
from dsocr_jax.reading import fused
from dsocr_jax.reading.choose import GREEDY, LOOPS, LoopRule, Sampling, choice_row, stack_choices
from dsocr_jax.reading.paging import PagePool
from dsocr_jax.reading.repetition import NoRepeat
from dsocr_jax.reading.slots import ACTIVE, LENGTH, REPETITION, STOP, SlotOptions, advance, empty_slots, insert, release
from dsocr_jax.reading.vision import empty_table, encode_pictures, rows_needed, table_rows

#: Prompts are padded to a multiple of this, and to a power of two of them beyond `FINE`.
PROMPT_STEP = 2 * fused.PAGE
FINE = 8 * PROMPT_STEP
#: Prompts that join together: the smallest of these that holds them.
GROUPS = (1, 4, 16)
#: So many waiting requests are looked through for some of one length.
LOOK = 64

REASONS = {STOP: "stop", LENGTH: "length", REPETITION: "repetition"}


@dataclasses.dataclass(frozen=True)
class EngineOptions:
    """How much is worked on at once.

    Attributes:
        rows: answers written at the same time.
        steps: ids that a row gets from one dispatch.
        pages: pages of the cache; rows share them, and the youngest begin again when they run short. None gives
            every row room for ``length`` ids.
        length: most ids of a row, prompt and answer; None is the model's limit.
        prompt_tokens: most prompt tokens that join together (a longer prompt joins alone).
        loops: the detector of loops; None turns it off.
        rules: rules against repetition that requests will bring, and
        sampled: whether some will sample: known beforehand, nothing is compiled again when they come.
        kernels: use the GPU's kernels; None finds out.
    """

    rows: int = 8
    steps: int = 16
    pages: int | None = None
    length: int | None = None
    prompt_tokens: int = 8192
    loops: LoopRule | None = LOOPS
    rules: tuple[NoRepeat, ...] = ()
    sampled: bool = False
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
    """What has come of a request so far.

    Attributes:
        request: what was asked.
        order: when it was added, among all requests.
        tokens, log_probs: the answer's ids; they begin anew when the row had to give its pages to an older one.
        finish_reason: ``stop``, ``length`` or ``repetition``; None while the row is at work.
    """

    request: Request
    order: int
    tokens: list[int]
    log_probs: list[float]
    finish_reason: str | None = None


@dataclasses.dataclass(frozen=True)
class _Brought:
    """Ids that a dispatch brings, perhaps not there yet: a column a row.

    Behind prompts they are one-dimensional, and ``status`` is None.
    """

    ids: jax.Array
    log_probs: jax.Array
    status: jax.Array | None
    owners: list[Progress | None]
    rows: list[int]


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
        self.embedding = None if self.config.rival is None else self.decoder.embed
        self.length = min(options.length or self.config.decoder.max_positions, self.config.decoder.max_positions)
        per_row = -(-self.length // fused.PAGE)
        self.pool = PagePool(options.pages or options.rows * per_row, options.rows, per_row)
        self.slots = empty_slots(fused.empty_pages(self.decoder, self.pool.size), options.rows, self.length)
        kernels = options.kernels
        if kernels is None:
            kernels = jax.default_backend() == "gpu"
        self.compiled = SlotOptions(self.config.eos_token_id, loops=options.loops, kernels=kernels)
        self._provide(options.rules, options.sampled)
        self.waiting: deque[Progress] = deque()
        self.added = 0
        self.rows: list[Progress | None] = [None] * options.rows
        self.bounds = np.zeros(options.rows, np.int64)
        self.limits = np.zeros(options.rows, np.int64)
        self.pending: deque[_Brought] = deque()
        views = table_rows(self.config, min(options.rows, GROUPS[-1]), options.prompt_tokens)
        self.table = empty_table(self.encoder, views)

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
        if prompt >= self.most:
            raise UserError(
                f"a prompt of {prompt} tokens leaves no room for an answer in rows of {self.most}; choose a mode "
                "with fewer vision tokens"
            )
        self._provide([] if request.rule is None else [request.rule], request.sampling.temperature > 0)
        self.waiting.append(Progress(request, self.added, [], []))
        self.added += 1

    @property
    def most(self) -> int:
        """Most ids of a row, prompt and answer."""
        return min(self.length, self.pool.available * fused.PAGE)

    def _provide(self, rules: Iterable[NoRepeat], sampled: bool) -> None:
        """Widen what is compiled in."""
        look, longest = self.compiled.look, self.compiled.longest
        for rule in rules:
            choice_row(rule, GREEDY)
            look = max(look, min(rule.window or self.length, self.length))
            longest = max(longest, rule.ngram)
        sampled = sampled or self.compiled.sampled
        self.compiled = dataclasses.replace(self.compiled, look=look, longest=longest, sampled=sampled)

    def cancel(self, key: int) -> None:
        """Forget a request, wherever it is; nothing is reported about it any more."""
        self.waiting = deque(progress for progress in self.waiting if progress.request.key != key)
        self._drop([row for row, progress in enumerate(self.rows) if progress and progress.request.key == key])

    def step(self) -> list[Progress]:
        """Let waiting prompts join, dispatch the next stretch, and report the rows to which an earlier one brought ids.

        A request is reported for the last time with its ``finish_reason``.
        """
        self._join()
        active = any(progress is not None for progress in self.rows)
        if active:
            self._dispatch()
        # One stretch stays with the device while the host looks at the one before.
        ahead = 1 if active else 0
        reports: list[Progress] = []
        while self.pending and (not active or sum(one.status is not None for one in self.pending) > ahead):
            reports += self._collect()
        return reports

    def _join(self) -> None:
        while self.waiting:
            free = [row for row, progress in enumerate(self.rows) if progress is None]
            group = self._next_group(len(free))
            if not group:
                return
            self._insert(group, free[: len(group)])

    def _limit(self, request: Request) -> int:
        """Most ids of a request's row."""
        return min(self.most, len(request.example.tokens) + (request.max_new_tokens or self.most))

    def _next_group(self, free: int) -> list[Progress]:
        """Take the first that waits, and others of its padded length that find rows, pages and room together."""
        if not free:
            return []
        length = padded_length(len(self.waiting[0].request.example.tokens))
        most = min(free, max(1, self.options.prompt_tokens // length), GROUPS[-1])
        group: list[Progress] = []
        pages = self.pool.free
        for progress in list(self.waiting)[:LOOK]:
            tokens = len(progress.request.example.tokens)
            if padded_length(tokens) != length:
                continue
            pages -= self.pool.needed(min(tokens + 1 + 2 * self.options.steps, self._limit(progress.request)))
            if pages < 0 or len(group) == most:
                break
            group.append(progress)
        taken = {progress.order for progress in group}
        self.waiting = deque(progress for progress in self.waiting if progress.order not in taken)
        return group

    def _insert(self, group: Sequence[Progress], rows: Sequence[int]) -> None:
        count = next(n for n in GROUPS if n >= len(group))
        examples = [progress.request.example for progress in group]
        length = padded_length(max(len(example.tokens) for example in examples))
        need = rows_needed(examples, self.config.stride)
        if need > self.table.shape[0]:
            self.table = empty_table(self.encoder, 1 << (need - 1).bit_length())
        self.table, index = encode_pictures(
            self.encoder, examples, self.table, self.config, self.backends, self.embedding
        )
        tokens, where = np.zeros((count, length), np.int32), np.full((count, length), -1, np.int32)
        lengths, limits = np.zeros(count, np.int32), np.zeros(count, np.int32)
        slots = np.full(count, self.options.rows, np.int32)
        choices = [choice_row(None, GREEDY)] * count
        for i, (progress, row) in enumerate(zip(group, rows, strict=True)):
            request = progress.request
            n = len(request.example.tokens)
            tokens[i, :n], where[i, :n], lengths[i], slots[i] = request.example.tokens, index[i], n, row
            limits[i] = self._limit(request)
            choices[i] = choice_row(request.rule, request.sampling)
            self.bounds[row], self.limits[row] = n + 1, limits[i]
            self.pool.grow(row, n + 1)
            self.rows[row] = progress
        table = self.pool.table(slots, -(-length // fused.PAGE))
        self.slots, new, log_probs = insert(
            self.decoder, self.slots, self.table, tokens, where, lengths, slots, limits, table, stack_choices(choices),
            self.compiled,
        )  # fmt: skip
        self.pending.append(_Brought(new, log_probs, None, list(group), list(rows)))

    def _dispatch(self) -> None:
        steps = self.options.steps
        self._give_pages(steps)
        width = self.pool.width if self.compiled.kernels else self.pool.used_width()
        table = self.pool.table(np.arange(self.options.rows), width)
        self.slots, ids, log_probs, status = advance(self.decoder, self.slots, table, steps, self.compiled)
        every = list(range(self.options.rows))
        self.pending.append(_Brought(ids, log_probs, status, list(self.rows), every))

    def _give_pages(self, steps: int) -> None:
        """Give every row the pages of its next ids, the oldest request first; the youngest pay when they run short.

        So the oldest request always goes on, and nothing waits for ever.
        """
        order = {row: progress.order for row, progress in enumerate(self.rows) if progress is not None}
        evicted: list[int] = []
        for row in sorted(order, key=order.__getitem__):
            if row in evicted:
                continue
            bound = int(min(self.bounds[row] + steps, self.limits[row]))
            while not self.pool.grow(row, bound):
                youngest = max((r for r in order if r not in evicted), key=order.__getitem__)
                evicted.append(youngest)
                self.pool.release(youngest)
                if youngest == row:
                    break
            self.bounds[row] = bound
        # Greedy and seeded answers come out equal when they begin again.
        again = sorted((self.rows[row] for row in evicted), key=lambda p: -p.order if p else 0)
        self._drop(evicted)
        self.waiting.extendleft(Progress(p.request, p.order, [], []) for p in again if p is not None)

    def _drop(self, rows: Sequence[int]) -> None:
        """Take rows from their requests before they have ended."""
        if rows:
            every = np.full(self.options.rows, self.options.rows, np.int32)
            every[: len(rows)] = rows
            self.slots = release(self.slots, every)
        for row in rows:
            self._free(row)

    def _free(self, row: int) -> None:
        self.rows[row] = None
        self.pool.release(row)

    def _collect(self) -> list[Progress]:
        brought = self.pending.popleft()
        ids, log_probs = np.atleast_2d(np.asarray(brought.ids)), np.atleast_2d(np.asarray(brought.log_probs))
        status = np.full(len(brought.rows), ACTIVE) if brought.status is None else np.asarray(brought.status)
        reports = []
        for i, (owner, row) in enumerate(zip(brought.owners, brought.rows, strict=True)):
            # A row may have been taken from its owner meanwhile.
            if owner is not None and self.rows[row] is owner:
                reports += self._note(owner, row, ids[:, i], log_probs[:, i], int(status[i]))
        return reports

    def _note(
        self, progress: Progress, row: int, ids: np.ndarray, log_probs: np.ndarray, status: int
    ) -> list[Progress]:
        real = ids >= 0
        progress.tokens += ids[real].tolist()
        progress.log_probs += log_probs[real].tolist()
        if status in REASONS:
            progress.finish_reason = REASONS[status]
            self._free(row)
        return [progress] if real.any() or progress.finish_reason else []


def padded_length(tokens: int) -> int:
    """The length that a prompt is padded to."""
    if tokens <= FINE:
        return -(-tokens // PROMPT_STEP) * PROMPT_STEP
    return 1 << (tokens - 1).bit_length()
