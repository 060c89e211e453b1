"""The connection to Ray (extra ``cluster``), for everything that runs on it."""

import contextlib
import importlib
import os
import signal
import threading
import warnings
from collections.abc import Iterator
from typing import Any

from dsocr_jax.errors import UserError


def require_ray() -> Any:
    """Return the module ``ray``.

    Raises:
        UserError: it is not installed.
    """
    try:
        return importlib.import_module("ray")
    except ImportError:
        raise UserError("--engine ray needs Ray: pip install 'dsocr-jax[cluster]'") from None


@contextlib.contextmanager
def connected(ray: Any, processors: int) -> Iterator[None]:
    """Connect to the cluster (``RAY_ADDRESS``, ``ray start``), or start Ray here; a connection that is there is kept.

    Args:
        ray: the module.
        processors: of Ray that is started here.

    Raises:
        UserError: the cluster cannot be reached.
    """
    if ray.is_initialized():
        yield
        return
    in_main = threading.current_thread() is threading.main_thread()
    handler = signal.getsignal(signal.SIGTERM)
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # a run reports to nobody unless asked to
    quiet: dict[str, Any] = {"log_to_driver": False, "logging_level": "error"}
    try:
        try:
            ray.init("auto", **quiet)
        except ConnectionError:
            with warnings.catch_warnings():
                # JAX warns of every fork; these go on to another program at once.
                warnings.filterwarnings("ignore", r"os\.fork\(\) was called", RuntimeWarning)
                ray.init("local", num_cpus=processors, include_dashboard=False, **quiet)
    except (ConnectionError, OSError, RuntimeError, ValueError) as error:
        raise UserError(f"Ray cannot be reached or started ({error}); check RAY_ADDRESS and `ray status`") from error
    if in_main:  # Ray puts its own handler there, which would end the run before it has tidied up
        signal.signal(signal.SIGTERM, handler)
    try:
        yield
    finally:
        ray.shutdown()
