"""Answers of a model to evaluated pages, kept in a file: what has been answered is not asked again."""

import dataclasses
import hashlib
import json
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dsocr_jax.console import console, progress
from dsocr_jax.errors import UserError
from dsocr_jax.evaluate.items import Item, Reply
from dsocr_jax.evaluate.lines import Appender, read_lines
from dsocr_jax.evaluate.rivals import shown_mode

if TYPE_CHECKING:
    from dsocr_jax.config import ModelConfig
    from dsocr_jax.reading.asking import Answer, Ask, ReadOptions
    from dsocr_jax.reading.documents import Failure

#: The file of an evaluation folder that answers go to.
FILE = "answers.jsonl"
#: Failures that are listed one by one.
LISTED = 10


@dataclass(frozen=True)
class Asking:
    """How a model is asked.

    Attributes:
        checkpoint: the model.
        options: as `dsocr read` takes them; their mode is that of the first of ``modes``.
        modes: every page is read in each of them.
        dtype: of the weights.
        plain_text: answers are turned into Markdown without grounding.
    """

    checkpoint: Path
    options: "ReadOptions"
    modes: tuple[str, ...]
    dtype: str
    plain_text: bool = False


class Stopped(Exception):
    """The user stopped it; what has been answered is kept."""


def answer(items: Sequence[Item], asking: Asking, folder: Path, prompt: str = "") -> tuple[list[Reply], dict[str, int]]:
    """Ask the model about every item in every mode; answers are added to ``folder / FILE`` as they come.

    An answer of an earlier call is taken if the item, its truth, the prompt, the options and the model's files are the
    same. Items without a picture get no answer.

    Args:
        items: the pages.
        asking: the model and how it is asked.
        folder: of the evaluation.
        prompt: what is asked of items that bring no prompt; empty for the options' own.

    Returns:
        The answers, and counts: pages not read, answers kept from before.

    Raises:
        UserError: the model cannot be loaded, or the file cannot be written.
        Stopped: Ctrl-C or SIGTERM.
    """
    from dsocr_jax.weights.checkpoint import read_config

    base, config = settings_of(asking), read_config(asking.checkpoint)
    if config.rival is not None:
        text = f"{asking.checkpoint}: not read with, but GIVEN THE TEXT of each page itself ({config.rival.kind})"
        console.print(text, style="bold yellow", markup=False)
    wanted = {
        _key(base, item, mode, item.prompt or prompt): (item, mode)
        for mode in asking.modes
        for item in items
        if item.picture is not None
    }
    file = folder / FILE
    found = _kept(file, wanted)
    left = {key: pair for key, pair in wanted.items() if key not in found}
    if found:
        console.print(f"{len(found)} answers are there already", style="dim")
    failures: list[str] = []
    if left:
        with Appender(file) as lines:
            for key, result in _read(left, asking, prompt):
                item, mode = left[key][0], shown_mode(left[key][1], config)
                named = {"key": key, "id": item.id, "set": item.set, "mode": mode}
                if isinstance(result, str):
                    failures.append(f"{item.id} ({mode}): {result}")
                    lines.add({**named, "error": result})
                    continue
                found[key] = dataclasses.replace(result, id=item.id, set=item.set, mode=mode)
                told = {"prediction": result.text, "finish_reason": result.finish_reason}
                numbers = {"answer_tokens": result.answer_tokens, "vision_tokens": result.vision_tokens}
                lines.add({**named, **told, **numbers})
    for failure in failures[:LISTED]:
        console.print("not read:", failure, markup=False)
    if len(failures) > LISTED:
        console.print(f"not read: {len(failures) - LISTED} more")
    return [found[key] for key in wanted if key in found], {"not_read": len(failures)}


def settings_of(asking: Asking) -> str:
    """Return everything beside the page that an answer depends on, as a digest."""
    from dsocr_jax.reading.command import ReadJob, settings_text
    from dsocr_jax.reading.documents import DocumentOptions

    job = ReadJob(
        [], asking.checkpoint, None, None, again=False, ordered=False, drawings=False, warm=False,
        dtype=asking.dtype, reading=asking.options, documents=DocumentOptions(),
    )  # fmt: skip
    return settings_text(job)


