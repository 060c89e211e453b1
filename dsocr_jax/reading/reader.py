"""Pages in, answers out.

    reader = Reader(load_model("model/"), ReadOptions("base", prompt="markdown"))
    for item in reader.read(open_documents(["scan.pdf", "photo.jpg"])):
        print(item.message if isinstance(item, Failure) else item.text)

One `Reader` holds one engine. Its methods may be called from any number of threads at once: all their pages, of any
size, mode and prompt, share the engine's batch, and none changes another's answer (float32: equal ids; bfloat16: up to
rounding, which may turn near ties between two ids).
"""

import dataclasses
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import islice
from queue import SimpleQueue
from typing import Any

import jax
import numpy as np

from dsocr_jax.batch import Example, make_example
from dsocr_jax.config import ModelConfig
from dsocr_jax.errors import UserError
from dsocr_jax.model.backends import Backends, best_backends
from dsocr_jax.modes import find_mode
from dsocr_jax.prompts import IMAGE
from dsocr_jax.reading import fused
from dsocr_jax.reading.asking import Answer, Ask, ReadOptions, Try, plan_tries
from dsocr_jax.reading.desk import Desk, Ticket
from dsocr_jax.reading.documents import Failure, Page
from dsocr_jax.reading.engine import GROUPS, Engine, EngineOptions
from dsocr_jax.reading.flow import Flow
from dsocr_jax.reading.shapes import Shape, compile_shape, list_shapes
from dsocr_jax.reading.vision import encode_pictures
from dsocr_jax.weights.checkpoint import LoadedModel

__all__ = ["Answer", "Ask", "Failure", "Page", "ReadOptions", "Reader", "Ticket"]

#: Rows where nothing else is said.
CPU_ROWS, ROWS = 8, 256
#: Share of the device's free memory that the cache may take, and its bytes where that is not known (on CPUs).
CACHE_SHARE, CACHE_BYTES = 0.6, 2 << 30


