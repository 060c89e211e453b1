"""``python -m train.show_mask FILE --line N``: the tokens of a sample, with those that count in the loss marked."""

import dataclasses
from pathlib import Path
from typing import Annotated

import tyro
from rich.console import Console
from rich.text import Text

from dsocr_jax.batch import Example
from dsocr_jax.config import ModelConfig, preset
from dsocr_jax.console import run_door
from dsocr_jax.modes import find_mode
from dsocr_jax.tokenizer import Tokenizer

#: Between two tokens, and around those that count.
BETWEEN, OPEN, CLOSE = "│", "⟦", "⟧"
#: Characters that would break the line, as they are shown.
SHOWN = str.maketrans({"\n": "⏎", "\t": "⇥", "\r": "␍"})
COUNTED, OTHER, MARK = "bold green", "dim", "yellow"


@dataclasses.dataclass(frozen=True)
class Options:
    """What to show."""

    #: A file of lines of JSON (pictures and turns), or a folder of samples.
    file: Annotated[Path, tyro.conf.Positional]
    #: Line of the file, or number of the folder's sample; from 1.
    line: int = 1
    #: Folder of a model, whose tokenizer and modes are taken; without it those of the preset nano.
    model: Path | None = None
    #: Mode that the pictures are read in; the model's first when not given.
    mode: str | None = None


def pieces(example: Example, tokenizer: Tokenizer, model: ModelConfig) -> list[tuple[str, bool]]:
    """Return the tokens as text, each with whether it counts in the loss; a run of placeholders is one piece."""
    from dsocr_jax.batch import IGNORED

    out: list[tuple[str, bool]] = []
    placeholders = 0
    for token, label in zip(example.tokens.tolist(), example.labels.tolist(), strict=True):
        if token == model.image_token_id:
            placeholders += 1
            continue
        if placeholders:
            out.append((f"<image> x {placeholders}", False))
            placeholders = 0
        out.append((tokenizer.decode([token]).translate(SHOWN), label != IGNORED))
    return [*out, (f"<image> x {placeholders}", False)] if placeholders else out


def marked(tokens: list[tuple[str, bool]]) -> Text:
    """Return the tokens as one coloured text; what counts also stands in brackets, for where there are no colours."""
    text, inside = Text(), False
    for number, (token, counts) in enumerate(tokens):
        if counts != inside:
            text.append(OPEN if counts else CLOSE, MARK)
        elif number:
            text.append(BETWEEN, MARK)
        text.append(token, COUNTED if counts else OTHER)
        inside = counts
    return text.append(CLOSE, MARK) if inside else text


def show(options: Options, console: Console) -> None:
    """Print one sample.

    Raises:
        UserError: there is no such sample, or it cannot be read.
    """
    from train.lines import example_of_sample, find_sample

    if options.model is None:
        model, tokenizer = preset("nano"), Tokenizer.load()
    else:
        from dsocr_jax.weights.checkpoint import model_folder, read_config
        from dsocr_jax.weights.tokenizer_files import load_tokenizer

        model = read_config(options.model)
        tokenizer = load_tokenizer(model_folder(options.model), model)
    mode = find_mode(options.mode or model.modes[0].name, {mode.name: mode for mode in model.modes})
    sample = find_sample(options.file, options.line)
    tokens = pieces(example := example_of_sample(sample, tokenizer, model, mode), tokenizer, model)
    counted = sum(counts for _, counts in tokens)
    console.print(
        f"{sample.name}, mode {mode.name}: {len(example.tokens)} tokens, of which {counted} count in the loss "
        f"({OPEN} to {CLOSE})",
        markup=False,
    )
    console.print(marked(tokens))


def _main() -> None:
    show(tyro.cli(Options, prog="python -m train.show_mask"), Console(highlight=False, soft_wrap=True))


if __name__ == "__main__":
    run_door(_main)
