"""Reading over HTTP, behind the extra ``serve``."""

import importlib.util

from dsocr_jax.errors import UserError

LIBRARIES = ("anyio", "starlette", "uvicorn", "prometheus_client")


def require_extra() -> None:
    """Refuse to go on without the libraries of the extra.

    Raises:
        UserError: one of them is not installed.
    """
    if missing := [name for name in LIBRARIES if not _installed(name)]:
        raise UserError(f"dsocr serve needs {', '.join(missing)}: pip install 'dsocr-jax[serve]'")


def _installed(name: str) -> bool:
    return importlib.util.find_spec(name) is not None