class Reader:
    """A loaded model that reads pages.

    Args:
        loaded: the model, its configuration and its tokenizer.
        options: how pages are read unless an `Ask` says otherwise.
        backends: how the encoder computes; by default what is fastest on the device.

    Raises:
        UserError: an option names what the model does not have, or the tokenizer is missing.
    """

    def __init__(self, loaded: LoadedModel, options: ReadOptions, backends: Backends | None = None):
        self.config, self.model, self.tokenizer = loaded
        self.options = options
        self.tries = plan_tries(options, self.config, self.tokenizer)
        rows = options.rows or (CPU_ROWS if jax.default_backend() == "cpu" else ROWS)
        self.rows = rows
        dtype = self.model.decoder.embed.embedding[...].dtype
        length = min(options.length or self.config.decoder.max_positions, self.config.decoder.max_positions)
        engine = EngineOptions(
            rows=rows,
            steps=options.steps,
            pages=options.cache_pages or _cache_pages(self.config, rows, length, dtype.itemsize),
            length=length,
            loops=options.loops,
            rules=tuple(one.rule for one in self.tries if one.rule is not None),
            sampled=options.sampling.temperature > 0,
        )
        if backends is None:
            backends = dataclasses.replace(best_backends(dtype), layers="unrolled", remat="none")
        self.desk = Desk(Engine(self.model, engine, backends), self.tokenizer, options.threads, options.blank)

    @property
    def mode(self) -> str:
        """Name of the mode of pages that name none."""
        return self.tries[0].mode.name

    @property
    def prompt(self) -> str:
        """The prompt of pages that bring none, as it is asked."""
        return self.tries[0].prompt

    def read(
        self, items: Iterable[Page | Failure | Ask], ordered: bool = True, stopping: Callable[[], bool] | None = None
    ) -> Iterator[Answer | Failure]:
        """Read pages, taken from ``items`` on a thread of their own, never more at once than the options' ``ahead``.

        Args:
            items: pages, each with its wishes or without; failures pass through.
            ordered: answers come in the order of the pages; otherwise as they are ready.
            stopping: asked now and then; once it is true no further page is begun, and the answers of those at work
                are the last.

        Yields:
            An answer, or a failure, for every item. What cannot be read (a prompt that leaves no room, say) fails
            alone.

        Raises:
            Exception: whatever ``items`` raises, after the answers of what came before it.
        """
        ahead = self.options.ahead or 4 * self.rows
        return Flow(self.submit, self.desk.drop_waiting, ahead, ordered, stopping).run(items)

    def submit(self, item: Page | Ask, on_text: Callable[[str], None] | None = None) -> Ticket:
        """Put one page among those at work; the call returns at once.

        The ticket's ``future`` brings the `Answer` or `Failure`; ``cancel()`` gives the page up. With ``on_text`` the
        answer's text comes in pieces beforehand (see `stream`), told on the engine's thread: do not wait there.

        Raises:
            UserError: an unknown mode or rule, or a prompt with several pictures.
        """
        ask = item if isinstance(item, Ask) else Ask(item)
        tries = plan_tries(self.options, self.config, self.tokenizer, ask)
        # What has been told cannot be taken back, so a streamed page has no second try.
        return self.desk.submit(ask, tries[:1] if on_text else tries, on_text)

    def stream(self, item: Page | Ask) -> Iterator[str]:
        """Yield one page's text piece by piece, in whole characters; joined, the pieces are the answer's text.

        Closing the iterator early gives the page up.

        Raises:
            UserError: the page cannot be read.
        """
        pieces: SimpleQueue[str | None] = SimpleQueue()
        ticket = self.submit(item, pieces.put)
        ticket.future.add_done_callback(lambda _: pieces.put(None))
        try:
            while (piece := pieces.get()) is not None:
                yield piece
            result = ticket.future.result()
            if isinstance(result, Failure):
                raise UserError(result.message)
        finally:
            ticket.cancel()

    def encode(self, pages: Iterable[Page], mode: str | None = None) -> Iterator[np.ndarray]:
        """Yield each page's vision tokens alone: what stands for the picture in a prompt.

        Args:
            pages: the pictures.
            mode: name of a mode; by default the options' own.

        Yields:
            [n, hidden] in the model's type (float32, or ml_dtypes' bfloat16): tiles, global view, newlines and
            separator in the prompt's order; n is `dsocr_jax.modes.count_tokens`.
        """
        chosen = find_mode(mode or self.mode, {one.name: one for one in self.config.modes})

        def make(page: Page) -> Example:
            return make_example(self.tokenizer, self.config, chosen, IMAGE, page.image)

        def encode(examples: Sequence[Example]) -> list[np.ndarray]:
            engine = self.desk.engine
            engine.table, index = encode_pictures(engine.encoder, examples, engine.table, self.config, engine.backends)
            places = [rows[rows >= 0] for rows in index]
            table = np.asarray(engine.table)
            return [table[rows] for rows in places]

        with ThreadPoolExecutor(self.options.threads) as pool:
            some = iter(pages)
            while group := list(islice(some, GROUPS[1])):
                yield from self.desk.call(partial(encode, list(pool.map(make, group))))

    def shapes(self, modes: Sequence[str] | None = None) -> list[Shape]:
        """Return every shape that the engine will compile for these modes (the options' own when none are named)."""
        return list_shapes(self.desk.engine, self._tries(modes), self.tokenizer)

    def warm_up(
        self, modes: Sequence[str] | None = None, advance: Callable[[int, str], Any] = lambda amount, note: None
    ) -> int:
        """Compile every shape of `shapes`, so that no page waits for it; returns their number.

        Args:
            modes: names of the modes that will occur; by default the options' own.
            advance: told after each shape, with its description.
        """
        found = self.shapes(modes)
        for shape in found:
            self.desk.call(partial(compile_shape, self.desk.engine, shape))
            advance(1, str(shape))
        return len(found)

    def _tries(self, modes: Sequence[str] | None) -> list[Try]:
        if modes is None:
            return list(self.tries)
        known = {mode.name: mode for mode in self.config.modes}
        return [dataclasses.replace(one, mode=find_mode(name, known)) for name in modes for one in self.tries]


def _cache_pages(config: ModelConfig, rows: int, length: int, itemsize: int) -> int:
    """Pages of the cache for all rows at their longest, or what fits into memory."""
    wanted = rows * -(-length // fused.PAGE)
    stats = jax.devices()[0].memory_stats() or {}
    room = CACHE_BYTES
    if "bytes_limit" in stats:
        room = int(CACHE_SHARE * (stats["bytes_limit"] - stats["bytes_in_use"]))
    most = room // fused.page_bytes(config.decoder, itemsize)
    one = -(-length // fused.PAGE)
    if most < one:
        raise UserError(
            f"the device's memory holds {most * fused.PAGE} tokens of one answer, and {length} are asked; "
            "take a shorter length, or a device with more memory"
        )
    return min(wanted, most)
