"""``python -m train.stretch CONFIG --minutes 8 --out NEW [--from OLD]``: a piece of a run that ends by itself.

A machine that is lent for minutes and forgets everything gets a curriculum (`train.curriculum`) and the folder of the
stretch before, and leaves a folder for the next one: the state in few bytes (`train.compact`) and the log of all
stretches so far. No sample is drawn twice, whatever is changed in the configuration in between. A stretch that fails
leaves what it has learned until then, too.

NEW/state.json, state.00.* ...   the state
NEW/metrics.jsonl              a line for each logged step of all stretches
"""

import dataclasses
import math
import os
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import jax
import numpy as np
import tyro

from dsocr_jax.console import console, run_door
from dsocr_jax.errors import UserError
from train.cli import load_config, quiet_libraries
from train.compact import flat_state, placed_state, read_meta, read_state, write_state
from train.config import BackendsConfig, TrainConfig
from train.curriculum import Curriculum, drawn_after
from train.data import Feed
from train.journal import METRICS
from train.metrics import read_metrics
from train.optimizer import started_at
from train.programs import announce
from train.publish import publish
from train.setup import Setup, check_run, first_state, prepare
from train.step import TrainState, place_batch, state_of
from train.stretch_log import Log, Progress

#: Lines of the log whose mean is held against a rung's mark.
JUDGED_LINES = 3

#: Forms of the computation that need no kernels of ours or of a vendor.
PLAIN = BackendsConfig(relative="folded", attention="xla", grouped="blocked", layers="scanned", remat="dots")

#: Steps of a stretch before its first line: compilation and cold caches are in them.
COLD = 3


@dataclasses.dataclass(frozen=True)
class Options:
    """One stretch."""

    #: The curriculum.
    config: Annotated[Path, tyro.conf.Positional]
    #: Folder for the state and the log.
    out: Path
    #: Folder that the stretch before left; without it the run begins.
    from_: Annotated[Path | None, tyro.conf.arg(name="from")] = None
    #: It ends so long after its start, what is saved then included.
    minutes: float = 8.0
    #: Begin at this rung rather than where the stretch before stood (from 0).
    rung: int | None = None
    #: Stop after so many steps, if the time is not over before.
    steps: int | None = None
    #: Let the learning rate fall to its end over these steps.
    decay: bool = False
    #: Where it ends then, as a share of the peak (0.1 when not given).
    final: float | None = None
    #: Steps over which the learning rate rises again: behind a stretch that let it fall, or with new moments.
    rewarm: int = 0
    #: Begin the optimizer's moments anew: for another optimizer than that of the stretch before.
    new_moments: bool = False
    #: Rows of every rung are as many times those of the curriculum: for several devices.
    times: int = 1
    #: Learning rate in place of the curriculum's.
    peak_lr: float | None = None
    #: Processes that draw samples; by default about as many as there are processors (`even_workers`).
    workers: int | None = None
    #: Minutes between two savings.
    save_every: float = 3.0
    #: Compute by what runs on every device, in case the kernels of this one fail.
    plain: bool = False
    #: Write the model for the reader there, too.
    model: Path | None = None


def stretch(options: Options) -> int:
    """Train for a while; see the module.

    Raises:
        UserError: something does not fit, the loss stays not finite, or the state cannot be written.
    """
    began = time.monotonic()
    curriculum = load_config(options.config)
    if not isinstance(curriculum, Curriculum) or not curriculum.rungs:
        raise UserError(f"{options.config}: has no rungs; name a curriculum such as configs/small.py")
    curriculum = with_options(curriculum, options)
    if options.decay and options.steps is None:
        raise UserError("--decay needs --steps: the log's steps_per_s says how many there is time for")
    progress = Progress(**read_meta(options.from_)) if options.from_ is not None else Progress()
    progress.stretch += 1
    if options.rung is not None:
        progress.rung = options.rung
    if not 0 <= progress.rung < len(curriculum.rungs):
        raise UserError(f"--rung {progress.rung}: the curriculum has rungs 0 to {len(curriculum.rungs) - 1}")
    options.out.mkdir(parents=True, exist_ok=True)
    # A stretch that failed may have logged steps behind the state that it saved; they are made again.
    old = read_metrics(options.from_ / METRICS) if options.from_ is not None else []
    lines = [line for line in old if line["step"] <= progress.step]
    log = Log(options.out / METRICS, progress, lines)
    run = _Run(options, curriculum, progress, log, began + 60 * options.minutes)
    try:
        run.begin()
        while run.climb():
            pass
    except Exception:
        run.rescue()
        raise
    finally:
        run.wait()
    console.print(f"{options.out}: {progress.step} steps, {progress.samples} samples, rung {run.rung.name}")
    return 0


