"""Compare preprocessing: tile grids, numbers of tokens, prompt ids, and every byte of the views by its hash."""

import hashlib
from typing import Any

import ml_dtypes
import numpy as np
from PIL import Image

from dsocr_jax.errors import UserError
from dsocr_jax.modes import Mode, choose_grid, count_tokens, valid_tokens_by_code, valid_tokens_by_paper
from dsocr_jax.parity import synthetic
from dsocr_jax.parity.results import Comparison
from dsocr_jax.preprocess import Views, normalise, preprocess
from dsocr_jax.prompts import IMAGE
from dsocr_jax.tokenizer import Tokenizer

STAGE = "preprocessing"
#: The original stretches views of at most this many pixels a side, and pads larger ones.
STRETCHED = 640
#: Pixels a side of a vision token in the original.
STRIDE = 64
#: Hexadecimal digits of the stored hashes.
DIGITS = 32
#: Columns of ``grids`` behind width and height: the most tiles and the tile size of each grid.
GRID_COLUMNS = ((9, 640), (9, 1024), (6, 640), (6, 1024))
#: Largest side of a picture that is made.
MAX_SIDE = 8192
NO_TOKENIZER = "needs --tokenizer with DeepSeek-OCR's tokenizer.json"


def compare_preprocessing(found: Comparison, tokenizer: Tokenizer | None) -> None:
    """Compare every picture and every mode of a fixture."""
    meta = found.fixture.meta
    for case in meta["cases"]:
        if max(case["width"], case["height"]) > MAX_SIDE:
            raise UserError(f"{case['key']}: larger than {MAX_SIDE} pixels a side")
        pixels = synthetic.image(case["key"], case["height"], case["width"])
        size = f"{case['width']}x{case['height']}"
        found.equal(f"{size} source", STAGE, int(digest(pixels) != case["source_sha256"]), "sha256")
        for name, facts in case["modes"].items():
            mode = _mode(name, facts)
            views = preprocess(Image.fromarray(pixels), mode)
            _compare_views(found, f"{size}/{name}", views, facts)
            _compare_counts(found, f"{size}/{name}", case, mode, facts)
            _compare_prompt(
                found, f"{size}/{name}", meta.get("prompt"), mode=mode, views=views, facts=facts, tokenizer=tokenizer
            )
        _compare_padding(found, size, case)
    _compare_grids(found)
    for text, ids in (meta.get("prompts") or {}).items():
        if tokenizer is None:
            found.not_run(f"meta.prompts[{text!r}]", STAGE, NO_TOKENIZER)
        else:
            found.equal(f"meta.prompts[{text!r}]", STAGE, _unequal(_prompt_ids(tokenizer, text), ids))


def _mode(name: str, facts: dict[str, Any]) -> Mode:
    fit = "stretch" if not facts["crop"] and facts["image_size"] <= STRETCHED else "pad"
    return Mode(name, facts["base_size"], facts["image_size"], facts["crop"], fit)  # type: ignore[arg-type]


def _compare_views(found: Comparison, place: str, views: Views, facts: dict[str, Any]) -> None:
    floats = normalise(views.global_view).transpose(2, 0, 1)
    hashes = {
        "global_uint8_sha256": [digest(views.global_view)],
        "global_bf16_sha256": [digest(floats.astype(ml_dtypes.bfloat16))],
        "tiles_uint8_sha256": [digest(tile) for tile in views.tiles],
    }
    for name, ours in hashes.items():
        theirs = facts[name] if isinstance(facts[name], list) else [facts[name]]
        found.equal(f"{place} {name}", STAGE, _unequal(ours, theirs))
    parts = {"global": floats} | {f"tile{i}": normalise(tile).transpose(2, 0, 1) for i, tile in enumerate(views.tiles)}
    for part, array in parts.items():
        name = f"{place}/{part}"
        entry = found.fixture.entries.get(name)
        if entry is not None:
            fits = array.size == np.prod(entry.shape)
            found.equal(name, STAGE, entry.differing(array) if fits else entry.sample.size)


