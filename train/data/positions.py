"""The position of the input over all processes of a run."""

import json
from collections.abc import Sequence
from typing import Any

import numpy as np

#: States of lanes by mode, in the order of the lanes.
Lanes = dict[str, list[Any]]


def joined(parts: Sequence[Lanes]) -> Lanes:
    """Return the states of all lanes from those of each process, in the order of the processes."""
    return {mode: [state for part in parts for state in part[mode]] for mode in parts[0]}


def gathered(lanes: Lanes, processes: int) -> Lanes:
    """Return the states of all processes' lanes, in each of them; all must call it at the same step."""
    if processes == 1:
        return joined([lanes])
    from jax.experimental.multihost_utils import process_allgather

    text = np.frombuffer(json.dumps(lanes).encode(), np.uint8)
    sizes = np.asarray(process_allgather(np.array(len(text), np.int64)))
    room = np.zeros(int(sizes.max()), np.uint8)
    room[: len(text)] = text
    every = np.asarray(process_allgather(room))
    return joined([json.loads(bytes(row[:size])) for row, size in zip(every, sizes, strict=True)])
