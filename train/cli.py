"""``dsocr-train CONFIG.py [--field value ...]``: train, or show what would be trained."""

import dataclasses
import importlib.util
import inspect
import logging
import sys
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Annotated

import tyro

from dsocr_jax.console import run_door
from dsocr_jax.errors import UserError
from train.config import TrainConfig

DESCRIPTION = """Train DeepSeek-OCR as CONFIG.py says; any field may be given another value here.

Starting again with the same --out goes on exactly where the run was. Ctrl-C finishes the step and saves.
"""


@dataclasses.dataclass(frozen=True)
class Options:
    """What the command line holds behind the file."""

    config: Annotated[TrainConfig, tyro.conf.arg(name="")]
    #: Print every array with its sharding, what each device would hold and what the run would cost; then stop.
    dry_run: bool = False
    #: Dry run only: devices to plan for, such as H100:64, instead of those that are there.
    on: str | None = None
    #: Dry run only: share of the devices' peak that is assumed for the time.
    share: float = 0.3
    #: Dry run only: price of one device for an hour.
    price: float | None = None
    #: Join the other processes of a cluster first (SLURM and MPI are found by themselves).
    distributed: bool = False


def load_config(path: Path) -> TrainConfig:
    """Import a configuration file and return its ``config``.

    Raises:
        UserError: the file cannot be imported, or its visible objects are not ``config`` alone.
    """
    if not path.is_file():
        raise UserError(f"{path}: no such configuration file; configs/ holds some")
    spec = importlib.util.spec_from_file_location("dsocr_train_config", path)
    if spec is None or spec.loader is None:
        raise UserError(f"{path} is not a Python file; name one such as configs/nano.py")
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except UserError:
        raise
    except Exception as error:
        raise UserError(f"{path} cannot be imported: {type(error).__name__}: {error}") from error
    visible = [
        name for name, value in vars(module).items() if not name.startswith("_") and not _imported(value, module)
    ]
    if visible != ["config"]:
        seen = ", ".join(visible) or "nothing"
        raise UserError(f"{path} must hold one visible object, config, and holds {seen}; put _ before the other names")
    if not isinstance(module.config, TrainConfig):
        raise UserError(f"{path}: config is a {type(module.config).__name__}; it must be a train.config.TrainConfig")
    return module.config


def _imported(value: object, module: ModuleType) -> bool:
    """Modules, classes and functions of elsewhere are a file's tools, not its objects."""
    elsewhere = callable(value) and getattr(value, "__module__", None) != module.__name__
    return elsewhere or inspect.ismodule(value)


def parse(arguments: Sequence[str]) -> Options:
    """Return the options; exits with status 2 and the nearest option for one that does not exist."""
    default, rest = TrainConfig(), list(arguments)
    if rest and not rest[0].startswith("-"):
        default = load_config(Path(rest.pop(0)))
    elif not {"-h", "--help"} & set(rest):
        raise UserError("name a configuration file first: dsocr-train configs/nano.py --data DIR --out RUN")
    return tyro.cli(
        Options,
        args=rest,
        default=Options(default),
        prog="dsocr-train CONFIG.py",
        description=DESCRIPTION,
        config=(tyro.conf.FlagCreatePairsOff, tyro.conf.AvoidSubcommands),
    )


def quiet_libraries() -> None:
    """Keep what the libraries would log about a failed save, pages of it, away from our one line about it."""
    for name in ("absl", "asyncio"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    before = sys.unraisablehook

    def hook(unraisable: "sys.UnraisableHookArgs") -> None:
        # The storage library's threads report to an event loop that has given up.
        if str(unraisable.exc_value) != "Event loop is closed":
            before(unraisable)

    sys.unraisablehook = hook


def _main() -> int:
    options = parse(sys.argv[1:])
    quiet_libraries()
    from train.checks import check

    check(options.config)
    if not options.dry_run and (options.on is not None or options.price is not None):
        raise UserError("--on and --price belong to --dry-run; leave them out, or add it")
    if not 0 < options.share <= 1 or (options.price is not None and options.price < 0):
        raise UserError("--share must be in (0, 1], and --price 0 or more")
    if options.distributed:
        import jax

        jax.distributed.initialize()
    if options.dry_run:
        from train.dry_run import dry_run
        from train.estimate import Devices

        on = None if options.on is None else Devices.parse(options.on)
        return dry_run(options.config, on, options.share, options.price)
    from train.loop import train

    return train(options.config)


def main() -> None:
    """The entry point of ``dsocr-train``."""
    run_door(_main)
