"""How requests come, wait, go away and are counted; what happens when the engine breaks and when the server stops."""

import http.client
import json
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx2
import pytest

from dsocr_jax import serving
from dsocr_jax.cli import app as cli
from dsocr_jax.errors import UserError
from dsocr_jax.reading.reader import Reader
from tests.dsocr_jax.serving.served import (
    CHAT,
    LIMITS,
    Served,
    chat,
    closed_gate,
    image,
    options,
    pdf,
    png,
    served,
    until,
)

PICTURE = png(1)
GOOD = chat(image(PICTURE))


@pytest.fixture(scope="module")
def server() -> Iterator[Served]:
    with served() as running:
        yield running


@pytest.fixture
def replies() -> list[httpx2.Response]:
    return []


def later(server: Served, replies: list[httpx2.Response], content: dict[str, Any] = GOOD) -> threading.Thread:
    """Ask in a thread."""
    thread = threading.Thread(target=lambda: replies.append(server.post(content)))
    thread.start()
    return thread


def test_reading_a_picture(server: Served) -> None:
    with server.http() as client:
        got = client.post("/read", content=PICTURE, params={"max_new_tokens": 5, "mode": "base"}).json()
    (page,) = got["pages"]
    assert (page["page"], page["mode"], page["tokens"], page["finish_reason"]) == (None, "base", 5, "length")
    assert page["text"] and page["vision_tokens"] > 0


def test_a_bad_page_does_not_stop_the_others(server: Served) -> None:
    two = pdf(1, 2)
    wide = two.replace(b"/MediaBox [ 0 0 90.0 60.0 ]", b"/MediaBox [ 0 0 99999 9999]", 1)
    assert wide != two
    with server.http() as client:
        first, second = client.post("/read", content=wide, params={"max_new_tokens": 5}).json()["pages"]
        assert first.keys() == {"page", "error"} and "more than the limit" in first["error"]
        assert (second["page"], second["tokens"]) == (2, 5)
        part = image(wide, "application/pdf")
        assert "more than the limit" in client.post(CHAT, json=chat(part)).json()["error"]["message"]


def test_health_readiness_and_stopping(server: Served) -> None:
    assert (server.get("/healthz").status_code, server.get("/readyz").json()) == (200, {"status": "ready"})


def test_a_full_queue_turns_away(replies: list[httpx2.Response]) -> None:
    with served(options(replace(LIMITS, queue=0))) as server:
        with closed_gate(server.service) as gate:
            waiting = [later(server, replies) for _ in range(4)]
            until(lambda: server.service.admitted == 4)
            refused = server.post(GOOD)
            assert (refused.status_code, refused.json()["error"]["code"]) == (429, "queue_full")
            assert int(refused.headers["retry-after"]) > 0
            assert server.get("/healthz").status_code == 200
            gate.set()
            for thread in waiting:
                thread.join()
        assert [reply.status_code for reply in replies] == [200] * 4
        assert server.post(GOOD).status_code == 200


@pytest.mark.parametrize("stream", [True, False], ids=["stream", "whole"])
def test_a_client_that_goes_away_frees_its_row(server: Served, stream: bool) -> None:
    before = server.metric('dsocr_pages_total{finish_reason="cancelled"}')
    with closed_gate(server.service) as gate:
        body = json.dumps(GOOD | {"stream": stream, "max_tokens": 60})
        connection = http.client.HTTPConnection(server.url.removeprefix("http://"))
        connection.request("POST", CHAT, body, {"Content-Type": "application/json"})
        reader = server.service.reader
        assert reader is not None
        until(lambda: server.service.pages_open == 1)
        connection.close()
        until(lambda: server.service.admitted == 0)
        gate.set()
        until(server.idle)
    assert server.metric('dsocr_pages_total{finish_reason="cancelled"}') == before + 1
    pool = reader.desk.engine.pool
    until(lambda: pool.free == pool.available)  # the engine gives pages back after it has told of the end


def test_a_long_document_of_a_client_that_goes_away_is_not_read_on(server: Served) -> None:
    before = server.metric("dsocr_pages_open")
    with closed_gate(server.service) as gate:
        connection = http.client.HTTPConnection(server.url.removeprefix("http://"))
        connection.request("POST", "/read", pdf(1, 2, 3))
        until(lambda: server.service.pages_open == 3)
        connection.close()
        until(lambda: server.service.admitted == 0)
        gate.set()
        until(server.idle)
    assert server.metric("dsocr_pages_open") == before == 0


def test_a_body_that_does_not_arrive_is_given_up(server: Served) -> None:
    connection = http.client.HTTPConnection(server.url.removeprefix("http://"), timeout=30)
    connection.putrequest("POST", "/read")
    connection.putheader("Content-Length", "10")
    connection.endheaders(b"x")
    assert connection.getresponse().status == 408
    connection.close()
    assert server.idle()


