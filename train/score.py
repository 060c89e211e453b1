"""``python -m train.score FILE --model FOLDER``: a model's loss and edit distance on pictures and turns.

The loss is that of training: nats per answer token, the right tokens before it given. The edit distance is of what the
model writes by itself (greedily), each answer with the right turns before it.
"""

import dataclasses
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import jax
import numpy as np
import tyro

from dsocr_jax.batch import IGNORED, Example, collate, view_counts
from dsocr_jax.config import ModelConfig
from dsocr_jax.console import progress, run_door
from dsocr_jax.errors import UserError
from dsocr_jax.evaluate.text import edit_dist
from dsocr_jax.modes import count_tokens, find_mode
from dsocr_jax.reading.generate import generate
from dsocr_jax.weights.checkpoint import LoadedModel, load_model
from train.heldout import row_loss_function
from train.lines import answers, example_of_sample, read_samples

#: Rows are padded to a multiple of this, so that few lengths are compiled.
LENGTH_STEP = 64


@dataclasses.dataclass(frozen=True)
class Options:
    """What to measure."""

    #: A file of lines of JSON (pictures and turns), or a folder of samples.
    file: Annotated[Path, tyro.conf.Positional]
    #: Folder of a model, or of a run.
    model: Path
    #: Mode that the pictures are read in; the model's first when not given.
    mode: str | None = None
    #: Most tokens of an answer that is written; of more, the rest counts as missing.
    max_new_tokens: int = 512
    #: Rows that are computed together.
    rows: int = 8
    #: Also write the figures to this JSON file.
    out: Path | None = None


def measure(options: Options) -> dict[str, Any]:
    """Return ``loss`` (nats, mean over answer tokens), ``edit_distance`` (mean over answers, 0 is best) and ``lines``.

    Raises:
        UserError: the file, the model or the mode does not exist, or a sample does not fit.
    """
    if options.rows < 1 or options.max_new_tokens < 1:
        raise UserError("--rows and --max-new-tokens must be at least 1")
    loaded = load_model(options.model)
    config = loaded.config
    mode = find_mode(options.mode or config.modes[0].name, {mode.name: mode for mode in config.modes})
    samples = list(read_samples(options.file))
    examples = [example_of_sample(sample, loaded.tokenizer, config, mode) for sample in samples]
    # A text that stands alone is not an answer to anything: it has a loss alone.
    parts = [list(answers(example, config.eos_token_id)) for example in examples]
    asked = [(number, part) for number, sample in enumerate(samples) if sample.turns for part in parts[number]]
    if not asked:
        raise UserError(f"{options.file}: no sample has an answer")
    losses = _losses(loaded, examples, options.rows)
    lines: list[dict[str, Any]] = [
        {"sample": sample.name, "loss": loss, "answers": []} for sample, loss in zip(samples, losses, strict=True)
    ]
    prompts = [before(examples[number], part.start, config) for number, part in asked]
    written = _write(loaded, prompts, options)
    for (number, part), text in zip(asked, written, strict=True):
        truth = loaded.tokenizer.decode(examples[number].tokens[part].tolist()[:-1])
        lines[number]["answers"].append({"truth": truth, "written": text, "edit_distance": edit_dist(text, truth)})
    counts = [int((example.labels[1:] != IGNORED).sum()) for example in examples]
    return {
        "model": str(options.model),
        "mode": mode.name,
        "loss": float(np.average(losses, weights=counts)),
        "edit_distance": float(np.mean([answer["edit_distance"] for line in lines for answer in line["answers"]])),
        "lines": lines,
    }


def _losses(loaded: LoadedModel, examples: Sequence[Example], rows: int) -> list[float]:
    """Return the mean loss of each example's answers."""
    losses_of = row_loss_function(loaded)
    batches = _batches(examples, loaded.config, rows)
    with progress("losses", len(examples), "samples") as advance:
        found: list[float] = []
        for batch, count in batches:
            found += losses_of(batch)[:count].tolist()
            advance(count, "")
    return found


def _write(loaded: LoadedModel, prompts: Sequence[Example], options: Options) -> list[str]:
    """Return what the model answers to each prompt."""
    room = loaded.config.decoder.max_positions - max(len(prompt.tokens) for prompt in prompts)
    most = min(options.max_new_tokens, room)
    if most < 1:
        raise UserError(f"{options.file}: a sample leaves no room for an answer of its own; take a smaller --mode")
    answer = jax.jit(partial(generate, max_new_tokens=most))
    eos, found = loaded.config.eos_token_id, []
    with progress("answers", len(prompts), "answers") as advance:
        for batch, count in _batches(prompts, loaded.config, options.rows):
            result = jax.device_get(answer(loaded.model, batch))
            for ids, length in list(zip(result.tokens, result.lengths, strict=True))[:count]:
                found.append(loaded.tokenizer.decode([i for i in ids[:length].tolist() if i != eos]))
            advance(count, "")
    return found


def _batches(examples: Sequence[Example], config: ModelConfig, rows: int) -> Iterator[tuple[Any, int]]:
    """Yield batches of one shape with the number of their rows that count; the last is filled up by repetition."""
    length = max(len(example.tokens) for example in examples)
    length = min(-(-length // LENGTH_STEP) * LENGTH_STEP, config.decoder.max_positions)
    groups = [list(examples[start : start + rows]) for start in range(0, len(examples), rows)]
    filled = [group + group[-1:] * (rows - len(group)) for group in groups]
    counts = [sum(map(view_counts, group), Counter[int]()) for group in filled]
    room = {size: max(count[size] for count in counts) for size in set().union(*counts)}
    for group, full in zip(groups, filled, strict=True):
        yield collate(full, config, length, room), len(group)


def before(example: Example, start: int, config: ModelConfig) -> Example:
    """Return the beginning of an example, up to the answer at ``start``, with the pictures that stand in it."""
    tokens, pictures, mode = example.tokens[:start], [], example.mode
    places = int((tokens == config.image_token_id).sum())
    for views in example.pictures:
        assert mode is not None
        size = count_tokens(mode, views.grid, config.stride)
        if places < size:
            break
        places -= size
        pictures.append(views)
    labels = np.full(len(tokens), IGNORED, np.int32)
    return Example(tokens, labels, pictures[0], mode, tuple(pictures[1:])) if pictures else Example(tokens, labels)


def _main() -> None:
    options = tyro.cli(Options, prog="python -m train.score", description=__doc__)
    result = measure(options)
    for line in result["lines"]:
        distances = ", ".join(f"{answer['edit_distance']:.3f}" for answer in line["answers"])
        print(f"{line['sample']}: loss {line['loss']:.4f}, edit distance {distances}")
    print(f"together: loss {result['loss']:.4f}, edit distance {result['edit_distance']:.4f}")
    if options.out is not None:
        options.out.write_text(json.dumps(result, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    run_door(_main)
