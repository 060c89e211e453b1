"""HTTP beneath the doors: bodies within bounds, clients that go away, streams of events, counting."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable, Collection, Coroutine
from contextlib import AbstractContextManager, aclosing
from typing import Any, TypeVar

import anyio
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from dsocr_jax.serving.errors import ApiError, internal
from dsocr_jax.serving.settings import Limits

log = logging.getLogger(__name__)

#: What nginx calls a client that did not wait; nobody sees it but the counters.
CLIENT_GONE = 499
#: Seconds that a refused body is read for: a client that still sends would not see why it is refused.
DISCARD_SECONDS = 2.0
#: In the scope of a request: its body has been read to the end.
BODY_READ = "dsocr.body_read"

T = TypeVar("T")


class ClientGone(Exception):
    """The client has closed the connection."""


async def bounded_body(request: Request, limits: Limits) -> bytes:
    """Read the body, never more of it than allowed.

    Raises:
        ApiError: it is too long or too slow.
        ClientGone: it was cut short.
    """
    too_long = ApiError(413, f"the body is longer than {limits.max_bytes} bytes", code="body_too_large")
    length = request.headers.get("content-length", "0")
    if not length.isdecimal() or len(length) > 18 or int(length) > limits.max_bytes:
        raise too_long
    body = bytearray()
    try:
        with anyio.fail_after(limits.body_seconds):
            while not request.scope.get(BODY_READ):
                message = await request.receive()
                if message["type"] == "http.disconnect":
                    raise ClientGone
                request.scope[BODY_READ] = not message.get("more_body", False)
                chunk = message.get("body", b"")
                if len(body) + len(chunk) > limits.max_bytes:
                    raise too_long
                body += chunk
    except TimeoutError:
        request.scope[BODY_READ] = True  # there is nothing to wait for
        raise ApiError(408, f"the body took longer than {limits.body_seconds:g} seconds") from None
    return bytes(body)


async def discard_body(request: Request) -> None:
    """Let a client that is refused send on for a moment, keeping nothing."""
    if request.method != "POST" or request.scope.get(BODY_READ) or "expect" in request.headers:
        return
    with anyio.move_on_after(DISCARD_SECONDS):
        while True:
            message = await request.receive()
            if message["type"] != "http.request" or not message.get("more_body", False):
                return


async def until_disconnect(receive: Receive, work: Coroutine[Any, Any, T]) -> T:
    """Do ``work`` while the client is there; its body must have been read.

    Raises:
        ClientGone: it is not there any more; ``work`` has been cancelled.
    """

    async def disconnected() -> None:
        while (await receive())["type"] != "http.disconnect":
            pass

    task, gone = asyncio.ensure_future(work), asyncio.ensure_future(disconnected())
    try:
        await asyncio.wait({task, gone}, return_when=asyncio.FIRST_COMPLETED)
        if task.done():
            return task.result()
        raise ClientGone
    finally:
        task.cancel()
        gone.cancel()
        await asyncio.gather(task, gone, return_exceptions=True)


class EventStream(Response):
    """Server-sent events. An error before the first event has a status of its own; a later one is the last event.

    Args:
        events: makes the events, encoded.
        admission: left when the stream ends, however it does.
        encode: an error as an event.
    """

    media_type = "text/event-stream"

    def __init__(
        self,
        events: Callable[[], AsyncIterator[bytes]],
        admission: AbstractContextManager[Any],
        encode: Callable[[dict[str, Any]], bytes],
    ):
        super().__init__(headers={"Cache-Control": "no-cache", "X-Accel-Buffering": "no"})
        del self.headers["content-length"]
        self._events, self._admission, self._encode = events, admission, encode

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the events."""
        with self._admission:
            await until_disconnect(receive, self._send(scope, receive, send))

    async def _send(self, scope: Scope, receive: Receive, send: Send) -> None:
        begun = False

        async def piece(content: bytes, more: bool = True) -> None:
            await send({"type": "http.response.body", "body": content, "more_body": more})

        async with aclosing(self._events()) as events:  # type: ignore[type-var]
            try:
                async for content in events:
                    if not begun:
                        begun = True
                        await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
                    await piece(content)
            except Exception as error:
                if not isinstance(error, ApiError):
                    log.exception("a stream has failed")
                    error = internal()
                if not begun:
                    await JSONResponse(error.body, error.status, error.headers)(scope, receive, send)
                    return
                await piece(self._encode(error.body))
        await piece(b"", more=False)


class Counted:
    """Middleware: counts requests by path and status, and measures them to the last byte.

    Args:
        app: within.
        paths: those that are counted by name.
        count: is told path, status and seconds.
    """

    def __init__(self, app: ASGIApp, paths: Collection[str], count: Callable[[str, int, float], None]):
        self._app, self._paths, self._count = app, frozenset(paths), count

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass everything on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began, status = time.monotonic(), CLIENT_GONE

        async def noting(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, noting)
        except ClientGone:
            status = CLIENT_GONE
        except Exception:
            status = 500
            raise
        finally:
            path = scope["path"] if scope["path"] in self._paths else "other"
            self._count(path, status, time.monotonic() - began)
