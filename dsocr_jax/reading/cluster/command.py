"""``dsocr read-cluster``: batch reading from the command line."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import tyro
from rich.markup import escape
from rich.table import Table

from dsocr_jax.console import console, progress
from dsocr_jax.stop_signals import stop_signals

if TYPE_CHECKING:
    from dsocr_jax.reading.cluster.run import ClusterSummary

#: Statuses of the command.
ALL_READ, SOME_FAILED, STOPPED = 0, 1, 130
#: Shards given up that are listed one by one.
LISTED = 20


def read_cluster(
    sources: Annotated[list[str], tyro.conf.Positional],
    /,
    checkpoint: Path,
    out: Path,
    engine: Literal["ray", "local"] = "local",
    actors: int | None = None,
    gpus_per_actor: float | None = None,
    cpus_per_actor: float = 1,
    shard_pages: int = 512,
    at_once: int = 2,
    retries: int = 3,
    keep_plan: bool = False,
    retry_failed: bool = False,
    merge: bool = False,
    mode: str | None = None,
    prompt: str = "free",
    locate: str = "",
    max_new_tokens: int | None = None,
    no_repeat: Literal["off", "plain", "plain-eval", "image", "pdf", "batch"] = "off",
    ladder: bool = False,
    blank: bool = True,
    loops: bool = True,
    rows: int | None = None,
    threads: int | None = None,
    compile_cache: bool = True,
    dtype: Literal["auto", "float32", "bfloat16"] = "auto",
    dpi: float = 144,
    max_pixels: int = 100_000_000,
    password: str | None = None,
) -> int:
    """Read very many pages on many machines (Ray), or on all devices of this one, into shards of JSON lines.

    OUT/shards gets a file for every --shard-pages pages, each page exactly once, failures with their reason; the same
    command goes on where an earlier one was stopped. All machines must reach the sources, the checkpoint and OUT under
    the same paths. Exit status: 0 all pages were read, 1 some were not or it could not begin, 130 it was stopped.

    Args:
        sources: pictures, PDFs, folders (searched with their subfolders) or quoted patterns ('scans/**/*.png').
        checkpoint: a model folder, or the folder of a training run.
        out: folder of the plan and the shards, shared by all machines.
        engine: ray (extra 'cluster'; $RAY_ADDRESS or the cluster of this machine), or processes of this machine.
        actors: workers, each with a model of its own; by default one for each GPU, or one on a CPU.
        gpus_per_actor: share of a GPU, up to 1; 0 computes on CPUs. By default 1 where there are GPUs.
        cpus_per_actor: processors that an actor takes from Ray.
        shard_pages: pages of a file of answers, and what is read again when a worker dies.
        at_once: shards that an actor reads at the same time, so that its batch stays full.
        retries: how often a shard is begun again, elsewhere, after its worker or node died; then it is given up.
        keep_plan: go on by the plan that is there although files have changed since.
        retry_failed: read whole shards with failed pages again, too (a disk that was away, say).
        merge: when all is read, join the shards in order to OUT/pages.jsonl.
        mode: one of the model's modes; by default its first.
        prompt: markdown, ocr, free, figure, describe, locate, or any text.
        locate: what to look for with the prompt 'locate'.
        max_new_tokens: most tokens of an answer; by default what the model's context leaves.
        no_repeat: a rule against repetition, named after the released scripts.
        ladder: read a page whose answer goes in circles again, with a stronger rule and then in the next mode.
        blank: give blank pages an empty answer without asking the model.
        loops: end answers that go in circles.
        rows: pages that an actor reads at the same time; by default 8 on CPUs and 256 on accelerators.
        threads: pages opened and prepared at the same time by an actor; by default one for each processor here, up to
            16.
        compile_cache: keep compiled programs in $DSOCR_COMPILE_CACHE, by default a folder in the user's cache.
        dtype: 'auto' is bfloat16 on accelerators and float32 on CPUs.
        dpi: resolution at which PDF pages are drawn.
        max_pixels: largest picture that is opened, in pixels.
        password: opens encrypted PDFs; it is not written to the plan.
    """
    from dsocr_jax.reading.asking import ReadOptions
    from dsocr_jax.reading.choose import LOOPS
    from dsocr_jax.reading.cluster.merge import merge as join
    from dsocr_jax.reading.cluster.run import ClusterOptions, run
    from dsocr_jax.reading.documents import DocumentOptions
    from dsocr_jax.reading.shapes import cache_folder
    from dsocr_jax.weights.checkpoint import read_config

    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    cluster = ClusterOptions(
        engine, actors, gpus_per_actor, cpus_per_actor, shard_pages, at_once, retries, keep_plan,
        retry_failed, cache_folder() if compile_cache else None,
    )  # fmt: skip
    reading = ReadOptions(
        mode or read_config(checkpoint).modes[0].name,
        prompt,
        locate,
        max_new_tokens,
        None if no_repeat == "off" else no_repeat,
        ladder=ladder,
        blank=blank,
        loops=LOOPS if loops else None,
        rows=rows,
        threads=threads or min(16, os.cpu_count() or 1),
    )
    documents = DocumentOptions(max_pixels=max_pixels, dpi=dpi, password=password)
    with stop_signals() as stop:
        summary = run(sources, checkpoint, out, reading, documents, cluster, dtype, stop.is_set)
    for name, reason in list(summary.failed_shards.items())[:LISTED]:
        console.print("[bold red]not read:[/]", escape(f"{name}: {reason}"))
    console.print(_table(summary))
    if summary.stopped:
        console.print("stopped; finished shards are kept, and the same command goes on with the rest", style="yellow")
        return STOPPED
    if merge and not summary.failed_shards:
        with progress("merging", summary.shards, "shards") as advance:
            console.print(escape(f"answers in {join(out, advance=advance)}"))
    else:
        console.print(escape(f"answers in {out / 'shards'}"))
    return SOME_FAILED if summary.failed_shards or summary.total.failed else ALL_READ


def _table(summary: "ClusterSummary") -> Table:
    total = summary.total
    table = Table(show_header=False, box=None, pad_edge=False, padding=(0, 2))
    table.add_column(justify="right", style="bold")
    table.add_column()
    rate = summary.pages_per_second
    new, answered = total.pages - summary.before, total.pages - total.failed
    seen = answered - total.blank
    rows = [(new, f"pages in {summary.seconds:.0f} s: {rate:.2f} pages/s, {rate * 86400:,.0f} a day")]
    if summary.before:
        rows.append((summary.before, "pages read before"))
    if total.blank:
        rows.append((total.blank, "of all blank"))
    if seen:
        rows.append((total.answer_tokens, f"answer tokens, {total.answer_tokens / seen:.1f} a page"))
        ratio = total.answer_tokens / total.vision_tokens if total.vision_tokens else 0.0
        rows.append((total.vision_tokens, f"vision tokens, {ratio:.2f} answer tokens for each"))
        rows.append((total.looped, f"loops ({total.looped / seen:.1%} of pages)"))
    if total.cut:
        rows.append((total.cut, "answers cut off by the limit of tokens"))
    rows.append((total.failed, "pages not read (their lines say why)"))
    if summary.failed_shards:
        rows.append((len(summary.failed_shards), f"of {summary.shards} shards given up; the same command tries again"))
    for number, what in rows:
        table.add_row(f"{number:,}", what)
    return table
