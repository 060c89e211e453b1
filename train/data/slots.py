"""Rows in memory that processes share: one slot holds what some lanes give to one step."""

from typing import Any

import numpy as np

from dsocr_jax.batch import Batch
from dsocr_jax.windows import view_spec
from train.data.lanes import Plan

_NAMES = ("tokens", "labels", "segments", "positions", "vision_index", "kinds")

#: Arrays begin at multiples of this.
_ALIGNMENT = 64


def slot_bytes(plan: Plan, rows: int) -> int:
    """Return the size of a slot for ``rows`` rows in any mode."""
    return max(_layout(plan, mode, rows)[1] for mode in range(len(plan.modes)))


def slot_batch(memory: Any, slot: int, plan: Plan, mode: int, rows: int, part: slice = slice(None)) -> Batch:
    """Return a slot's arrays, without copying, as a batch whose rows are groups of their own.

    Args:
        memory: a buffer of at least ``slot + 1`` slots.
        slot: its number.
        plan: of the run.
        mode: number of the mode.
        rows: number of rows.
        part: those of the rows that are returned.
    """
    start = slot * slot_bytes(plan, rows)
    arrays: dict[str, np.ndarray] = {
        name: np.frombuffer(memory, dtype, int(np.prod(shape)), start + offset).reshape(shape)[part]
        for name, (shape, dtype, offset) in _layout(plan, mode, rows)[0].items()
    }
    views = {size: arrays.pop(f"views {size}") for size in sorted(plan.rooms[mode])}
    return Batch(**arrays, views=views, groups=len(arrays["tokens"]))


def write(batch: Batch, target: Batch) -> None:
    """Copy every array of ``batch`` to ``target``."""
    for name in _NAMES:
        getattr(target, name)[:] = getattr(batch, name)
    for size, views in batch.views.items():
        target.views[size][:] = views


def _layout(plan: Plan, mode: int, rows: int) -> tuple[dict[str, tuple[tuple[int, ...], type, int]], int]:
    """Return shape, type and place of each array, and the bytes of all of them."""
    shapes: dict[str, tuple[tuple[int, ...], type]] = dict.fromkeys(_NAMES, ((rows, plan.length), np.int32))
    for size, count in sorted(plan.rooms[mode].items()):
        spec = view_spec(plan.model, size)
        shapes[f"views {size}"] = ((rows, count, *spec.shape), spec.dtype)
    arrays: dict[str, tuple[tuple[int, ...], type, int]] = {}
    end = 0
    for name, (shape, dtype) in shapes.items():
        arrays[name] = (shape, dtype, end)
        size = int(np.prod(shape)) * np.dtype(dtype).itemsize
        end += -(-size // _ALIGNMENT) * _ALIGNMENT
    return arrays, end
