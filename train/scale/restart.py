"""A checkpoint saved on some devices, continued on half of them."""

import time
from pathlib import Path

import jax

from train.checkpoint import Checkpoints
from train.scale.line import TOLERANCES, Check, Line
from train.scale.program import Program


def restart(name: str, before: Program, after: Program, folder: Path) -> Line:
    """Make a step, save, make another; then read what was saved onto fewer devices and make that step there.

    All devices have equal rows, so that the step is the same one however many there are.

    Args:
        name: of the line.
        before, after: programs of one work on some devices and on fewer.
        folder: for the checkpoint; it needs room for parameters and moments.

    Raises:
        UserError: the checkpoint could not be written or read.
    """
    count, fewer = before.task.devices, after.task.devices
    batch = before.batch([0] * count)
    state, _ = before.step(before.make(), batch)
    size = sum(leaf.nbytes for leaf in jax.tree.leaves(state))
    with Checkpoints(folder, keep=1) as checkpoints:
        start = time.perf_counter()
        checkpoints.save(1, state, {"step": 1})
        stood = time.perf_counter() - start
        checkpoints.wait()
        saving = time.perf_counter() - start
        state, right = before.step(state, batch)
        right = {key: float(right[key]) for key in ("loss", "grad_norm")}
        del state
        start = time.perf_counter()
        state = jax.block_until_ready(checkpoints.restore(1, after.abstract, after.shardings))
        reading = time.perf_counter() - start
    _, found = after.step(state, after.batch([0] * fewer))
    limits = TOLERANCES[before.config.compute_dtype]
    words = {"loss": "loss of the next step", "grad_norm": "gradient of the next step"}
    return Line(
        name=name,
        work=before.task.work.name,
        axes=dict(before.task.axes),
        devices=count,
        unit="bytes",
        rate=size / saving,
        loss=float(found["loss"]),
        checks=tuple(
            Check(what, float(found[key]), right[key], most)
            for (key, what), most in zip(words.items(), limits, strict=True)
        ),
        note=f"{size / 1e9:,.3g} GB saved in {saving:.1f} s (training stood still for {stood:.1f} s), read in "
        f"{reading:.1f} s onto {fewer} devices",
    )
