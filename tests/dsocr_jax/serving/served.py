"""A server with a small random model on a free port, pictures to send, and a gate before the engine."""

import base64
import io
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx2
from openai import OpenAI
from PIL import Image

from dsocr_jax.serving.server import Server, bind
from dsocr_jax.serving.service import Service
from dsocr_jax.serving.settings import Limits, ServeOptions
from tests.dsocr_jax.reading import small

LIMITS = Limits(max_bytes=200_000, max_pages=3, max_new_tokens=60, queue=8, body_seconds=1, stop_seconds=30)
CHAT = "/v1/chat/completions"


def options(limits: Limits = LIMITS, **changes: Any) -> ServeOptions:
    return ServeOptions("small", "tiny", **{"rows": 4, "steps": 4, "warm": False, "limits": limits, **changes})


@dataclass
class Served:
    """A running server."""

    service: Service
    server: Server
    url: str

    def http(self, **more: Any) -> httpx2.Client:
        return httpx2.Client(base_url=self.url, timeout=60, **more)

    def openai(self) -> OpenAI:
        return OpenAI(base_url=f"{self.url}/v1", api_key="none", max_retries=0, timeout=60)

    def post(self, content: dict[str, Any]) -> httpx2.Response:
        with self.http() as client:
            return client.post(CHAT, json=content)

    def get(self, path: str) -> httpx2.Response:
        with self.http() as client:
            return client.get(path)

    def metric(self, name: str) -> float:
        """The value of one line of the metrics."""
        (value,) = [line.split()[-1] for line in self.get("/metrics").text.splitlines() if line.startswith(f"{name} ")]
        return float(value)

    def idle(self) -> bool:
        """Whether nothing is at work any more."""
        engine = self.service.reader.desk.engine if self.service.reader else None
        return self.service.admitted == self.service.active == 0 and engine is not None and not engine.waiting


@contextmanager
def served(chosen: ServeOptions | None = None) -> Iterator[Served]:
    """Serve in a thread."""
    service = Service(small.loaded(), chosen or options())
    server, listener = Server(service), bind("127.0.0.1", 0)
    service.start()
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        until(lambda: server.started)
        yield Served(service, server, f"http://127.0.0.1:{listener.getsockname()[1]}")
    finally:
        server.handle_exit(15, None)
        thread.join(30)
        listener.close()
        assert not thread.is_alive()


def until(condition: Any, seconds: float = 30) -> None:
    """Wait until something is so."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


@contextmanager
def closed_gate(service: Service) -> Iterator[threading.Event]:
    """Hold the engine before its next step until the event is set."""
    assert service.reader is not None
    engine, gate = service.reader.desk.engine, threading.Event()
    step = engine.step

    def gated() -> Any:
        assert gate.wait(30)
        return step()

    engine.step = gated  # type: ignore[method-assign]
    try:
        yield gate
    finally:
        gate.set()
        engine.step = step  # type: ignore[method-assign]


def png(seed: int, width: int = 90, height: int = 60) -> bytes:
    stream = io.BytesIO()
    small.picture(seed, width, height).save(stream, "PNG")
    return stream.getvalue()


def pdf(*seeds: int | None) -> bytes:
    """A PDF with a page for each seed; None is a blank one."""
    stream = io.BytesIO()
    white = Image.new("RGB", (90, 60), "white")
    first, *more = [white if seed is None else small.picture(seed) for seed in seeds]
    first.save(stream, "PDF", save_all=True, append_images=more)
    return stream.getvalue()


def blank() -> bytes:
    stream = io.BytesIO()
    Image.new("RGB", (90, 60), "white").save(stream, "PNG")
    return stream.getvalue()


def data(content: bytes, kind: str = "image/png") -> str:
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"


def image(content: bytes, kind: str = "image/png") -> dict[str, Any]:
    return {"type": "image_url", "image_url": {"url": data(content, kind)}}


def message(*parts: dict[str, Any] | str) -> list[Any]:
    """One user message of texts and other parts."""
    content = [{"type": "text", "text": part} if isinstance(part, str) else part for part in parts]
    return [{"role": "user", "content": content}]


def chat(*parts: dict[str, Any] | str, **fields: Any) -> dict[str, Any]:
    return {"model": "small", "messages": message(*parts), "max_tokens": 12, **fields}
