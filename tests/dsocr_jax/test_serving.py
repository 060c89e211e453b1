"""Reading over HTTP, on a loopback socket: what is answered, what is refused, and how the queue and the end behave."""

import http.client
import io
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import jax
import numpy as np
import pytest
import tokenizers
import uvicorn
from PIL import Image

from dsocr_jax import serving
from dsocr_jax.cli import app as cli
from dsocr_jax.config import ClipConfig, DecoderConfig, ModelConfig, SamConfig
from dsocr_jax.errors import UserError
from dsocr_jax.modes import Mode
from dsocr_jax.reading.documents import DocumentOptions
from dsocr_jax.serving.app import Asked, Limits, bind, document_reader, make_app
from dsocr_jax.tokenizer import BOS, EOS, OCR_TOKENS, PAD
from dsocr_jax.weights.checkpoint import load_model, save_model
from dsocr_jax.weights.params import abstract_model

SPECIAL = [BOS, EOS, PAD, *OCR_TOKENS]
MODEL = ModelConfig(
    sam=SamConfig(width=16, layers=1, heads=2, global_layers=(0,), window=4, grid=4, neck=8, compressor=(8, 16)),
    clip=ClipConfig(width=16, layers=1, heads=2, ffn=32, grid=1),
    decoder=DecoderConfig(
        vocab_size=288,
        hidden=32,
        layers=1,
        heads=2,
        kv_heads=2,
        dense_layers=0,
        dense_ffn=32,
        experts=4,
        top_k=2,
        expert_ffn=16,
        max_positions=256,
    ),
    modes=(Mode("tiny", base_size=64, tile_size=64, crop=False, fit="stretch"),),
    image_token_id=SPECIAL.index(OCR_TOKENS[0]),
)
LIMITS = Limits(max_bytes=100_000, max_pages=2, max_new_tokens=8, queue=1, body_seconds=1)
Reply = tuple[int, dict[str, Any]]


def picture(kind: str = "PNG", pages: int = 1) -> bytes:
    stream = io.BytesIO()
    first, *more = [Image.new("L", (40, 30), 40 * number) for number in range(pages)]
    first.save(stream, kind, **({"save_all": True, "append_images": more} if more else {}))
    return stream.getvalue()


