"""Compare the rules against repetition: which ids are banned behind each sequence."""

from collections import defaultdict
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from dsocr_jax.errors import UserError
from dsocr_jax.parity.results import Comparison
from dsocr_jax.reading.repetition import NoRepeat, banned_ids

STAGE = "repetition"
#: Largest id that is compared.
MAX_ID = 1 << 20

#: n, window (0 is none) and whether the whitelist applies.
Setting = tuple[int, int, bool]


def compare_repetition(found: Comparison) -> None:
    """Compare every sequence under every rule."""
    meta = found.fixture.meta
    rows: dict[Setting, list[tuple[list[int], list[int]]]] = defaultdict(list)
    for case in meta["cases"]:
        for n, window, white, banned in case.get("windowed", []):
            rows[n, window, bool(white)].append((case["ids"], sorted(banned)))
        for n, banned in case.get("whole", {}).items():
            rows[int(n), 0, False].append((case["ids"], sorted(banned)))
    vocab = 1 + max((i for cases in rows.values() for ids, banned in cases for i in [*ids, *banned]), default=0)
    if vocab > MAX_ID:
        raise UserError(f"{found.fixture.name}: an id of {vocab - 1} is larger than any that is compared")
    for setting, cases in sorted(rows.items()):
        ours = _banned(setting, tuple(meta.get("whitelist", ())), [ids for ids, _ in cases], vocab)
        wrong = sum(mine != theirs for mine, (_, theirs) in zip(ours, cases, strict=True))
        n, window, white = setting
        name = f"n {n}, window {window}" + (", whitelist" if white else "") if window else f"n {n}, whole sequence"
        found.equal(name, STAGE, wrong, f"{len(cases)} sequences")


def _banned(setting: Setting, whitelist: tuple[int, ...], rows: list[list[int]], vocab: int) -> list[list[int]]:
    n, window, white = setting
    if window and window < n:  # no n-gram lies inside the window; the rule itself refuses such settings
        return [[] for _ in rows]
    rule = NoRepeat(n, window or None, whitelist if white else ())
    width = max(1, *map(len, rows)) if rows else 1
    # Padded with an id that would repeat if it were looked at.
    padded = np.array([row + (row[-1:] or [0]) * (width - len(row)) for row in rows], np.int32)
    lengths = jnp.array([len(row) for row in rows], jnp.int32)
    run: Any = jax.jit(partial(banned_ids, rule, vocab_size=vocab))
    return [np.flatnonzero(row).tolist() for row in np.asarray(run(jnp.asarray(padded), lengths))]