def with_options(curriculum: Curriculum, options: Options) -> Curriculum:
    """Return the curriculum with the rows and the learning rate that the command line asks for.

    Raises:
        UserError: they make no sense.
    """
    if options.final is not None and not options.decay:
        raise UserError("--final has no effect without --decay; leave it out")
    if options.rewarm < 0 or (options.rewarm and options.steps is not None and options.rewarm >= options.steps):
        raise UserError(f"--rewarm {options.rewarm} takes a number from 0 on, below --steps")
    if options.times < 1 or (options.peak_lr is not None and options.peak_lr <= 0):
        raise UserError("--times takes a number from 1 on, --peak-lr one above 0")
    optimizer = curriculum.optimizer
    if options.peak_lr is not None:
        optimizer = dataclasses.replace(optimizer, peak_lr=options.peak_lr)
    rungs = tuple(dataclasses.replace(rung, rows=rung.rows * options.times) for rung in curriculum.rungs)
    return dataclasses.replace(curriculum, rungs=rungs, optimizer=optimizer)


def even_workers(rows: int, processors: int) -> int:
    """Return how many processes draw ``rows`` rows of a step, about one a processor, each (nearly) as many as others.

    A step waits for the slowest: of 32 processes with 40 rows eight would have two, and the others would idle.
    """
    return math.ceil(rows / max(1, round(rows / processors)))


def placed_in(arrays: Mapping[str, np.ndarray], setup: Setup) -> TrainState:
    """Return the state of the stretch before on the devices."""
    return placed_state(arrays, setup.abstract, setup.shardings)


def with_new_moments(arrays: Mapping[str, np.ndarray], setup: Setup) -> TrainState:
    """Return its parameters and steps alone, with new moments; the learning rate goes on."""
    kept = {name: x for name, x in arrays.items() if not name.startswith("opt_state/")}
    bare = [dataclasses.replace(each, opt_state=()) for each in (setup.abstract, setup.shardings)]

    def start(state: TrainState) -> TrainState:
        fresh = state_of(state.params, setup.optimizer, setup.config)
        return dataclasses.replace(fresh, opt_state=started_at(fresh.opt_state, state.step), step=state.step)

    return jax.jit(start, out_shardings=setup.shardings)(placed_state(kept, *bare))


