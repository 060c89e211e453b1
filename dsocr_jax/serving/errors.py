"""Errors as OpenAI's clients expect them: a status, and JSON that says what is wrong and with which field."""

from collections.abc import Mapping
from typing import Any

from dsocr_jax.errors import UserError

#: Seconds after which a client that was turned away may try again: when the queue is full, when the server stops.
FULL_SECONDS, STOPPING_SECONDS = 5, 30

TYPES = {404: "not_found_error", 429: "rate_limit_error"}


class ApiError(Exception):
    """An answer that is no answer.

    Args:
        status: HTTP's.
        message: one line for a person.
        param: the field that is wrong, if one is.
        code: a word for programs.
        headers: to send with it.
    """

    def __init__(
        self,
        status: int,
        message: str,
        param: str | None = None,
        code: str | None = None,
        headers: Mapping[str, str] | None = None,
    ):
        super().__init__(message)
        self.status, self.message, self.param, self.code, self.headers = status, message, param, code, headers

    @property
    def body(self) -> dict[str, Any]:
        """The JSON to send."""
        kind = TYPES.get(self.status, "server_error" if self.status >= 500 else "invalid_request_error")
        return {"error": {"message": self.message, "type": kind, "param": self.param, "code": self.code}}


def full() -> ApiError:
    """The queue is full."""
    headers = {"Retry-After": str(FULL_SECONDS)}
    return ApiError(429, "the queue is full; try again later", code="queue_full", headers=headers)


def stopping() -> ApiError:
    """The server stops."""
    headers = {"Retry-After": str(STOPPING_SECONDS), "Connection": "close"}
    return ApiError(503, "the server stops; ask another one", code="stopping", headers=headers)


def of_user(error: UserError, param: str | None = None) -> ApiError:
    """The request is at fault."""
    return ApiError(400, " ".join(str(error).split()), param)


def internal() -> ApiError:
    """We are; the log says how."""
    return ApiError(500, "reading failed; the server's log says why", code="internal_error")
