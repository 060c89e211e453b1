"""The training loop. A run lives in one folder, and starting it again goes on exactly where it was.

RUN/run.json         what the run is
RUN/checkpoints/     the whole state, for going on (`train.checkpoint`)
RUN/rollbacks.json   where the run went back and past some data (`train.health`)
RUN/model/           the newest parameters, for reading (`dsocr_jax.weights.checkpoint`)
RUN/metrics.jsonl    figures of every logged step; speed.jsonl beside it
RUN/goodput.json     where the time went (`train.goodput`)
RUN/loss.png         the curves
RUN/tensorboard/     the metrics once more (`train.board`)
RUN/evaluations/     answers beside truths (`train.evaluation`)
RUN/profile/         a trace of some steps (`train.profile`)
"""

import contextlib
import dataclasses
import json
from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import Any

import jax

from dsocr_jax.console import console, progress
from dsocr_jax.errors import UserError
from train.checkpoint import Checkpoints, check_room
from train.config import TrainConfig, differences, flatten
from train.data import Feed, digest
from train.evaluation import Evaluations
from train.folder import RUN, run_folder
from train.freeze import describe
from train.goodput import Goodput
from train.health import Health, named, open_health, write_rollbacks
from train.interrupt import Interrupt
from train.journal import METRICS, Journal
from train.manifest import replace_file
from train.plot import plot_loss
from train.profile import Profiler
from train.programs import announce
from train.publish import publisher
from train.setup import Setup, first_state, prepare
from train.step import TrainState, place_batch


@dataclasses.dataclass(frozen=True)
class _Run:
    """What lasts from one start of the run to its end."""

    setup: Setup
    identity: dict[str, Any]
    checkpoints: Checkpoints
    health: Health
    goodput: Goodput
    evaluations: Evaluations


def train(config: TrainConfig) -> int:
    """Run ``config`` to its last step, or on from its newest checkpoint; return the exit status.

    0: all steps are made. 130 or 143: a signal came, the step was finished and everything saved.

    Raises:
        UserError: something does not fit, the loss stays not finite, or the disk is full.
    """
    goodput = Goodput(config.out, write=jax.process_index() == 0)
    setup = prepare(config)
    config = setup.config  # epochs are a number of steps now
    if jax.process_index() == 0:
        console.print("\n".join(describe(setup.abstract.params, config)))
    evaluations = Evaluations(setup)
    identity = {**flatten(config), "data_digest": digest(setup.sets)}
    with run_folder(config.out), goodput, Checkpoints(config.out, config.keep) as checkpoints:
        checkpoints.clean()
        health = open_health(config.out, config.max_skipped, config.max_rollbacks)
        run = _Run(setup, identity, checkpoints, health, goodput, evaluations)
        if (checkpoints.newest() or 0) < config.steps:
            announce(setup.step, setup.source)
        while True:
            state, meta = _start(setup, checkpoints, identity)
            goodput.back_to(meta["step"])
            if meta["step"] >= config.steps:
                _publisher(setup, state)()  # its model may be missing: runs of several processes do not write it
                console.print(f"{config.out}: all {meta['step']} steps are made; raise --steps to go on")
                return 0
            with Interrupt() as interrupt:
                step, left_out = _advance(run, state, meta, interrupt)
                del state  # its buffers are gone, or about to be read again
                checkpoints.wait()  # here, where a second signal but Ctrl-C cannot spoil it
            goodput.lap("going back" if health.lost else "saving")
            if interrupt.stopping or not health.lost:
                break
    ended = step == config.steps and not health.lost
    if jax.process_index() > 0:
        return 0 if ended else interrupt.exit_code
    if left_out:
        console.print("samples left out: " + ", ".join(f"{count} {what}" for what, count in sorted(left_out.items())))
    console.print(goodput.report())
    if not ended:
        console.print(f"stopped after step {step}, everything saved; the same command goes on from there")
        return interrupt.exit_code
    where = "the model is in" if jax.process_count() == 1 else "the same command in one process writes"
    console.print(f"{config.steps} steps made; {where} {config.out / 'model'}")
    return 0