class _Run:
    """What lasts from the first rung of a stretch to its last."""

    def __init__(self, options: Options, curriculum: Curriculum, progress: Progress, log: Log, deadline: float) -> None:
        self.options, self.curriculum, self.progress, self.log = options, curriculum, progress, log
        self.deadline, self._saved = deadline, time.monotonic()
        self.first = progress.step
        self.last = None if options.steps is None else progress.step + options.steps
        self.setup: Setup = prepare(self.config())
        self.state: TrainState
        self._saving: threading.Thread | None = None
        self._failed: Exception | None = None  # what the last saving died of
        self._kept = progress.step  # the step last saved
        self._cost = 10.0  # seconds that a saving takes; measured by the first one

    @property
    def rung(self) -> Any:
        """The rung of now."""
        return self.curriculum.rungs[self.progress.rung]

    def config(self) -> TrainConfig:
        """Return the configuration of the rung, behind all samples so far."""
        optimizer, workers = self.curriculum.optimizer, self.options.workers
        if workers is None:
            workers = even_workers(self.rung.rows, os.cpu_count() or 1)
        if self.options.rewarm:
            optimizer = dataclasses.replace(optimizer, begin=self.first, warmup=self.options.rewarm)
        if self.options.decay and self.options.steps is not None:
            length = self.options.steps - self.options.rewarm
            optimizer = dataclasses.replace(
                optimizer, schedule="decay", decay_steps=length, final_fraction=self.options.final
            )
        return self.curriculum.config(
            self.progress.rung,
            self.progress.drawn,
            out=self.options.out,
            optimizer=optimizer,
            backends=PLAIN if self.options.plain else self.curriculum.backends,
            steps=self.last if self.options.decay and self.last else self.curriculum.steps,
            workers=workers,
        )

    def begin(self) -> None:
        """Take the state to begin with."""
        if self.options.from_ is None:
            self.state = first_state(self.setup)
        else:
            arrays, _ = read_state(self.options.from_)
            placed = with_new_moments if self.options.new_moments else placed_in
            self.state = placed(arrays, self.setup)

    def climb(self) -> bool:
        """Train on one rung; return whether there is a next one, or the stretch has ended and is saved."""
        setup, progress, config = self.setup, self.progress, self.setup.config
        before, recent = dict(progress.drawn), deque[float](maxlen=JUDGED_LINES)
        console.print(f"rung {self.rung.name}, {time.monotonic() - self.deadline + 60 * self.options.minutes:.0f} s in")
        announce(setup.step, setup.source)
        if self.rung.until is not None and not self.options.decay:
            threading.Thread(target=self._look_ahead, args=(setup,), daemon=True).start()
        with Feed(setup.source, config.workers, partial(place_batch, mesh=setup.mesh)) as feed:
            first = progress.step
            while True:
                asked = time.monotonic()
                fed = next(feed)
                waited = min(time.monotonic() - asked, fed.awaited)
                self.state, metrics = setup.step(self.state, fed.batch)
                progress.step += 1
                progress.drawn = drawn_after(setup.source, feed.position(), before)
                self.log.note(metrics, fed, waited)
                if progress.step - first == COLD:
                    jax.block_until_ready(self.state.step)
                    self.log.restart()
                late = time.monotonic() + self._cost > self.deadline or progress.step == self.last
                due = progress.step % config.log_every == 0
                if due or late:
                    self.log.line(self.rung.name, feed.kinds)
                    recent.append(self.log.kinds.get(self.curriculum.judged, float("inf")))
                    self._check()
                if late:
                    break
                if due and time.monotonic() - self._saved > 60 * self.options.save_every:
                    self._save()
                # Once the learning rate falls, the rung stays: there would be no time to learn the next one.
                mark = None if self.options.decay else self.rung.until
                if due and mark is not None and len(recent) == JUDGED_LINES and sum(recent) / JUDGED_LINES <= mark:
                    break
        if late:
            self._save(wait=True)
            if self.options.model is not None:
                publish(setup, self.state, self.options.model)
            return False
        progress.rung += 1
        source = check_run(self.config(), setup.mesh)  # the compiled step stays
        self.setup = dataclasses.replace(setup, config=source.config, sets=source.sets, source=source.source)
        return True

    def rescue(self) -> None:
        """Save what was learned since the last saving, if it can be: the stretch is about to fail."""
        self.wait()
        step = self.progress.step
        if step == self._kept:
            return
        try:
            self.log.line(self.rung.name, self.setup.source.kinds)  # which counts the samples
            self._check()
            self._save(wait=True)
        except Exception as error:  # the one that the stretch fails of says more
            console.print(f"step {step} is lost, step {self._kept} was the last one saved: {error}", markup=False)

    def wait(self) -> None:
        """Wait for a saving that is under way."""
        if self._saving is not None:
            self._saving.join()

    def _look_ahead(self, setup: Setup) -> None:
        """Begin to compile for the next rung, so that nothing waits for it there."""
        number = self.progress.rung + 1
        if number < len(self.curriculum.rungs):
            changes = {"optimizer": setup.config.optimizer, "backends": setup.config.backends}
            config = self.curriculum.config(number, {}, out=self.options.out, **changes)
            announce(setup.step, check_run(config, setup.mesh).source)

    def _check(self) -> None:
        """Raise UserError if nothing is learned any more; what was saved before is not to be replaced then."""
        if self.log.stuck:
            raise UserError(
                f"no loss or gradient is finite in the steps up to {self.progress.step}; go on from what was saved "
                "before, with a lower --peak-lr"
            )

    def _save(self, wait: bool = False) -> None:
        """Copy the state, and write it in the background.

        Raises:
            UserError: the saving before failed, or this one if it is waited for.
        """
        began = time.monotonic()
        self._join()
        arrays, meta = flat_state(self.state), dataclasses.asdict(self.progress)
        write = self._writer(arrays, meta, began)
        self._saving, self._saved = threading.Thread(target=write, daemon=True), began
        self._saving.start()
        if wait:
            self._join()
        self.log.restart()

    def _writer(self, arrays: dict[str, np.ndarray], meta: dict[str, Any], began: float) -> Callable[[], None]:
        def write() -> None:
            try:
                size = write_state(self.options.out, arrays, meta)
            except Exception as error:  # a thread has nobody to tell
                self._failed = error
                return
            self._kept = meta["step"]
            self._cost = 2 * (time.monotonic() - began) + 2
            console.print(f"step {meta['step']} saved: {size / 2**20:.1f} MiB, {time.monotonic() - began:.1f} s")

        return write

    def _join(self) -> None:
        self.wait()
        failed, self._failed = self._failed, None
        if failed is not None:
            raise UserError(f"{self.options.out}: the state could not be written ({failed})") from failed


def main() -> None:
    """Entry point of ``python -m train.stretch``."""

    def run() -> int:
        options = tyro.cli(Options, prog="python -m train.stretch", description=__doc__)
        quiet_libraries()
        return stretch(options)

    run_door(run)


if __name__ == "__main__":
    main()
