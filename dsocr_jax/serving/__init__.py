"""Reading over HTTP, behind the extra ``serve``."""

import importlib.util

from dsocr_jax.errors import UserError


def require_extra() -> None:
    """Refuse to go on without the libraries of the extra.

    Raises:
        UserError: starlette or uvicorn is not installed.
    """
    if not all(_installed(name) for name in ("starlette", "uvicorn")):
        raise UserError("dsocr serve needs starlette and uvicorn: pip install 'dsocr-jax[serve]'")


def _installed(name: str) -> bool:
    return importlib.util.find_spec(name) is not None
