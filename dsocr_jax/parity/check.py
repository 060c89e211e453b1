"""``dsocr parity check``: hold this port against a folder of fixtures."""

import dataclasses
import gc
import platform
import resource
import sys
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

import jax

from dsocr_jax.config import ModelConfig, preset
from dsocr_jax.console import progress
from dsocr_jax.errors import UserError
from dsocr_jax.parity.fixture import Fixture
from dsocr_jax.parity.folder import FixtureFolder, open_folder
from dsocr_jax.parity.forward import Forward
from dsocr_jax.parity.models import compare_model
from dsocr_jax.parity.operations import compare_operations
from dsocr_jax.parity.preprocessing import compare_preprocessing
from dsocr_jax.parity.repetition import compare_repetition
from dsocr_jax.parity.results import Check, Comparison, Limits, Verdict
from dsocr_jax.parity.source import Parameters, folder_parameters, synthetic_parameters
from dsocr_jax.parity.spread import compare_spread
from dsocr_jax.prompts import IMAGE
from dsocr_jax.tokenizer import Tokenizer
from dsocr_jax.weights.tokenizer_files import TOKENIZER_FILE


@dataclasses.dataclass(frozen=True)
class Report:
    """Everything that one run found.

    Attributes:
        checks: of every fixture, strays included.
        facts: what was run, with what, and what it took.
    """

    checks: list[Check]
    facts: dict[str, Any]

    def missed(self, allow_unknown: bool = False) -> list[Check]:
        """Return what keeps the run from passing."""
        bad = {Verdict.MISS} if allow_unknown else {Verdict.MISS, Verdict.UNKNOWN}
        return [check for check in self.checks if check.verdict in bad]


class Models:
    """Models by configuration and seed; the last one is kept."""

    def __init__(self, folder: FixtureFolder, weights: str | Path | None, dtype: Any):
        self._folder, self._dtype = folder, dtype
        self._given: Parameters | None = folder_parameters(weights, dtype) if weights else None
        self._made: tuple[tuple[ModelConfig, str], Forward] | None = None

    def forward(self, fixture: Fixture) -> Forward:
        """Return the model of a fixture.

        Raises:
            UserError: the fixture names no seed, and no weights were given.
        """
        if self._given is not None:
            key = (self._given.config, "")
        else:
            seed = fixture.meta.get("seed")
            if not isinstance(seed, str):
                raise UserError(f"{fixture.name}: made from a model's own weights; name that model by --weights")
            key = (self._folder.config(fixture, preset("released")), seed)
        if self._made is None or self._made[0] != key:
            self._made = None  # before the next one takes its memory
            parameters = self._given or synthetic_parameters(*key, self._dtype)
            self._made = key, Forward(parameters)
        return self._made[1]


def check(
    fixtures: str | Path,
    weights: str | Path | None = None,
    *,
    only: str = "*",
    skip: str = "",
    tokenizer: str | Path | None = None,
    dtype: str = "float32",
    limits: Limits = Limits(),  # noqa: B008 (frozen)
) -> Report:
    """Compare every array of a folder of fixtures.

    Args:
        fixtures: the folder.
        weights: a model folder to use instead of the synthetic weights that the fixtures name.
        only: a pattern for the names of the fixtures, such as ``tiny/*``.
        skip: a pattern for those that are left out.
        tokenizer: a ``tokenizer.json``, or its folder; without one, prompt ids are not compared.
        dtype: "float32", or "bfloat16" to compare with the original's own spread.
        limits: largest errors.

    Raises:
        UserError: the folder or the weights cannot be read.
    """
    start = time.monotonic()
    folder = open_folder(fixtures, only, skip)
    known = _tokenizer(tokenizer, weights)
    models = Models(folder, weights, dtype)
    checks: list[Check] = []
    with progress("comparing", len(folder.fixtures), "fixtures") as advance, jax.default_matmul_precision("highest"):
        for kind, fixture in folder.fixtures:
            advance(0, fixture.name)
            found = Comparison(fixture)
            try:
                _compare(found, kind, folder, models, tokenizer=known, dtype=dtype, limits=limits)
            except UserError as error:
                found.fail(error)
            except (KeyError, TypeError, ValueError, IndexError) as error:
                # A fixture that does not hold what its kind needs; the others are still compared.
                found.fail(UserError(f"{type(error).__name__}: {error}"))
            checks += found.finish()
            gc.collect()
            advance(1, fixture.name)
    checks += [Check(name, name, "not compared", Verdict.UNKNOWN, note=reason) for name, reason in folder.strays]
    if dtype == "float32":
        reason = "for --dtype bfloat16"
        checks += [Check(name, name, "bfloat16", Verdict.NOT_RUN, note=reason) for name in folder.spreads]
    facts = {
        "fixtures": folder.root.resolve().name,
        "only": only + (f" without {skip}" if skip else ""),
        "weights": Path(weights).resolve().name if weights else "synthetic, by the seeds that the fixtures name",
        "dtype": dtype,
        "limits": dataclasses.asdict(limits),
        "device": f"{jax.devices()[0].device_kind} ({jax.default_backend()})",
        "versions": {name: version(name) for name in ("jax", "flax", "numpy", "pillow")}
        | {"python": platform.python_version()},
        "seconds": round(time.monotonic() - start, 1),
        "peak_memory_bytes": _peak_memory(),
    }
    return Report(checks, facts)


def _peak_memory() -> int:
    """Most memory that this process has held, in bytes, files mapped into it included."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024  # KiB on Linux


def _tokenizer(given: str | Path | None, weights: str | Path | None) -> Tokenizer | None:
    """The tokenizer asked for, or that of the weights if it is DeepSeek-OCR's and not a small one of ours."""
    if given:
        return Tokenizer.load(given)
    if not weights or not (Path(weights) / TOKENIZER_FILE).is_file():
        return None
    found = Tokenizer.load(weights)
    return found if found.special_ids[IMAGE] == ModelConfig.image_token_id else None


def _compare(
    found: Comparison,
    kind: str,
    folder: FixtureFolder,
    models: Models,
    *,
    tokenizer: Tokenizer | None,
    dtype: str,
    limits: Limits,
) -> None:
    if kind == "model":
        forward = models.forward(found.fixture)
        if dtype == "bfloat16":
            compare_spread(found, forward, folder.spread(found.fixture), limits)
        else:
            compare_model(found, forward, limits)
    elif dtype == "bfloat16":
        for name in found.fixture.entries:
            found.not_run(name, kind, "computed in float32 only")
    elif kind == "operations":
        compare_operations(found, limits)
    elif kind == "preprocessing":
        compare_preprocessing(found, tokenizer)
    else:
        compare_repetition(found)