def test_metrics_rise(server: Served) -> None:
    names = {
        f'dsocr_requests_total{{path="{CHAT}",status="200"}}': 1,
        f'dsocr_request_seconds_count{{path="{CHAT}"}}': 1,
        'dsocr_pages_total{finish_reason="length"}': 1,
        'dsocr_tokens_total{kind="completion"}': 12,
    }
    assert server.post(GOOD).status_code == 200  # so that every line is there
    before = {name: server.metric(name) for name in names}
    usage = server.post(GOOD).json()["usage"]
    assert {name: server.metric(name) - before[name] for name in names} == names
    assert usage["completion_tokens"] == 12
    text = server.get("/metrics").text
    for line in (
        "dsocr_rows 4.0",
        "dsocr_ready 1.0",
        "dsocr_loops_total 0.0",
        "# TYPE dsocr_request_seconds histogram",
    ):
        assert line in text
    paths = {line.split('"')[1] for line in text.splitlines() if line.startswith("dsocr_requests_total{")}
    assert paths <= {CHAT, "/read", "/metrics", "/healthz", "/readyz", "/v1/models", "other"}


def test_a_broken_engine_is_told_and_made_anew(server: Served) -> None:
    broken = server.service.reader
    assert broken is not None

    def fail() -> Any:
        raise ValueError("out of order")

    broken.desk.engine.step = fail  # type: ignore[method-assign]
    reply = server.post(GOOD)
    assert (reply.status_code, reply.json()["error"]["type"]) == (500, "server_error")
    assert "out of order" not in reply.text
    until(lambda: server.service.reader not in (None, broken))
    assert server.post(GOOD).status_code == 200


def test_what_waits_longest_is_let_go_when_the_time_to_stop_is_over(replies: list[httpx2.Response]) -> None:
    with served(options(replace(LIMITS, stop_seconds=0.3))) as server, closed_gate(server.service):
        asking = later(server, replies)
        until(lambda: server.service.admitted == 1)
        server.server.handle_exit(signal.SIGTERM, None)
        asking.join(20)
    assert [(reply.status_code, reply.json()["error"]["code"]) for reply in replies] == [(503, "stopping")]


def test_requests_wait_for_the_warm_up(monkeypatch: pytest.MonkeyPatch, replies: list[httpx2.Response]) -> None:
    go = threading.Event()
    monkeypatch.setattr(Reader, "warm_up", lambda reader: go.wait(30))
    with served(options(warm=True)) as server:
        asking = later(server, replies)
        until(lambda: server.service.admitted == 1)
        assert server.get("/healthz").status_code == 200
        ready = server.get("/readyz")
        assert (ready.status_code, ready.json()) == (503, {"status": "warming up"})
        go.set()
        asking.join()
        assert server.get("/readyz").status_code == 200
    assert [reply.status_code for reply in replies] == [200]


SCRIPT = """
import sys, time
import jax
jax.config.update("jax_platforms", "cpu")
jax.config.update("jax_num_cpu_devices", 8)  # as in tests/conftest.py, so that compiled programs are found
jax.config.update("jax_default_matmul_precision", "highest")
jax.config.update("jax_disable_most_optimizations", True)
jax.config.update("jax_compilation_cache_dir", sys.argv[1])
jax.config.update("jax_persistent_cache_min_compile_time_secs", 0)
from dsocr_jax.console import run_door
from dsocr_jax.reading.engine import Engine
from dsocr_jax.serving.server import bind, serve
from tests.dsocr_jax.reading import small
from tests.dsocr_jax.serving.served import options
step = Engine.step
def slow(engine):
    time.sleep(0.1)
    return step(engine)
Engine.step = slow
def main():
    with bind("127.0.0.1", 0) as listener:
        print(listener.getsockname()[1], flush=True)
        serve(small.loaded(), listener, options())
run_door(main)
"""


def test_sigterm_finishes_what_is_read_refuses_what_comes_and_ends_well(compiled: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", SCRIPT, str(compiled)],
        cwd=Path(__file__).parents[3],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout and process.stderr
    address = f"127.0.0.1:{int(process.stdout.readline())}"
    assert "Ctrl-C stops" in process.stderr.readline()
    connection = http.client.HTTPConnection(address, timeout=60)
    until(lambda: listens(address))
    body = json.dumps(GOOD | {"stream": True, "max_tokens": 60})
    connection.request("POST", CHAT, body, {"Content-Type": "application/json"})
    running = connection.getresponse()
    assert running.readline().startswith(b"data: {")
    process.send_signal(signal.SIGTERM)
    deadline = time.monotonic() + 20
    while httpx2.get(f"http://{address}/readyz").status_code == 200:
        assert time.monotonic() < deadline
    refused = httpx2.post(f"http://{address}{CHAT}", json=GOOD)
    assert (refused.status_code, refused.json()["error"]["code"]) == (503, "stopping")
    rest = running.read()
    assert b'"finish_reason":"length"' in rest and rest.endswith(b"data: [DONE]\n\n")
    connection.close()
    _, errors = process.communicate(timeout=30)
    assert (process.returncode, errors) == (0, "")


def listens(address: str) -> bool:
    try:
        return httpx2.get(f"http://{address}/readyz").status_code == 200
    except httpx2.ConnectError:
        return False


def test_without_the_libraries_the_extra_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(serving, "_installed", lambda name: name != "uvicorn")
    with pytest.raises(UserError) as caught:
        cli.cli(prog="dsocr", args=["serve", "--checkpoint", str(tmp_path / "nothing")])
    assert str(caught.value) == "dsocr serve needs uvicorn: pip install 'dsocr-jax[serve]'"