def _compare_counts(found: Comparison, place: str, case: dict[str, Any], mode: Mode, facts: dict[str, Any]) -> None:
    width, height = case["width"], case["height"]
    grid = choose_grid(width, height, mode)
    valid = valid_tokens_by_code(width, height, mode, STRIDE)
    ours: dict[str, Any] = {
        "grid_w_h": list(grid),
        "image_tokens": count_tokens(mode, grid, STRIDE),
        "valid_tokens": valid,
        "tiles": grid[0] * grid[1] if mode.crop and tuple(grid) != (1, 1) else 0,
        "global_shape": [1, 3, mode.base_size, mode.base_size],
    }
    for name, value in ours.items():
        if name in facts:
            found.equal(f"{place} {name}", STAGE, int(value != facts[name]))
    if "valid_global_ceil_rule" in facts:
        tiles = facts["valid_tokens"] - facts["valid_global_int_rule"]
        ceiling = valid_tokens_by_paper(width, height, mode, STRIDE) - tiles
        found.equal(f"{place} valid_global_ceil_rule", STAGE, int(ceiling != facts["valid_global_ceil_rule"]))


def _compare_prompt(
    found: Comparison,
    place: str,
    prompt: str | None,
    *,
    mode: Mode,
    views: Views,
    facts: dict[str, Any],
    tokenizer: Tokenizer | None,
) -> None:
    if prompt is None or "suffix_ids" not in facts:
        return
    if tokenizer is None:
        found.not_run(f"{place} prompt ids", STAGE, NO_TOKENIZER)
        return
    count = count_tokens(mode, views.grid, STRIDE)
    theirs = facts["prefix_ids"] + [tokenizer.special_ids[IMAGE]] * facts["image_tokens"] + facts["suffix_ids"]
    found.equal(f"{place} prompt ids", STAGE, _unequal(tokenizer.prompt_ids(prompt, count), theirs))


def _compare_padding(found: Comparison, size: str, case: dict[str, Any]) -> None:
    """Compare where a padded view shows the picture, by a black one of the same size."""
    for name, (width, height) in ((name, case[name]) for name in case if name.startswith("contain_")):
        side = int(name.removeprefix("contain_"))
        left, top = case[f"pad_offset_{side}"]
        mode = Mode("pad", side, side, crop=False, fit="pad")
        black = Image.new("RGB", (case["width"], case["height"]))
        shown = (preprocess(black, mode).global_view == 0).all(-1)
        expected = np.zeros((side, side), bool)
        expected[top : top + height, left : left + width] = True
        found.equal(f"{size} {name}", STAGE, int((shown != expected).sum()))


def _compare_grids(found: Comparison) -> None:
    if grids := found.fixture.entries.get("grids"):
        rows = grids.sample.reshape(grids.shape)
        limits = [_tiles(most, size) for most, size in GRID_COLUMNS[: (rows.shape[1] - 2) // 2]]
        ours = [[w, h, *(n for mode in limits for n in choose_grid(w, h, mode))] for w, h in rows[:, :2].tolist()]
        found.array("grids", STAGE, np.array(ours), 0.0)
    if ties := found.fixture.entries.get("ties"):
        rows = ties.sample.reshape(ties.shape)
        modes = {most: _tiles(most, 640) for most in set(rows[:, 0].tolist())}
        ours = [[most, w, h, *choose_grid(w, h, modes[most])] for most, w, h in rows[:, :3].tolist()]
        found.array("ties", STAGE, np.array(ours), 0.0)


def _tiles(most: int, size: int) -> Mode:
    return Mode("tiles", 1024, size, crop=True, fit="pad", max_tiles=most, tile_threshold=0)


def _prompt_ids(tokenizer: Tokenizer, text: str) -> list[int]:
    """Ids of a text as the original makes them, without BOS and with one placeholder for each picture."""
    return tokenizer.prompt_ids(text, 1)[1:]


def _unequal(ours: list[Any], theirs: list[Any]) -> int:
    return sum(a != b for a, b in zip(ours, theirs, strict=False)) + abs(len(ours) - len(theirs))


def digest(array: np.ndarray) -> str:
    """Return the fixtures' hash of an array's bytes."""
    return hashlib.sha256(np.ascontiguousarray(array).tobytes()).hexdigest()[:DIGITS]
