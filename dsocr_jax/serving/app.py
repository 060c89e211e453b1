"""The web application of ``dsocr serve``: a picture or PDF in, the text of its pages out, one request at a time.

``POST /read`` takes the bytes of the file as its body and ``prompt``, ``locate``, ``mode`` and ``max_new_tokens`` as
query parameters. ``GET /health`` tells that the server runs. Errors are JSON: ``{"error": "one line"}``.
"""

import socket
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import anyio
import anyio.to_thread
import uvicorn
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from dsocr_jax.console import console
from dsocr_jax.errors import UserError
from dsocr_jax.prompts import IMAGE
from dsocr_jax.reading.documents import DocumentOptions, Failure, Page, open_documents

if TYPE_CHECKING:
    from dsocr_jax.reading.repetition import NoRepeat
    from dsocr_jax.weights.checkpoint import LoadedModel

#: Most characters of each query parameter.
MAX_PARAMETER = 4096
PARAMETERS = frozenset({"prompt", "locate", "mode", "max_new_tokens"})
#: Most connections that are open at once, those beyond the queue included: they are told to come back later.
MAX_CONNECTIONS = 256


@dataclass(frozen=True)
class Limits:
    """What one request may ask for, and how many may ask at once.

    Attributes:
        max_bytes: most bytes of a body.
        max_pages: most pages of a document.
        max_new_tokens: most tokens of a page's answer, and their number when a request names none.
        queue: requests that may wait, beside the one that is read.
        body_seconds: time that a body may take to arrive.
    """

    max_bytes: int = 50_000_000
    max_pages: int = 100
    max_new_tokens: int = 8192
    queue: int = 8
    body_seconds: float = 60

    def __post_init__(self) -> None:
        for name in ("max_bytes", "max_pages", "max_new_tokens"):
            if getattr(self, name) < 1:
                raise UserError(f"--{name.replace('_', '-')} must be at least 1, not {getattr(self, name)}")
        if self.queue < 0:
            raise UserError(f"--queue must be at least 0, not {self.queue}")


@dataclass(frozen=True)
class Asked:
    """What a request asks for besides the document; an empty mode is the server's own."""

    prompt: str
    locate: str
    mode: str
    max_new_tokens: int


#: Reads a whole document; its `UserError` is the fault of the request.
Read = Callable[[bytes, Asked], list[dict[str, Any]]]


def document_reader(
    loaded: "LoadedModel", mode: str, limits: Limits, documents: DocumentOptions, rule: "NoRepeat | None" = None
) -> Read:
    """Return what reads a document with a loaded model.

    Args:
        loaded: the model.
        mode: the mode of requests that name none.
        limits: on pages; ``max_new_tokens`` is part of what is asked.
        documents: resolution and pixel limit.
        rule: bans repetition; None does not.

    Raises:
        UserError: there is no such mode.
    """
    from dsocr_jax.reading.reader import Answer, Ask, Reader, ReadOptions

    reader = Reader(loaded, ReadOptions(mode, max_new_tokens=limits.max_new_tokens, rule=rule, blank=False))

    def described(item: Answer | Failure) -> dict[str, Any]:
        if isinstance(item, Failure):
            return {"page": item.page, "error": item.message}
        return {
            "page": item.page.page,
            "text": item.text,
            "finish_reason": item.finish_reason,
            "mean_log_prob": round(item.mean_log_prob, 6),
            "tokens": len(item.token_ids),
        }

    def read(body: bytes, asked: Asked) -> list[dict[str, Any]]:
        def ask(item: Page | Failure) -> Ask | Failure:
            if isinstance(item, Failure):
                return item
            wish = asked.mode or None, asked.prompt, asked.locate
            return Ask(item, *wish, max_new_tokens=asked.max_new_tokens)

        pages = _few(open_documents([body], documents), limits.max_pages)
        answers = [described(item) for item in reader.read(map(ask, pages))]
        if all("error" in answer for answer in answers):
            raise UserError(answers[0]["error"] if answers else "no pages")
        return answers

    return read


def _few(pages: Iterator[Any], most: int) -> Iterator[Any]:
    """Pass pages on; refuse a document that has more than ``most`` as soon as that is known."""
    for number, page in enumerate(pages, start=1):
        if max(number, getattr(page, "pages", 1)) > most:
            raise UserError(f"the document has more than {most} pages; send it in parts")
        yield page


