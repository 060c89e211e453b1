"""Does the model look? The loss of answers with their own pictures against the loss with other samples' pictures.

A model that has only learnt what answers look like in general loses nothing when the pictures are swapped. The gap,
in nats per answer token, is what it reads from the picture.
"""

import dataclasses
import json
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import tyro
from flax import nnx

from datagen.records import Record
from datagen.shards import SampleSet
from dsocr_jax.batch import Batch, collate
from dsocr_jax.console import progress, run_door
from dsocr_jax.errors import UserError
from dsocr_jax.modes import Mode, find_mode
from dsocr_jax.weights.checkpoint import LoadedModel, load_model
from train.data import example_of, view_room
from train.loss import row_losses

#: Rows are padded to a multiple of this, so that few lengths are compiled.
LENGTH_STEP = 64

#: Positions whose logits are held at one time.
CHUNK = 64


@dataclasses.dataclass(frozen=True)
class Options:
    """What to measure."""

    #: Folder of a model, or of a run.
    checkpoint: Path
    #: A sample set that the model was not trained on.
    data: Path
    #: The JSON file to write.
    out: Path
    #: Mode of the model; None for its first.
    mode: str | None = None
    #: Most samples of each kind; None for all.
    limit: int | None = None
    #: Rows that are computed together.
    batch_size: int = 16
    #: Decides which picture takes the place of which.
    seed: int = 0


def derangement(count: int, rng: np.random.Generator) -> np.ndarray:
    """Return a random cycle through 0 ... count - 1: int64 [count], no number at its own place (for count >= 2)."""
    order = rng.permutation(count)
    partner = np.empty(count, np.int64)
    partner[order] = np.roll(order, 1)
    return partner


def summary(own: np.ndarray, swapped: np.ndarray) -> dict[str, float]:
    """Return means and standard errors over samples of two losses (float64 [n], nats) and of their gap."""
    figures: dict[str, float] = {"samples": len(own)}
    for name, values in (("own", own), ("swapped", swapped), ("gap", swapped - own)):
        figures[name] = float(values.mean())
        figures[f"{name}_se"] = float(values.std(ddof=1) / np.sqrt(len(values)))
    return figures


def measure(options: Options) -> dict[str, Any]:
    """Return the figures of every kind and of all samples together.

    Raises:
        UserError: the model, the set or the mode does not exist, or a kind has fewer than two samples that fit.
    """
    if options.batch_size < 2 or (options.limit is not None and options.limit < 2):
        raise UserError("--batch-size and --limit must be at least 2")
    samples = SampleSet.open(options.data)
    loaded = load_model(options.checkpoint)
    modes = {mode.name: mode for mode in loaded.config.modes}
    mode = find_mode(options.mode or loaded.config.modes[0].name, modes)
    losses_of = row_loss_function(loaded)
    kinds: dict[str, dict[str, float]] = {}
    every = []
    for kind in samples.kinds:
        indices = samples.indices(kind)[: options.limit]
        partner = derangement(len(indices), np.random.default_rng([options.seed, zlib.crc32(kind.encode())]))
        found, same = [], 0
        with progress(f"losses of {kind}", len(indices), "samples") as advance:
            for start in range(0, len(indices), options.batch_size // 2):
                places = range(start, min(start + options.batch_size // 2, len(indices)))
                records = [(samples[indices[i]], samples[indices[partner[i]]]) for i in places]
                same += sum(one.label == other.label for one, other in records)
                found.append(_pair_losses(loaded, losses_of, mode, records, options.batch_size))
                advance(len(places), "")
        losses = np.concatenate(found)
        if len(losses) < 2:
            raise UserError(
                f"{options.data}: of {kind}, only {len(losses)} samples fit into the model; at least 2 are needed"
            )
        kinds[kind] = {**summary(*losses.T), "too_long": len(indices) - len(losses), "same_answer": same}
        every.append(losses)
    asked = {name: value for name, value in dataclasses.asdict(options).items() if name != "out"}
    asked |= {"mode": mode.name, "split": samples.manifest.config["split"]}
    return {**asked, "kinds": kinds, "all": summary(*np.concatenate(every).T)}


def row_loss_function(loaded: LoadedModel) -> Callable[[Batch], np.ndarray]:
    """Return a function from a batch to the mean loss per answer token of each row: float64 [b], nats."""
    graphdef, params = nnx.split(loaded.model)

    @jax.jit
    def sums(params: Any, batch: Batch) -> tuple[jax.Array, jax.Array]:
        model = nnx.merge(graphdef, params)
        return row_losses(model.logits, model.hidden_states(batch)[0], jnp.asarray(batch.labels), CHUNK)

    def losses(batch: Batch) -> np.ndarray:
        total, count = sums(params, batch)
        return np.asarray(total, np.float64) / np.asarray(count)

    return losses


def _pair_losses(
    loaded: LoadedModel,
    losses_of: Callable[[Batch], np.ndarray],
    mode: Mode,
    records: Sequence[tuple[Record, Record]],
    rows: int,
) -> np.ndarray:
    """Return float64 [n, 2]: each first record's loss with its own and with the second's picture, where both fit."""
    config, most = loaded.config, loaded.config.decoder.max_positions
    examples = []
    for record, other in records:
        pair = [example_of(record, loaded.tokenizer, config, mode, picture_of=of) for of in (record, other)]
        examples += pair if max(len(example.tokens) for example in pair) <= most else []
    if not examples:
        return np.zeros((0, 2))
    longest = max(len(example.tokens) for example in examples)
    length = min(-(-longest // LENGTH_STEP) * LENGTH_STEP, most)
    filled = examples + examples[-1:] * (rows - len(examples))  # one shape for all batches
    losses = losses_of(collate(filled, config, length, view_room(mode, rows)))
    return losses[: len(examples)].reshape(-1, 2)


def _main() -> int:
    options = tyro.cli(Options, prog="python -m train.heldout", description=__doc__)
    if not options.out.parent.is_dir():
        raise UserError(f"--out: there is no folder {options.out.parent}")
    result = measure(options)
    temporary = options.out.with_name(f".{options.out.name}.partial")
    temporary.write_text(json.dumps(result, indent=1, default=str) + "\n", encoding="utf-8")
    temporary.replace(options.out)
    for kind, figures in [*result["kinds"].items(), ("all", result["all"])]:
        own, swapped, gap = (f"{figures[n]:.3f} ± {figures[n + '_se']:.3f}" for n in ("own", "swapped", "gap"))
        print(f"{kind:<10} {figures['samples']:>6} samples   own {own}   swapped {swapped}   gap {gap}")
    return 0


if __name__ == "__main__":
    run_door(_main)
