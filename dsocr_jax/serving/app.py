"""The doors of the server.

``POST /v1/chat/completions`` and ``GET /v1/models`` are OpenAI's; ``POST /read`` takes the bytes of a picture or PDF as
its body and what is asked as query parameters. ``/healthz``, ``/readyz`` and ``/metrics`` are for those who look after
the server. Errors are JSON in OpenAI's form.
"""

import time
from collections.abc import AsyncIterator, Callable
from contextlib import ExitStack
from functools import partial

import anyio.to_thread
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from dsocr_jax.reading.asking import Answer
from dsocr_jax.reading.desk import Result
from dsocr_jax.reading.documents import Failure
from dsocr_jax.serving.answers import DONE, PAGE_BREAK, Completion, event, page_json
from dsocr_jax.serving.errors import ApiError, internal
from dsocr_jax.serving.fields import MAX_SHOWN, Fields, parse_body, refuse
from dsocr_jax.serving.messages import Chat, parse_chat
from dsocr_jax.serving.metrics import CONTENT_TYPE
from dsocr_jax.serving.reading import Asking
from dsocr_jax.serving.service import Service
from dsocr_jax.serving.transport import Counted, EventStream, bounded_body, discard_body, until_disconnect

#: Query parameters of ``/read``, and what they are.
PARAMETERS: dict[str, Callable[[str], object]] = {
    "mode": str,
    "prompt": str,
    "locate": str,
    "no_repeat": str,
    "max_new_tokens": int,
    "temperature": float,
    "top_p": float,
    "seed": int,
}
#: Longest text of a number.
MAX_DIGITS = 30


def make_app(service: Service) -> Starlette:
    """Return the ASGI application of a service; starting and ending the service is the caller's."""
    limits, created = service.options.limits, int(time.time())

    def model(name: str) -> dict[str, object]:
        return {"id": name, "object": "model", "created": created, "owned_by": "dsocr-jax"}

    async def chat(request: Request) -> Response:
        if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
            raise ApiError(415, "send JSON, with the header Content-Type: application/json")
        began = time.monotonic()
        with ExitStack() as stack:
            stack.enter_context(service.admission())
            body = await bounded_body(request, limits)
            asked = await anyio.to_thread.run_sync(_parse, body, service)
            del body  # its picture is decoded; both at once would be twice the memory
            if asked.stream:
                return EventStream(partial(_events, service, asked, began), stack.pop_all(), event)
            return await until_disconnect(request.receive, _complete(service, asked))

    async def read(request: Request) -> Response:
        asking = service.names.ask(_parameters(request), ("max_new_tokens",))
        with service.admission():
            body = await bounded_body(request, limits)
            return await until_disconnect(request.receive, _read(service, body, asking))

    async def models(request: Request) -> Response:
        return JSONResponse({"object": "list", "data": [model(name) for name in service.names.models]})

    async def one_model(request: Request) -> Response:
        name = request.path_params["name"]
        service.names.mode_of(name)
        return JSONResponse(model(name))

    async def healthz(request: Request) -> Response:
        alive = service.state != "failed"
        return JSONResponse({"status": "ok" if alive else "the engine has failed"}, 200 if alive else 503)

    async def readyz(request: Request) -> Response:
        return JSONResponse({"status": service.state}, 200 if service.state == "ready" else 503)

    async def metrics(request: Request) -> Response:
        return Response(service.metrics.text(), media_type=CONTENT_TYPE)

    routes = [
        Route("/v1/chat/completions", chat, methods=["POST"]),
        Route("/read", read, methods=["POST"]),
        Route("/v1/models", models, methods=["GET"]),
        Route("/v1/models/{name}", one_model, methods=["GET"]),
        Route("/healthz", healthz, methods=["GET"]),
        Route("/readyz", readyz, methods=["GET"]),
        Route("/metrics", metrics, methods=["GET"]),
    ]
    counted = Middleware(Counted, paths=[route.path for route in routes], count=service.metrics.request)
    handlers = {ApiError: _refused, HTTPException: _no_door, Exception: _failed}
    return Starlette(routes=routes, middleware=[counted], exception_handlers=handlers)


def _parse(body: bytes, service: Service) -> Chat:
    return parse_chat(parse_body(body), service.names)


async def _complete(service: Service, asked: Chat) -> Response:
    """Answer a chat in one piece."""
    completion = Completion(asked.model, service.loaded.tokenizer, asked.logprobs)
    async with service.reading(asked.body, asked.asking) as sheets:
        answers = [_answer(await sheet.settled()) async for sheet in sheets]
    return JSONResponse(completion.whole(answers))


async def _events(service: Service, asked: Chat, began: float) -> AsyncIterator[bytes]:
    """Answer a chat as it is written."""
    completion = Completion(asked.model, service.loaded.tokenizer, asked.logprobs)
    answers: list[Answer] = []
    async with service.reading(asked.body, asked.asking, stream=True) as sheets:
        async for sheet in sheets:
            # Nothing is sent before the first text, so that a refusal can still have a status of its own.
            lead = {"content": PAGE_BREAK} if answers else {"role": "assistant", "content": ""}
            async for piece in sheet.pieces():
                if lead:
                    if not answers:
                        service.metrics.first_text(time.monotonic() - began)
                    yield event(completion.piece(lead))
                    lead = {}
                yield event(completion.piece({"content": piece}))
            answer = _answer(sheet.result)
            if lead:  # a page without text
                yield event(completion.piece(lead))
            answers.append(answer)
    yield event(completion.end(answers))
    if asked.usage:
        yield event(completion.usage(answers))
    yield DONE


def _answer(result: Result | None) -> Answer:
    """Refuse to go on with a page that cannot be read: one text cannot say which part of it is missing."""
    if isinstance(result, Answer):
        return result
    raise ApiError(400, result.message if result else "given up", code="unreadable")


async def _read(service: Service, body: bytes, asking: Asking) -> Response:
    """Answer ``/read``: a page that cannot be read does not stop the others."""
    async with service.reading(body, asking) as sheets:
        results = [await sheet.settled() async for sheet in sheets]
    failures = [result.message for result in results if isinstance(result, Failure)]
    if failures and len(failures) == len(results):
        raise ApiError(400, failures[0], code="unreadable")
    texts = [{"text": result.text} if isinstance(result, Answer) else {} for result in results]
    return JSONResponse({"pages": [page_json(result) | text for result, text in zip(results, texts, strict=True)]})


def _parameters(request: Request) -> Fields:
    """The query parameters, as fields."""
    given = request.query_params.multi_items()
    fields = Fields(dict(given))
    fields.allow(frozenset(PARAMETERS))
    if len(dict(given)) < len(given):
        raise ApiError(400, "a parameter is given twice")
    values: dict[str, object] = {}
    for name, text in given:
        try:
            values[name] = text if PARAMETERS[name] is str else PARAMETERS[name](text[:MAX_DIGITS])
        except ValueError:
            refuse(name, f"must be a number, not {text[:MAX_SHOWN]!r}")
    return Fields(values)


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, ApiError)
    await discard_body(request)
    return JSONResponse(error.body, error.status, error.headers)


async def _no_door(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    shown = f"{request.method} {request.url.path[:MAX_SHOWN]}: {error.detail}"
    return await _refused(request, ApiError(error.status_code, shown, headers=error.headers))


async def _failed(request: Request, error: Exception) -> Response:
    return JSONResponse(internal().body, 500)
