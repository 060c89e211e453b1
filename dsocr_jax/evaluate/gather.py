"""Pages, truths and answers of one command: from sets and folders, from recorded answers, from a model."""

import dataclasses
import os
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from dsocr_jax.errors import UserError
from dsocr_jax.evaluate.asking import Asking, answer
from dsocr_jax.evaluate.items import PLAIN, Item, Reply, Source
from dsocr_jax.evaluate.options import Compression, Shared
from dsocr_jax.evaluate.recorded import check_belong, read_recorded, read_replies
from dsocr_jax.evaluate.result import FILE
from dsocr_jax.evaluate.rivals import check_equal
from dsocr_jax.evaluate.sources import read_source
from dsocr_jax.prompts import prompt_text


@dataclasses.dataclass(frozen=True)
class Gathered:
    """What a command works on.

    Attributes:
        items: pages with truths.
        replies: answers, all to these pages.
        counts: what is missing and why.
    """

    items: list[Item]
    replies: list[Reply]
    counts: dict[str, int]


def check_words(job: Shared) -> None:
    """Refuse a command that cannot be carried out, before anything is read.

    Raises:
        UserError: neither or both of --recorded and --checkpoint, no pages for the model, or a file where the folder
            should be.
    """
    if (job.recorded is None) == (job.checkpoint is None):
        raise UserError("where do the answers come from? give either --recorded FILE or --checkpoint MODEL")
    if job.recorded is not None and isinstance(job, Compression) and job.rivals:
        raise UserError(
            "--rivals are models to be asked beside --checkpoint; answers of theirs are told apart by 'mode'"
        )
    if job.checkpoint is not None and getattr(job, "data", None) is None:
        raise UserError("give --data: the pages to read, with their truths")
    if job.out.exists() and not job.out.is_dir():
        raise UserError(f"{job.out}: a file; --out must be a folder (it gets {FILE} and report.html)")
    if job.samples < 0 or not 0 < job.level < 1:
        raise UserError(f"--samples must be at least 0 and --level between 0 and 1, not {job.samples} and {job.level}")


def gather(
    job: Shared, kind: str, data: Path | None, modes: Sequence[str], prompt: str, by: tuple[str, ...] = ()
) -> Gathered:
    """Read truths, and read or make answers.

    Args:
        job: the command.
        kind: of the samples.
        data: where the truths are; None takes them from the recorded answers.
        modes: to read in; empty takes the model's first.
        prompt: what is asked of pages that bring no prompt.
        by: entries of the samples' remarks that become labels.

    Raises:
        UserError: see the parts.
    """
    # A set of pages may hold three labels of one page, which its prompts tell apart.
    only = prompt_text(prompt) if kind == "pages" else ""
    if data is None:
        assert job.recorded is not None  # see `check_words`
        source, replies = read_recorded(job.recorded)
        items = list(source.items)[: job.limit]
        names = {(item.set, item.id) for item in items}
        replies = [reply for reply in replies if (reply.set, reply.id) in names]
        return Gathered(items, _in_mode(replies, modes), {})
    language = job.fox_language if isinstance(job, Compression) else "en"
    sources = [
        read_source(path, kind, name, limit=job.limit, by=by, prompt=only, language=language)
        for name, path in [(PLAIN, data), *variants_of(job)]
    ]
    items = [item for source in sources for item in source.items]
    counts = _sum(sources)
    if job.recorded is not None:
        replies = read_replies(job.recorded)
        # With a limit, answers to the pages beyond it are no strangers.
        names = {(item.set, item.id) for item in items}
        if job.limit is None:
            check_belong(replies, items, str(job.recorded))
        replies = [reply for reply in replies if (reply.set, reply.id) in names]
        return Gathered(items, _in_mode(replies, modes), counts)
    asking = asking_of(job, modes, prompt)
    rivals = job.rivals if isinstance(job, Compression) else ()
    check_equal(asking.checkpoint, rivals, asking.modes)
    replies, total = [], Counter(counts)
    for one in (asking, *(dataclasses.replace(asking, checkpoint=folder) for folder in rivals)):
        told, more = answer(items, one, job.out, prompt)
        replies += told
        total.update(more)
    return Gathered(items, replies, dict(total))


def asking_of(job: Shared, modes: Sequence[str], prompt: str, plain_text: bool = False) -> Asking:
    """Return how the model of a command is asked.

    Raises:
        UserError: no such model or mode, or one that is given text and must read pictures.
    """
    import jax

    from dsocr_jax.modes import find_mode
    from dsocr_jax.reading.asking import ReadOptions
    from dsocr_jax.reading.choose import LOOPS
    from dsocr_jax.reading.shapes import cache_folder, use_compile_cache
    from dsocr_jax.weights.checkpoint import read_config

    assert job.checkpoint is not None
    config = read_config(job.checkpoint)
    if config.rival is not None and not isinstance(job, Compression):
        raise UserError(
            f"{job.checkpoint}: its encoder is given text ({config.rival.kind}) and reads no picture; only `dsocr "
            "evaluate compression` can ask it"
        )
    known = {mode.name: mode for mode in config.modes}
    first = next(iter(known))
    chosen = tuple(dict.fromkeys(find_mode(mode, known).name for mode in modes)) or (first,)
    if job.compile_cache:
        use_compile_cache(cache_folder())
    options = ReadOptions(
        first,
        prompt,
        max_new_tokens=job.max_new_tokens,
        rule=None if job.no_repeat == "off" else job.no_repeat,
        loops=LOOPS if job.loops else None,
        rows=job.rows,
        threads=job.threads or min(16, os.cpu_count() or 1),
    )
    dtype = job.dtype
    if dtype == "auto":
        dtype = "float32" if jax.default_backend() == "cpu" else "bfloat16"
    return Asking(job.checkpoint, options, chosen, dtype, plain_text)


def variants_of(job: Shared) -> list[tuple[str, Path]]:
    """Return the prior-free variants of a command: names and places.

    Raises:
        UserError: one is not NAME=PATH, or a name occurs twice.
    """
    found: list[tuple[str, Path]] = []
    for word in job.variants if isinstance(job, Compression) else ():
        name, equals, path = word.partition("=")
        if not (name and equals and path) or name == PLAIN or name in dict(found):
            raise UserError(f"--variants takes NAME=PATH with different names (shuffled=sets/shuffled), not {word!r}")
        found.append((name, Path(path)))
    return found


def _in_mode(replies: list[Reply], modes: Sequence[str]) -> list[Reply]:
    """Give replies that do not say their mode the one that the command names; of others, keep the modes named."""
    if len(modes) == 1:
        replies = [reply if reply.mode else dataclasses.replace(reply, mode=modes[0]) for reply in replies]
    if not modes:
        return replies
    kept = [reply for reply in replies if reply.mode in modes]
    if replies and not kept:
        there = ", ".join(sorted({reply.mode or "none said" for reply in replies}))
        raise UserError(f"no recorded answer is in the mode {' or '.join(modes)}; their modes: {there}")
    return kept


def _sum(sources: Sequence[Source]) -> dict[str, int]:
    total: Counter[str] = Counter()
    for source in sources:
        total.update(source.counts)
    return dict(total)
