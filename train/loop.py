"""The training loop. A run lives in one folder, and starting it again goes on exactly where it was.

RUN/run.json         what the run is
RUN/checkpoints/     the whole state, for going on (`train.checkpoint`)
RUN/model/           the newest parameters, for reading (`dsocr_jax.weights.checkpoint`)
RUN/metrics.jsonl    figures of every logged step; speed.jsonl beside it
RUN/loss.png         the curve
"""

import contextlib
import errno
import fcntl
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jax

from dsocr_jax.console import console, progress
from dsocr_jax.errors import UserError
from train.checkpoint import FOLDER, Checkpoints, check_room
from train.config import TrainConfig, differences, flatten
from train.data import Feed, digest
from train.interrupt import Interrupt
from train.journal import METRICS, Journal
from train.plot import plot_loss
from train.publish import publish
from train.setup import Setup, first_state, prepare
from train.step import TrainState, put_batch

RUN, LOCK = "run.json", ".lock"

#: What the system says when a disk is full.
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def train(config: TrainConfig) -> int:
    """Run ``config`` to its last step, or on from its newest checkpoint; return the exit status.

    0: all steps are made. 130 or 143: a signal came, the step was finished and everything saved.

    Raises:
        UserError: something does not fit, the loss is not finite, or the disk is full.
    """
    setup = prepare(config)
    with _run_folder(config.out), Checkpoints(config.out, config.keep) as checkpoints:
        identity = {**flatten(config), "data_digest": digest(setup.sets)}
        state, meta = _start(setup, checkpoints, identity)
        first = int(meta["step"])
        if first >= config.steps:
            _publish(setup, state)  # its model may be missing: runs of several processes do not write it
            console.print(f"{config.out}: all {first} steps are made; raise --steps to go on")
            return 0
        with (
            Feed(setup.source, config.workers) as feed,
            _progress(first, config.steps) as advance,
            Journal(config, first, meta["left_out"], advance) as journal,
            Interrupt() as interrupt,
        ):
            if first:
                feed.seek(meta["position"])
            for step in range(first + 1, config.steps + 1):
                asked = time.monotonic()
                fed = next(feed)
                waited = time.monotonic() - asked
                state, metrics = setup.step(state, put_batch(fed.batch, setup.mesh))
                journal.note(step, metrics, fed, waited)
                stopping = interrupt.agreed()
                if stopping or step == config.steps or step % config.checkpoint_every == 0:
                    journal.settle()  # a state that is not finite is never saved
                    meta = {
                        "step": step,
                        "position": feed.position(),
                        "left_out": dict(journal.left_out),
                        "run": identity,
                    }
                    checkpoints.save(step, state, meta)
                    _publish(setup, state)
                if stopping:
                    break
            checkpoints.wait()  # here, where a second signal but Ctrl-C cannot spoil it
    if journal.left_out:
        many = ", ".join(f"{count} {what}" for what, count in sorted(journal.left_out.items()))
        console.print(f"samples left out: {many}")
    if step < config.steps:
        console.print(f"stopped after step {step}, everything saved; the same command goes on from there")
        return interrupt.exit_code
    where = "the model is in" if jax.process_count() == 1 else "the same command in one process writes"
    console.print(f"{config.steps} steps made; {where} {config.out / 'model'}")
    return 0


def _progress(first: int, steps: int) -> contextlib.AbstractContextManager[Callable[[int, str], None]]:
    """The bar of the steps that are left; one process of several shows it."""
    if jax.process_index() > 0:
        return contextlib.nullcontext(lambda amount, note: None)
    return progress(f"training from step {first}" if first else "training", steps - first, "steps")


def _start(setup: Setup, checkpoints: Checkpoints, identity: dict[str, Any]) -> tuple[TrainState, dict[str, Any]]:
    """Return the state to begin with and what was saved beside it.

    Raises:
        UserError: the run in the folder is another one, or the disk has no room for one checkpoint.
    """
    step = checkpoints.latest()
    if step is None:
        check_room(setup.config.out, setup.abstract)
        if jax.process_index() == 0:
            (setup.config.out / RUN).write_text(json.dumps(identity, indent=1) + "\n", encoding="utf-8")
        return first_state(setup), {"step": 0, "left_out": {}}
    meta = checkpoints.meta(step)
    if changed := differences(meta["run"], identity):
        raise UserError(
            f"the run in {setup.config.out} was started otherwise ({'; '.join(changed)}); go on with its own "
            "values, or take another --out"
        )
    return checkpoints.restore(step, setup.abstract, setup.shardings), meta


def _publish(setup: Setup, state: TrainState) -> None:
    """Write the parameters where the reader finds them, and the curve.

    No single process of several holds all parameters; then the same command in one process writes the model later.
    """
    out = setup.config.out
    if jax.process_count() == 1:
        publish(setup, state, out / "model")
    if jax.process_index() == 0:
        plot_loss(out / METRICS, out / "loss.png", title=out.name)


@contextlib.contextmanager
def _run_folder(folder: Path) -> Iterator[None]:
    """Make the folder, keep a second run out of it, and turn a full disk into one line."""
    if jax.process_index() == 0:
        _check_folder(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = (folder / LOCK).open("w")
    except OSError as error:
        raise UserError(f"--out {folder} cannot be written ({error.strerror}); name another folder") from error
    with lock:
        if jax.process_index() == 0:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise UserError(f"another training is at work in {folder}; wait or take another --out") from None
        try:
            yield
        except OSError as error:
            if error.errno not in FULL:
                raise
            raise UserError(
                f"the disk of {folder} is full ({error.strerror}); the last whole checkpoint in {folder / FOLDER} is "
                "untouched. Make room and run the same command again"
            ) from error


def _check_folder(folder: Path) -> None:
    if folder.exists() and not folder.is_dir():
        raise UserError(f"--out {folder} is a file; name a folder")
    # A run that ended before its first file was written leaves no more than these.
    begun = not folder.exists() or {path.name for path in folder.iterdir()} <= {LOCK, FOLDER}
    if not begun and not (folder / RUN).exists():
        raise UserError(f"--out {folder} holds other files and no run; name a new folder")