def _key(base: str, item: Item, mode: str, prompt: str) -> str:
    said = json.dumps([base, item.set, item.id, mode, prompt, item.truth])
    return hashlib.sha256(said.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def _kept(file: Path, wanted: dict[str, Any]) -> dict[str, Reply]:
    """Return the answers of earlier calls that are wanted now."""
    found: dict[str, Reply] = {}
    if not file.exists():
        return found
    for number, data in read_lines(file, torn=True):
        key = data.get("key")
        if not isinstance(key, str) or key not in wanted or "error" in data:
            continue
        try:
            found[key] = Reply(
                str(data["id"]), str(data["prediction"]), str(data["set"]), str(data["mode"]),
                str(data["finish_reason"]), int(data["answer_tokens"]), int(data["vision_tokens"]),
            )  # fmt: skip
        except (KeyError, TypeError, ValueError) as error:
            raise UserError(f"{file}, line {number}: not an answer ({error!r}); delete the line") from None
    return found


def _read(wanted: dict[str, tuple[Item, str]], asking: Asking, prompt: str) -> Iterator[tuple[str, Reply | str]]:
    """Yield (key, answer or what went wrong) as pages are read."""
    from dsocr_jax.modes import valid_tokens_by_paper, view_side
    from dsocr_jax.reading.asking import Answer
    from dsocr_jax.reading.reader import Reader
    from dsocr_jax.stop_signals import stop_signals
    from dsocr_jax.weights.checkpoint import load_model

    with (
        stop_signals("stopping: the pages at work are finished; Ctrl-C again stops at once") as stop,
        progress("reading", len(wanted), "pages") as advance,
    ):
        reader = Reader(load_model(asking.checkpoint, asking.dtype), asking.options)
        modes = {mode.name: mode for mode in reader.config.modes}
        asks = _asks(wanted, prompt, asking.options.threads, reader.config)
        for result in reader.read(asks, ordered=False, stopping=stop.is_set):
            advance(1, "")
            if not isinstance(result, Answer):
                yield result.source, result.message
                continue
            # What shows the picture, as the paper counts it: without newlines, separator and padding.
            mode = modes[result.mode or reader.mode]
            vision = valid_tokens_by_paper(*result.page.image.size, mode, reader.config.stride)
            if reader.config.rival is not None:  # a text has no padding
                vision = view_side(mode.base_size, reader.config.stride) ** 2
            text = _plain(result) if asking.plain_text else result.text
            yield result.page.source, Reply("", text, "", "", result.finish_reason, len(result.token_ids), vision)
        if stop.is_set():
            raise Stopped


def _plain(result: "Answer") -> str:
    from dsocr_jax.reading.writer import understood

    return understood(result).markdown


def _asks(
    wanted: dict[str, tuple[Item, str]], prompt: str, threads: int, config: "ModelConfig"
) -> "Iterator[Ask | Failure]":
    """Open the pictures on threads, a few ahead, in order; a page's source is its key. Rivals get the truths, too."""

    def opener(key: str, item: Item, mode: str) -> "Callable[[], Ask | Failure]":
        def open_one() -> "Ask | Failure":
            from dsocr_jax.reading.asking import Ask
            from dsocr_jax.reading.documents import Failure, Page

            assert item.picture is not None
            try:
                text = None if config.rival is None else item.truth
                return Ask(Page(item.picture(), key, name=key), mode, item.prompt or prompt or None, text=text)
            except UserError as error:
                return Failure(key, str(error))

        return open_one

    running: deque[Future[Ask | Failure]] = deque()
    with ThreadPoolExecutor(threads, "open") as pool:
        for key, (item, mode) in wanted.items():
            running.append(pool.submit(opener(key, item, mode)))
            if len(running) > 2 * threads:
                yield running.popleft().result()
        while running:
            yield running.popleft().result()
