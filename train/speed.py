"""How fast a run is, and what it takes: rates between two lines of the log, the share of the devices' peak, memory."""

import math
import os
import resource
import time
from pathlib import Path
from typing import Any

import jax

from train.config import TrainConfig
from train.data import Fed
from train.flops import Work, peak_flops, step_flops
from train.goodput import STEPS, Goodput

#: Parts of `Goodput` that are training: what rates are counted over. The others (saving, evaluating, ...) are told by
#: the goodput; nor do steps count that compile.
WAITING, COMPILING = "waiting for input", "compiling"
TRAINING = (STEPS, WAITING, "skipped steps")


class Useful:
    """The useful operations of batches; what they depend on is added up once, since it is linear (`train.flops`)."""

    def __init__(self, config: TrainConfig) -> None:
        self.config = config
        self._units: dict[Any, float] = {}

    def __call__(self, work: Work) -> float:
        """Return the operations of one step with this work, forward and backward."""
        total = work.tokens * self._unit("tokens", Work(1, 0, 0, {}))
        total += work.pairs * self._unit("pairs", Work(0, 1, 0, {}))
        total += work.labelled * self._unit("labelled", Work(0, 0, 1, {}))
        return total + sum(views * self._unit(size, Work(0, 0, 0, {size: 1})) for size, views in work.views.items())

    def _unit(self, key: Any, work: Work) -> float:
        if key not in self._units:
            self._units[key] = sum(step_flops(self.config, work).values())
        return self._units[key]


class Speed:
    """Counts what passes between two lines. Figures are of all processes, each of which is taken to do as much.

    Args:
        config: of the run.
        goodput: tells training from what happens beside it; without it all time counts.
    """

    def __init__(self, config: TrainConfig, goodput: Goodput | None = None) -> None:
        self.config, self.goodput = config, goodput
        self.useful = Useful(config)
        device = jax.local_devices()[0]
        self.peak = peak_flops(device.device_kind, config.compute_dtype)
        self._since = self._waited = self._flops = self._compiled = self._waiting = 0.0
        self._samples = self._tokens = self._pictures = 0
        self._begin()

    def add(self, fed: Fed, waited: float) -> None:
        """Count a step; it must have been timed by the goodput already."""
        self._waited += waited
        compiled, self._compiled = self._part(COMPILING) > self._compiled, self._part(COMPILING)
        if compiled:
            return
        self._samples += fed.kinds.total()
        self._tokens += fed.tokens
        self._pictures += fed.pictures
        if fed.work is not None:
            self._flops += self.useful(fed.work)

    def line(self) -> dict[str, Any]:
        """Return the figures since the last call; what is not known is absent.

        Rates are a second: ``samples_per_s``, ``tokens_per_s`` (without padding), ``images_per_s``,
        ``tflops_per_device`` (useful ones); shares: ``share_of_peak``, ``input_wait``, ``goodput``; bytes:
        ``device_memory`` (the most that was in use, of any device here), ``host_memory`` (of this process).
        """
        seconds = self._training() - self._since
        waited = self._part(WAITING) - self._waiting if self.goodput else self._waited
        processes, devices = jax.process_count(), jax.device_count()
        known = seconds > 0 and self._samples > 0  # not so where every step compiled
        rate = processes / seconds if known else math.nan
        flops = self._flops * rate / devices
        line = {
            "samples_per_s": self._samples * rate,
            "tokens_per_s": self._tokens * rate,
            "images_per_s": self._pictures * rate,
            "tflops_per_device": flops / 1e12,
            "share_of_peak": flops / self.peak if self.peak else math.nan,
            "input_wait": waited / seconds if known else math.nan,
            "goodput": self.goodput.share if self.goodput else math.nan,
            "device_memory": _device_memory(),
            "host_memory": _host_memory(),
        }
        self._begin()
        return {name: value for name, value in line.items() if math.isfinite(value)}

    def _begin(self) -> None:
        self._since, self._waited = self._training(), 0.0
        self._compiled, self._waiting = self._part(COMPILING), self._part(WAITING)
        self._samples = self._tokens = self._pictures = 0
        self._flops = 0.0

    def _part(self, name: str) -> float:
        return self.goodput.parts[name] if self.goodput else 0.0

    def _training(self) -> float:
        return sum(map(self._part, TRAINING)) if self.goodput else time.monotonic()


def _device_memory() -> float:
    peaks = [(device.memory_stats() or {}).get("peak_bytes_in_use", math.nan) for device in jax.local_devices()]
    return max(peaks)


def _host_memory() -> float:
    file = Path("/proc/self/statm")
    if file.exists():
        return int(file.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024.0