def make_app(read: Read, limits: Limits, modes: tuple[str, ...], stopping: Callable[[], bool]) -> Starlette:
    """Return the ASGI application.

    Args:
        read: reads a document; called in a thread, never twice at once.
        limits: what requests may ask for.
        modes: names of the model's modes, told by ``/health``.
        stopping: when it is true, requests that wait are turned away.
    """
    turn = anyio.Lock()
    admitted = 0

    @contextmanager
    def admission() -> Iterator[None]:
        # Before the body is read: the queue bounds the memory that bodies take, too.
        nonlocal admitted
        if admitted > limits.queue:
            raise HTTPException(503, "the queue is full; try again later", {"Retry-After": "10"})
        admitted += 1
        try:
            yield
        finally:
            admitted -= 1

    async def read_one(request: Request) -> Response:
        asked = _asked(request.query_params.multi_items(), limits)
        with admission():
            body = await _body(request, limits)
            async with turn:
                if stopping():
                    raise HTTPException(503, "the server stops", {"Retry-After": "60"})
                if await request.is_disconnected():
                    return Response(status_code=499)  # nobody is there to see it
                try:
                    return JSONResponse({"pages": await anyio.to_thread.run_sync(read, body, asked)})
                except UserError as error:
                    raise HTTPException(422, str(error)) from error

    async def health(request: Request) -> Response:
        return JSONResponse({"status": "ok", "modes": modes, "requests": admitted})

    async def failed(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        return JSONResponse({"error": error.detail}, error.status_code, error.headers)

    routes = [Route("/read", read_one, methods=["POST"]), Route("/health", health, methods=["GET"])]
    return Starlette(routes=routes, exception_handlers={HTTPException: failed})


def _asked(items: list[tuple[str, str]], limits: Limits) -> Asked:
    """Check the query parameters; an HTTPException 400 names what is wrong."""
    given: Mapping[str, str] = dict(items)
    if unknown := given.keys() - PARAMETERS:
        named = ", ".join(sorted(unknown))[:MAX_PARAMETER]
        raise HTTPException(400, f"unknown parameters: {named} (known: {', '.join(sorted(PARAMETERS))})")
    if len(given) < len(items):
        raise HTTPException(400, "a parameter is given twice")
    for name, value in given.items():
        if len(value) > MAX_PARAMETER:
            raise HTTPException(400, f"{name} is longer than {MAX_PARAMETER} characters")
    prompt, locate = given.get("prompt", "free"), given.get("locate", "")
    if prompt.count(IMAGE) > 1 or IMAGE in locate:
        raise HTTPException(400, f"a prompt holds {IMAGE} at most once")
    number = given.get("max_new_tokens", str(limits.max_new_tokens))
    if not (number.isascii() and number.isdecimal() and len(number) < 10 and 1 <= int(number) <= limits.max_new_tokens):
        raise HTTPException(400, f"max_new_tokens must be a number from 1 to {limits.max_new_tokens}")
    return Asked(prompt, locate, given.get("mode", ""), int(number))


async def _body(request: Request, limits: Limits) -> bytes:
    """Read the body, never more of it than allowed."""
    too_long = HTTPException(413, f"the body is longer than {limits.max_bytes} bytes")
    length = request.headers.get("content-length", "0")
    if not length.isdecimal() or len(length) > 18 or int(length) > limits.max_bytes:
        raise too_long
    body = bytearray()
    try:
        with anyio.fail_after(limits.body_seconds):
            chunks: AsyncIterator[bytes] = request.stream()
            async for chunk in chunks:
                if len(body) + len(chunk) > limits.max_bytes:
                    raise too_long
                body += chunk
    except TimeoutError:
        raise HTTPException(408, f"the body took longer than {limits.body_seconds:g} seconds") from None
    except ClientDisconnect:
        raise HTTPException(400, "the body ended early") from None
    return bytes(body)


def bind(host: str, port: int) -> socket.socket:
    """Take the address before anything long is begun; connections are refused until the server listens.

    Raises:
        UserError: the address cannot be had.
    """
    listener = None
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listener = socket.socket(family, kind, protocol)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        return listener
    except (OSError, OverflowError) as error:
        if listener is not None:
            listener.close()
        reason = getattr(error, "strerror", None) or error
        raise UserError(f"cannot serve at {host}, port {port}: {reason}; choose another --host or --port") from None


def serve(read: Read, listener: socket.socket, limits: Limits, modes: tuple[str, ...]) -> None:
    """Serve until SIGINT or SIGTERM: what is being read is finished, what waits is turned away."""
    server: uvicorn.Server
    app = make_app(read, limits, modes, lambda: server.should_exit)
    settings = uvicorn.Config(
        app,
        log_level="warning",
        access_log=False,
        lifespan="off",
        limit_concurrency=MAX_CONNECTIONS,
        server_header=False,
    )
    server = uvicorn.Server(settings)
    host, port = listener.getsockname()[:2]
    console.print(f"reading at http://{f'[{host}]' if ':' in host else host}:{port}/read; Ctrl-C stops")
    with suppress(KeyboardInterrupt):  # uvicorn hands Ctrl-C on when it has ended
        server.run(sockets=[listener])
