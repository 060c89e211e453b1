"""What a pool costs over a plain loop, and whether memory grows over a long run."""

import gc
import resource
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from datagen import families, pool, records
from datagen.manifest import SetConfig, plan
from datagen.sample import make_sample
from datagen.work import job

#: Samples of a shard; small, so that workers finish at about the same time.
_SHARD = 50


@dataclass(frozen=True)
class Pool:
    """A pool against the plain loop over the same shards.

    Attributes:
        workers: processes.
        samples: how many were made each way.
        plain: samples a second of the plain loop, by the clock.
        pooled: samples a second of the pool, by the clock, from the first finished shard to the last.
        plain_processor: processor seconds of the plain loop.
        pooled_processor: processor seconds of the pool: of all workers, and of the process that hands out shards.
    """

    workers: int
    samples: int
    plain: float
    pooled: float
    plain_processor: float
    pooled_processor: float

    @property
    def efficiency(self) -> float:
        """The pool's rate per worker over the plain loop's, by the clock; other work on the machine lowers it."""
        return self.pooled / self.workers / self.plain

    @property
    def processor_efficiency(self) -> float:
        """The same by processor time, which other work hardly touches; a worker that waits is not seen in it."""
        return self.plain_processor / self.pooled_processor


def measure_pool(family: str, samples: int, workers: int, temporary: Path, advance: Callable[[int, str], None]) -> Pool:
    """Make ``samples`` of a family by a plain loop and by a pool.

    Args:
        family: whose samples, of the standard level, degraded.
        samples: how many; each way begins with a shard for every worker that is not counted, while it gets started.
        workers: processes of the pool.
        temporary: an empty folder.
        advance: told of every sample.
    """
    warm = workers * _SHARD
    config = SetConfig({family: samples + warm}, 0, "all", "standard", _SHARD, "mix")
    shards = plan(config.counts, config.split, config.shard_size)
    rates, processor = [], []
    for number in (1, workers):
        work = job(config, temporary, temporary)
        start, own, spent, done = 0.0, 0.0, 0.0, 0
        for turn, (shard, made) in enumerate(
            pool.run(work, shards, workers=number, advance=advance, stop=lambda: False)
        ):
            if turn >= workers:
                done += shard.records
                spent += made.seconds
            if turn == workers - 1:
                start, own = time.perf_counter(), time.process_time()
        rates.append(done / (time.perf_counter() - start))
        # In a pool the workers' time is not this process's own.
        processor.append(spent + (time.process_time() - own if number > 1 else 0.0))
    return Pool(workers, samples, rates[0], rates[1], processor[0], processor[1])


def measure_memory(samples: int, points: int, advance: Callable[[int, str], None]) -> list[tuple[int, float]]:
    """Make ``samples`` records of all families in this process, one after another.

    Returns:
        ``points`` pairs, evenly spaced: samples made so far, and the memory that the process holds, in MB.
    """
    kinds = list(families.MODULES)
    held = []
    for done in range(1, samples + 1):
        kind = kinds[done % len(kinds)]
        records.encode(make_sample(0, kind, done, "all", "standard", degradation="mix"))
        advance(1, kind)
        if done * points // samples > (done - 1) * points // samples:
            gc.collect()
            held.append((done, own_memory()))
    return held


def own_memory() -> float:
    """Return the memory that is this process's alone, in MB; where the system does not tell, the most it ever held.

    Pages of font files that are mapped are not counted: they are the system's, which takes them back when it needs to.
    """
    try:
        status = Path("/proc/self/status").read_text(encoding="ascii", errors="replace")
        return next(float(line.split()[1]) / 1e3 for line in status.splitlines() if line.startswith("RssAnon:"))
    except (OSError, StopIteration):
        unit = 1 if sys.platform == "darwin" else 1024
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6


def growth(held: list[tuple[int, float]]) -> float:
    """Return by what share memory grew from the first third of the points to the last, by their means."""
    third = max(len(held) // 3, 1)
    first, last = (sum(memory for _, memory in part) / third for part in (held[:third], held[-third:]))
    return last / first - 1