def _advance(run: _Run, state: TrainState, meta: dict[str, Any], interrupt: Interrupt) -> tuple[int, Counter[str]]:
    """Train from ``state`` until all steps are made, a signal came, or `Health` demands to go back.

    Returns:
        The last step, and the samples that were left out or could not be used, by reason.
    """
    setup, health, goodput = run.setup, run.health, run.goodput
    config, first, shapes, owed = setup.config, meta["step"], set(), False
    with (
        Feed(setup.source, config.workers, partial(place_batch, mesh=setup.mesh)) as feed,
        _progress(first, config.steps) as advance,
        Journal(config, first, meta["journal"], advance, feed.kinds, goodput) as journal,
        Profiler(config) as profiler,
    ):
        health.set_state(meta["health"])
        if (position := health.turn(first) or meta["position"]) is not None:
            feed.seek(position)
        goodput.lap("starting")
        for step in range(first + 1, config.steps + 1):
            fed = next(feed)
            waited = goodput.lap("waiting for input", fed.awaited)
            state, metrics = setup.step(state, fed.batch)
            # Both look at the step before this one, so that the devices need not wait for us.
            journal.note(step, metrics, fed, waited)
            health.note(step, metrics.get("skipped", 0), fed.samples)
            shape = tuple(x.shape for x in jax.tree.leaves(fed.batch))
            goodput.lap("compiling" if shape not in shapes else "steps" if health.sound else "skipped steps")
            shapes.add(shape)

            stopping = interrupt.agreed()
            ending = stopping or step == config.steps
            owed = owed or ending or step % config.checkpoint_every == 0
            if owed:
                journal.settle()
                health.settle()
            if health.lost:
                _go_back(run, feed.position())
                break
            if owed and (health.sound or ending):  # going back into a row of skipped steps would be no help
                goodput.mark(step)
                counted = {"position": feed.position(), "journal": journal.state(), "health": health.state()}
                run.checkpoints.wait()  # what it still writes is in memory
                model = _publisher(setup, state)
                run.checkpoints.save(step, state, {"step": step, **counted, "run": run.identity}, then=model)
                goodput.lap("saving")
                owed = False
            run.checkpoints.check()
            if stopping:
                break
            if run.evaluations.due(step):
                journal.settle()
                run.evaluations.run(step, state)
                goodput.lap("evaluating")
            if profiler.turn(state):
                goodput.lap("profiling")
            if (position := health.turn(step)) is not None:
                feed.seek(position)
    return step, journal.left_out + journal.bad


def _go_back(run: _Run, position: dict[str, Any]) -> None:
    """Note that the run goes on from its last checkpoint, past the data up to ``position``.

    Raises:
        UserError: it has gone back too often.
    """
    past = run.health.roll_back(run.checkpoints.newest() or 0, position)
    if jax.process_index() == 0:
        write_rollbacks(run.setup.config.out, run.health)
    console.print(
        f"loss or gradient was not finite in {run.health.most} steps up to {past.found}; going back to step "
        f"{past.step} and past these samples: {named(past.samples)}",
        markup=False,
    )


def _progress(first: int, steps: int) -> contextlib.AbstractContextManager[Callable[[int, str], None]]:
    """The bar of the steps that are left; one process of several shows it."""
    if jax.process_index() > 0:
        return contextlib.nullcontext(lambda amount, note: None)
    return progress(f"from step {first}" if first else "training", steps - first, "steps")


def _start(setup: Setup, checkpoints: Checkpoints, identity: dict[str, Any]) -> tuple[TrainState, dict[str, Any]]:
    """Return the state to begin with and what was saved beside it.

    Raises:
        UserError: the run in the folder is another one, or the disk has no room for one checkpoint.
    """
    step = checkpoints.newest()
    if step is None:
        check_room(setup.config.out, setup.abstract)
        if jax.process_index() == 0:
            replace_file(setup.config.out / RUN, json.dumps(identity, indent=1) + "\n")
        return first_state(setup), {"step": 0, "position": None, "journal": {}, "health": {}}
    meta = checkpoints.meta(step)
    if changed := differences(meta["run"], identity):
        raise UserError(
            f"the run in {setup.config.out} was started otherwise ({'; '.join(changed)}); go on with its own "
            "values, or take another --out"
        )
    return checkpoints.restore(step, setup.abstract, setup.shardings), meta


def _publisher(setup: Setup, state: TrainState) -> Callable[[], None]:
    """Return what writes the parameters where the reader finds them; draw the curve.

    No single process of several holds all parameters; then the same command in one process writes the model later.
    """
    out = setup.config.out
    if jax.process_index() == 0:
        plot_loss(out / METRICS, out / "loss.png", title=out.name)
    return publisher(setup, state, out / "model") if jax.process_count() == 1 else lambda: None