@contextmanager
def served(read: Callable[[bytes, Asked], list[dict[str, Any]]], limits: Limits = LIMITS) -> Iterator[int]:
    """Serve on a free port of the loopback address; yields the port."""
    listener = bind("127.0.0.1", 0)
    application = make_app(read, limits, ("tiny",), lambda: server.should_exit)
    server = uvicorn.Server(uvicorn.Config(application, log_level="critical", lifespan="off"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        while not server.started:
            time.sleep(0.01)
        yield listener.getsockname()[1]
    finally:
        server.should_exit = True
        thread.join()
        listener.close()


def ask(port: int, body: Any = b"", path: str = "/read", method: str = "POST", **parameters: object) -> Reply:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        connection.request(method, f"{path}?{urlencode(parameters)}", body)
        reply = connection.getresponse()
        return reply.status, json.loads(reply.read())
    finally:
        connection.close()


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """A server that reads with a small random model from a folder."""
    folder = tmp_path_factory.mktemp("serving")
    letters = sorted(tokenizers.pre_tokenizers.ByteLevel.alphabet())
    words = {word: number for number, word in enumerate([*SPECIAL, *letters])}
    inner = tokenizers.Tokenizer(tokenizers.models.BPE(words, []))
    inner.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)
    inner.decoder = tokenizers.decoders.ByteLevel()
    inner.add_special_tokens(SPECIAL)
    inner.save(str(folder / "tokenizer.json"))
    rng = np.random.default_rng(0)
    params = jax.tree.map(
        lambda leaf: rng.normal(scale=0.2, size=leaf.shape).astype(leaf.dtype), abstract_model(MODEL)[1]
    )
    save_model(folder / "model", MODEL, params, folder / "tokenizer.json")
    read = document_reader(load_model(folder / "model"), "tiny", LIMITS, DocumentOptions())
    with served(read) as port:
        yield port


def test_a_picture_is_read(port: int) -> None:
    status, answer = ask(port, picture(), max_new_tokens=3)
    assert status == 200
    (page,) = answer["pages"]
    assert page.keys() == {"page", "text", "finish_reason", "mean_log_prob", "tokens"}
    assert (page["page"], page["tokens"], page["finish_reason"]) == (None, 3, "length")
    assert page["mean_log_prob"] < 0


def test_a_shorter_answer_is_the_start_of_a_longer_one(port: int) -> None:
    (short,), (long,) = (ask(port, picture(), max_new_tokens=most)[1]["pages"] for most in (3, 4))
    assert (short["tokens"], long["tokens"]) == (3, 4)
    assert long["text"].startswith(short["text"].rstrip("\ufffd"))


def test_a_pdf_is_read_page_by_page(port: int) -> None:
    status, answer = ask(port, picture("PDF", 2), prompt="Read.", mode="tiny", max_new_tokens=4)
    assert (status, [page["page"] for page in answer["pages"]]) == (200, [1, 2])


#: Body, parameters, status, what is said.
BAD: list[tuple[Any, dict[str, Any], int, str]] = [
    (b"", {}, 422, "empty (0 bytes)"),
    (b"not a picture", {}, 422, "neither a PDF nor a picture"),
    (picture()[:50], {}, 422, "damaged or cut short"),
    (b"%PDF-1.4 nothing", {}, 422, "a damaged PDF"),
    (picture("PDF", 3), {}, 422, "more than 2 pages"),
    (picture(), {"mode": "tinny"}, 422, "did you mean 'tiny'"),
    (picture(), {"prompt": "x" * 300}, 422, "leaves no room for an answer"),
    (picture(), {"prompt": "x" * 5000}, 400, "prompt is longer than 4096 characters"),
    (picture(), {"prompt": "<image><image>"}, 400, "at most once"),
    (picture(), {"max_new_tokens": 0}, 400, "max_new_tokens must be a number from 1 to 8"),
    (picture(), {"max_new_tokens": 9}, 400, "max_new_tokens must be a number from 1 to 8"),
    (picture(), {"max_new_tokens": "²"}, 400, "max_new_tokens must be a number from 1 to 8"),
    (picture(), {"maxtokens": 9}, 400, "unknown parameters: maxtokens"),
    (b"x" * 100_001, {}, 413, "longer than 100000 bytes"),
    ([b"x" * 60_000] * 2, {}, 413, "longer than 100000 bytes"),  # in chunks, without a length
]


@pytest.mark.parametrize(("body", "parameters", "status", "said"), BAD, ids=[case[3] for case in BAD])
def test_bad_input_is_one_clear_line(port: int, body: Any, parameters: dict[str, Any], status: int, said: str) -> None:
    got, answer = ask(port, body, **parameters)
    assert (got, answer.keys()) == (status, {"error"})
    assert said in answer["error"] and "\n" not in answer["error"]


@pytest.mark.parametrize(("method", "path", "status"), [("GET", "/read", 405), ("POST", "/nothing", 404)])
def test_other_addresses_are_json_too(port: int, method: str, path: str, status: int) -> None:
    got, answer = ask(port, path=path, method=method)
    assert (got, answer.keys()) == (status, {"error"})


def test_health(port: int) -> None:
    assert ask(port, path="/health", method="GET") == (200, {"status": "ok", "modes": ["tiny"], "requests": 0})


def test_a_body_that_does_not_arrive_is_given_up(port: int) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    connection.putrequest("POST", "/read")
    connection.putheader("Content-Length", "10")
    connection.endheaders(b"x")
    assert connection.getresponse().status == 408
    connection.close()


def test_one_is_read_one_waits_the_next_is_turned_away() -> None:
    go, running, most = threading.Event(), 0, 0

    def read(body: bytes, asked: Asked) -> list[dict[str, Any]]:
        nonlocal running, most
        running += 1
        most = max(most, running)
        assert go.wait(30)
        running -= 1
        return [{"text": body.decode()}]

    replies: list[Reply] = []
    with served(read) as port:
        threads = [threading.Thread(target=lambda: replies.append(ask(port, b"x"))) for _ in range(2)]
        for thread in threads:
            thread.start()
        deadline = time.monotonic() + 30
        while ask(port, path="/health", method="GET")[1]["requests"] < 2:
            assert time.monotonic() < deadline
        assert ask(port, b"x") == (503, {"error": "the queue is full; try again later"})
        go.set()
        for thread in threads:
            thread.join()
        assert ask(port, b"y") == (200, {"pages": [{"text": "y"}]})
    assert replies == [(200, {"pages": [{"text": "x"}]})] * 2
    assert most == 1


SCRIPT = """
import sys, time
from dsocr_jax.console import run_door
from dsocr_jax.serving.app import Limits, bind, serve
def read(body, asked):
    print("reading", flush=True)
    sys.stdin.readline()
    return [{"text": "read"}]
def main():
    with bind("127.0.0.1", 0) as listener:
        print(listener.getsockname()[1], flush=True)
        serve(read, listener, Limits(), ("tiny",))
run_door(main)
"""


def test_ctrl_c_finishes_what_is_read_and_turns_away_what_waits() -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", SCRIPT],
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdin and process.stdout and process.stderr
    port = int(process.stdout.readline())
    assert "Ctrl-C stops" in process.stderr.readline()
    statuses: list[int] = []

    def post() -> None:
        statuses.append(ask(port, b"x")[0])

    deadline = time.monotonic() + 60
    while True:  # until it listens
        try:
            ask(port, path="/health", method="GET")
            break
        except ConnectionRefusedError:
            assert time.monotonic() < deadline
            time.sleep(0.05)
    first, second = threading.Thread(target=post), threading.Thread(target=post)
    first.start()
    assert process.stdout.readline() == "reading\n"
    second.start()
    while ask(port, path="/health", method="GET")[1]["requests"] < 2:
        assert time.monotonic() < deadline
    process.send_signal(signal.SIGINT)
    while True:  # until it takes no more
        try:
            ask(port, path="/health", method="GET")
        except OSError:
            break
        assert time.monotonic() < deadline
    process.stdin.write("\n")
    process.stdin.flush()
    first.join()
    second.join()
    rest, errors = process.communicate(timeout=30)
    assert (process.returncode, rest, errors, sorted(statuses)) == (0, "", "", [200, 503])


def test_a_taken_port_is_told_before_the_model_is_loaded() -> None:
    with bind("127.0.0.1", 0) as listener:
        listener.listen()
        with pytest.raises(UserError, match="Address already in use; choose another --host or --port"):
            bind("127.0.0.1", listener.getsockname()[1])


def test_without_the_libraries_the_extra_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(serving, "_installed", lambda name: name != "uvicorn")
    with pytest.raises(UserError) as caught:
        cli.cli(prog="dsocr", args=["serve", "--checkpoint", str(tmp_path / "nothing")])
    assert str(caught.value) == "dsocr serve needs starlette and uvicorn: pip install 'dsocr-jax[serve]'"


def test_limits_are_checked() -> None:
    with pytest.raises(UserError, match="--max-new-tokens must be at least 1, not 0"):
        Limits(max_new_tokens=0)
