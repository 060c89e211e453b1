"""``dsocr parity record``: make a folder of fixtures from the original PyTorch model. Needs no JAX."""

import json
import platform
import shutil
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from dsocr_jax.console import console, progress
from dsocr_jax.errors import UserError
from dsocr_jax.modes import MODES, NO_TILES, Grid, Mode, count_tokens, find_mode, has_tiles
from dsocr_jax.parity import synthetic
from dsocr_jax.parity.fixture import read_json, write_fixture
from dsocr_jax.parity.original import Listener, load_original
from dsocr_jax.parity.settings import Record
from dsocr_jax.preprocess import normalise

#: The original's placeholder and beginning of a text; its code names the first. A model of another size names its own
#: placeholder in ``config.json``, as our export does.
IMAGE_ID, BOS_ID = 128815, 0
#: Pixels a side of a vision token, and the tiles that a tiled mode is recorded with.
STRIDE, GRID = 64, (2, 1)
#: Ids of the fixture without a picture.
TEXT_LENGTH = 64
TEXT = "text"
#: n of the rule against repetition that greedy decoding is recorded with, apart from without any.
NGRAM = 3


def record(settings: Record) -> int:
    """Write one fixture for each mode, and ``config.json`` beside them.

    Raises:
        UserError: the model's code may not run, the model or what it needs is missing, or ``out`` holds something.
    """
    modes = [None if name == TEXT else find_mode(name) for name in settings.modes]
    if any(mode is not None and mode.name == "gundam-m" for mode in modes):
        raise UserError("gundam-m: the original's released code counts other placeholders than it makes features for")
    if settings.out.exists() and any(settings.out.iterdir()):
        raise UserError(f"{settings.out}: not empty; name a new folder")
    model = load_original(settings.model, settings.run_model_code)
    import torch

    partial = settings.out.with_name(settings.out.name + ".partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    listener = Listener(model)
    with progress("recording", len(modes), "modes") as advance, torch.inference_mode():
        for name, mode in zip(settings.modes, modes, strict=True):
            advance(0, name)
            meta, arrays = _run(model, listener, mode, settings)
            write_fixture(partial, name, meta, arrays, settings.keep)
            advance(1, name)
    (partial / "config.json").write_text(json.dumps(_config(settings.model), indent=1) + "\n")
    if settings.out.exists():
        settings.out.rmdir()
    partial.rename(settings.out)
    command = f"dsocr parity check {settings.out} --weights {settings.model}"
    console.print(f"{len(modes)} fixtures in {settings.out}; compare: {command}", soft_wrap=True)
    return 0


def _run(model: Any, listener: Listener, mode: Mode | None, settings: Record) -> tuple[dict[str, Any], dict[str, Any]]:
    """Run one mode: a forward pass, then greedy decoding with and without the rule against repetition."""
    import torch

    key = f"record/{mode.name if mode else TEXT}"
    grid = GRID if mode and mode.crop else NO_TILES
    image = int(read_json(settings.model / "config.json").get("image_token_id", IMAGE_ID))
    ids, start = _ids(key, mode, grid, settings, int(model.config.vocab_size), image)
    vision = _vision(key, mode, grid, ids == image)
    tokens = torch.from_numpy(ids[None].astype(np.int64))
    with listener.listening():
        logits = model(input_ids=tokens, use_cache=False, return_dict=True, **vision).logits[0].float().numpy()
    arrays = listener.arrays(has_tiles(grid))
    embedded = arrays.pop("embedded")[0]
    arrays |= {"input_ids": ids[None], "logits": logits, "argmax": logits.argmax(-1).astype(np.int32)}
    if mode:
        arrays["sequence"] = embedded[ids == image]
    for name, rule in (("greedy_ids", None), (f"greedy_ngram{NGRAM}_ids", NGRAM)):
        written = model.generate(
            tokens,
            attention_mask=torch.ones_like(tokens),
            max_new_tokens=settings.new_tokens,
            do_sample=False,
            use_cache=True,
            eos_token_id=model.config.eos_token_id,
            pad_token_id=model.config.eos_token_id,
            no_repeat_ngram_size=rule,
            **vision,
        )
        arrays[name] = written[0, len(ids) :].numpy().astype(np.int32)
    meta: dict[str, Any] = {
        "mode": mode.name if mode else TEXT,
        "key": key,
        "weights": settings.model.resolve().name,
        "loss": _next_token_loss(logits, ids),
        "answer_len": 0,
        "versions": {name: version(name) for name in ("torch", "transformers", "numpy")}
        | {"python": platform.python_version()},
    }
    if mode:
        size = {"base_size": mode.base_size, "tile_size": mode.tile_size if has_tiles(grid) else None}
        meta |= {**size, "grid_w_h": list(grid), "image_start": start, "image_tokens": int((ids == image).sum())}
    return meta, arrays


def _ids(key: str, mode: Mode | None, grid: Grid, settings: Record, vocab: int, image: int) -> tuple[np.ndarray, int]:
    """Token ids of one row, and where its placeholders begin."""
    if mode is None:
        return np.concatenate(
            [[BOS_ID], 3 + synthetic.noise(f"{key}/ids", TEXT_LENGTH - 1) % (min(vocab, image) - 3)]
        ), 0
    count = count_tokens(mode, grid, STRIDE)
    beyond = [number for number in settings.prompt_ids if not 0 <= number < vocab]
    if beyond:
        raise UserError(f"--prompt-ids {beyond[0]}: the model has {vocab} ids; give those of its own tokenizer")
    return np.array([BOS_ID, *[image] * count, *settings.prompt_ids], np.int64), 1


def _vision(key: str, mode: Mode | None, grid: Grid, there: np.ndarray) -> dict[str, Any]:
    """The original's arguments for one row's picture, whose tokens are ``there``; pictures of zeros stand for none."""
    import torch

    def view(name: str, size: int) -> np.ndarray:
        return normalise(synthetic.image(f"{key}/{name}", size, size)).transpose(2, 0, 1)

    base = mode.base_size if mode else min(m.base_size for m in MODES.values())
    whole, tiles = np.zeros((1, 3, base, base), np.float32), np.zeros((1, 3, base, base), np.float32)
    if mode:
        whole = view("global", base)[None]
        if has_tiles(grid):
            tiles = np.stack([view(f"tile{i}", mode.tile_size) for i in range(grid[0] * grid[1])])
    return {
        "images": [(torch.from_numpy(np.ascontiguousarray(tiles)), torch.from_numpy(np.ascontiguousarray(whole)))],
        "images_seq_mask": torch.from_numpy(there)[None],
        "images_spatial_crop": torch.tensor([list(grid)], dtype=torch.long),
    }


def _next_token_loss(logits: np.ndarray, ids: np.ndarray) -> float:
    """Mean cross entropy of every token after the first, in float64."""
    scores = logits[:-1].astype(np.float64)
    top = scores.max(-1, keepdims=True)
    total = np.log(np.exp(scores - top).sum(-1)) + top[:, 0]
    return float((total - scores[np.arange(len(scores)), ids[1:]]).mean())


def _config(folder: Path) -> dict[str, Any]:
    """The released configuration without what names code."""
    values = read_json(folder / "config.json")
    return {name: value for name, value in values.items() if name not in ("auto_map", "_name_or_path")}
