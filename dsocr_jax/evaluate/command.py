"""``dsocr evaluate``: from the words of the command line to a table, a JSON file and a report."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.markup import escape

from dsocr_jax.config import RIVALS
from dsocr_jax.console import console
from dsocr_jax.errors import UserError
from dsocr_jax.evaluate.asking import Stopped
from dsocr_jax.evaluate.bootstrap import Bootstrap
from dsocr_jax.evaluate.gather import check_words, gather
from dsocr_jax.evaluate.html import Example, write_html
from dsocr_jax.evaluate.items import Reply
from dsocr_jax.evaluate.options import (
    Charts,
    Compare,
    Compression,
    Documents,
    Geometry,
    Job,
    Kind,
    Molecules,
    Shared,
    Variants,
)
from dsocr_jax.evaluate.parallel import map_scores
from dsocr_jax.evaluate.pictures import png_address
from dsocr_jax.evaluate.result import Evaluation, Labels, Scored, make_groups, write, write_file
from dsocr_jax.evaluate.scoring import SCORERS
from dsocr_jax.evaluate.show import make_examples
from dsocr_jax.evaluate.tables import counts_line, make_grid, print_grid
from dsocr_jax.prompts import PROMPTS

#: Status of a command that was stopped.
STOPPED = 130
#: Pixels along one side of a vision token of the released model, for recorded answers.
RELEASED_STRIDE = 64
#: What changes speed alone, or what is shown, and is no setting of a result.
_NO_SETTINGS = ("out", "workers", "rows", "threads", "compile_cache", "examples")
_KINDS: dict[type[Kind], str] = {Charts: "charts", Molecules: "molecules", Geometry: "geometry"}


def run(job: Job) -> int:
    """Carry out a command; returns the exit status.

    Raises:
        UserError: see the parts.
    """
    if isinstance(job, Compare):
        from dsocr_jax.evaluate.compare import run_compare

        return run_compare(job)
    if isinstance(job, Variants):
        return _variants(job)
    check_words(job)
    try:
        if isinstance(job, Compression):
            return _compression(job)
        if isinstance(job, Documents):
            from dsocr_jax.evaluate.documents.command import run_documents

            return run_documents(job)
        return _kind(job, _KINDS[type(job)])
    except Stopped:
        console.print("stopped; the answers are kept, and the same command goes on with the rest", style="yellow")
        return STOPPED


def _compression(job: Compression) -> int:
    from dsocr_jax.evaluate import compression
    from dsocr_jax.evaluate.compression_plot import plot_compression

    bins = compression.Bins(*job.bins)
    count = _counter(job)
    found = gather(job, "pages", job.data, job.modes, job.prompt)
    vision = _vision_tokens(job)
    scored, counts = compression.score_compression(
        found.items, found.replies, bins, count, vision, missing=job.missing, words=job.words, workers=job.workers
    )
    how = Bootstrap(job.samples, job.level, job.seed)
    groups = compression.group_compression(scored, bins, how)
    evaluation = Evaluation("compression", settings_of(job), {**counts, **found.counts}, groups, tuple(scored))
    plot = plot_compression(groups)
    write_file(job.out / "compression.png", plot)
    inside = [item for item in scored if item.labels["tokens"] != compression.OUTSIDE]
    examples = make_examples("compression", inside, found.items, found.replies, job.examples)
    title = (
        "Words read rightly by the pages' text tokens and by compression; bars are intervals, dotted lines the paper's"
    )
    finish(job, evaluation, [(title, png_address(plot))], examples)
    if any(not reply.mode and reply.vision_tokens is None for reply in found.replies):
        console.print("the mode of these answers is not known: --modes small (say) gives their compression")
    return 0


def _kind(job: Kind, kind: str) -> int:
    modes = () if job.mode is None else (job.mode,)
    found = gather(job, kind, job.data, modes, "figure", job.by)
    if not found.replies:
        raise UserError(f"none of the {len(found.items)} {kind} has an answer; give --checkpoint, or predictions")
    several = {reply.mode for reply in found.replies}
    if len(several) > 1:
        raise UserError(f"the answers are in {len(several)} modes ({', '.join(sorted(several))}); choose one by --mode")
    mode = several.pop()
    known = {reply.id: reply for reply in found.replies}
    pages = [item for item in found.items if item.id in known or job.missing == "empty"]
    texts = [known.get(item.id, Reply(item.id, "")).text.strip() for item in pages]
    examples = [(text, item.truth.strip()) for text, item in zip(texts, pages, strict=True)]
    rows = map_scores(SCORERS[kind], examples, [item.id for item in pages], f"scoring {kind}", job.workers)
    scored = [
        Scored(item.id, {**item.labels, "mode": mode} if mode else dict(item.labels), row)
        for item, row in zip(pages, rows, strict=True)
    ]
    names: list[Labels] = [{}]
    for label in job.by:
        names += [{label: value} for value in sorted({item.labels[label] for item in scored if label in item.labels})]
    groups = make_groups(scored, names, Bootstrap(job.samples, job.level, job.seed))
    counts = {"examples": len(found.items), "answered": len(known), "missing_answers": len(found.items) - len(known)}
    evaluation = Evaluation(kind, settings_of(job), {**counts, **found.counts}, groups, tuple(scored))
    finish(job, evaluation, [], make_examples(kind, scored, found.items, found.replies, job.examples))
    return 0


def _variants(job: Variants) -> int:
    import json
    import zlib

    from dsocr_jax.evaluate.sources import read_source
    from dsocr_jax.evaluate.variants import make_variant

    # Variants are of text: of a set whose pages have other labels too, those in plain text are taken.
    items = read_source(job.data, "pages", limit=job.limit, prompt=PROMPTS["free"]).items
    # A page's own seed, so that a page does not depend on those before it.
    texts = [make_variant(job.variant, item.truth, zlib.crc32(f"{job.seed}:{item.id}".encode())) for item in items]
    lines = [{"id": item.id, "text": text} for item, text in zip(items, texts, strict=True)]
    write_file(job.out, "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines))
    console.print(f"written {len(lines)} texts to {escape(str(job.out))}")
    return 0


def finish(job: Shared, evaluation: Evaluation, plots: Sequence[tuple[str, str]], examples: Sequence[Example]) -> None:
    """Write a result and print its table.

    Raises:
        UserError: the folder cannot be written.
    """
    grid = make_grid(evaluation)
    written = [write(evaluation, job.out), write_html(evaluation, [grid], job.out, plots, examples)]
    print_grid(grid)
    print(counts_line(evaluation.counts))
    console.print(f"written {escape(' and '.join(map(str, written)))}")


def settings_of(job: Shared) -> dict[str, Any]:
    """Return what a result depends on, as JSON holds it."""
    settings = {name: value for name, value in dataclasses.asdict(job).items() if name not in _NO_SETTINGS}
    settings |= {"rivals": [str(path) for path in job.rivals]} if isinstance(job, Compression) else {}
    return {name: str(value) if isinstance(value, Path) else value for name, value in settings.items()}


def _vision_tokens(job: Compression) -> dict[str, int]:
    """Return the vision tokens of each mode whose tokens do not depend on the picture; others pad, or cut tiles."""
    from dsocr_jax.modes import MODES, view_side

    modes, stride = list(MODES.values()), RELEASED_STRIDE
    if job.checkpoint is not None:
        from dsocr_jax.weights.checkpoint import read_config

        config = read_config(job.checkpoint)
        modes, stride = list(config.modes), config.stride
    found = {mode.name: view_side(mode.base_size, stride) ** 2 for mode in modes if mode.fit == "stretch"}
    return found | {f"{mode}, {kind}": tokens for mode, tokens in found.items() for kind in RIVALS}


def _counter(job: Compression) -> Any:
    """Return what counts text tokens; None where nobody can."""
    from dsocr_jax.tokenizer import Tokenizer

    if job.tokenizer is not None:
        tokenizer = Tokenizer.load(job.tokenizer)
    elif job.checkpoint is not None:
        from dsocr_jax.weights.checkpoint import model_folder, read_config
        from dsocr_jax.weights.tokenizer_files import load_tokenizer

        tokenizer = load_tokenizer(model_folder(job.checkpoint), read_config(job.checkpoint))
    else:
        return None
    return lambda text: len(tokenizer.encode(text))
