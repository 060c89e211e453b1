"""Whatever is wrong with a request is told in OpenAI's form, with the field that is wrong."""

import json
from collections.abc import Iterator
from typing import Any

import openai
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dsocr_jax.errors import UserError
from dsocr_jax.serving import server as serving
from dsocr_jax.serving.asks import Names
from dsocr_jax.serving.errors import ApiError
from dsocr_jax.serving.fields import parse_body
from dsocr_jax.serving.messages import parse_chat
from dsocr_jax.serving.settings import Limits, ServeOptions
from tests.dsocr_jax.reading import small
from tests.dsocr_jax.serving.served import CHAT, Served, chat, data, image, message, options, pdf, png, served

PICTURE = png(1)
REMOTE = {"type": "image_url", "image_url": {"url": "https://example.org/a.png"}}


@pytest.fixture(scope="module")
def server() -> Iterator[Served]:
    with served() as running:
        yield running


def url(text: str) -> dict[str, Any]:
    return {"type": "image_url", "image_url": {"url": text}}


def roles(*names: str) -> list[Any]:
    return [message("x", image(PICTURE))[0] | {"role": name} for name in names]


PART = "messages[0].content[0]"
#: Changes of a good request, status, the field that is named, what is said.
BAD: list[tuple[dict[str, Any], int, str | None, str]] = [
    ({"model": None}, 400, "model", "is missing"),
    ({"model": "other"}, 404, "model", "no model is called 'other' (known: small, small:tiny"),
    ({"model": "small:huge"}, 404, "model", "no model is called 'small:huge'"),
    ({"model": "small:base", "mode": "tiny"}, 400, "mode", "another one is part of the model's name"),
    ({"mode": "tinny"}, 400, "mode", "did you mean 'tiny'"),
    ({"no_repeat": "always"}, 400, "no_repeat", "no rule against repetition is called 'always'"),
    ({"prompt": "ocr"}, 400, "prompt", "given as the message's text, too"),
    ({"max_tokens": 0}, 400, "max_tokens", "a whole number from 1 to 60"),
    ({"max_tokens": 61}, 400, "max_tokens", "a whole number from 1 to 60"),
    ({"max_tokens": True}, 400, "max_tokens", "a whole number from 1 to 60"),
    ({"max_completion_tokens": 5}, 400, "max_tokens", "is the same as max_completion_tokens"),
    ({"temperature": 2.5}, 400, "temperature", "a number from 0 to 2"),
    ({"temperature": "hot"}, 400, "temperature", "a number from 0 to 2"),
    ({"top_p": 0}, 400, "top_p", "must be above 0"),
    ({"seed": 1.5}, 400, "seed", "must be a whole number"),
    ({"n": 2}, 400, "n", "one answer"),
    ({"stream": "yes"}, 400, "stream", "true or false"),
    ({"stream_options": {"include_usage": True}}, 400, "stream_options", "only with stream"),
    ({"stop": ["\n"]}, 400, "stop", "not supported"),
    ({"tools": [{"type": "function"}]}, 400, "tools", "not supported"),
    ({"temprature": 1}, 400, "temprature", "unknown field temprature (known:"),
    ({"messages": []}, 400, "messages", "is empty"),
    ({"messages": "Read."}, 400, "messages", "must be a list of objects"),
    ({"messages": roles("system", "user")}, 400, "messages", "neither system prompts nor turns"),
    ({"messages": roles("assistant")}, 400, "messages[0].role", "must be 'user'"),
    ({"messages": [{"role": "user", "content": "Read."}]}, 400, "messages[0].content", "holds no picture"),
    ({"messages": message("Read.")}, 400, "messages[0].content", "holds no picture"),
    ({"messages": message(image(PICTURE), image(PICTURE))}, 400, "messages[0].content[1].image_url", "one at a time"),
    ({"messages": message({"type": "input_audio"})}, 400, f"{PART}.type", "must be 'text', 'image_url' or 'file'"),
    ({"messages": message(REMOTE)}, 400, f"{PART}.image_url.url", "addresses are not fetched"),
    ({"messages": message(url("file:///etc/passwd"))}, 400, f"{PART}.image_url.url", "addresses are not fetched"),
    ({"messages": message(url("data:image/png,abc"))}, 400, f"{PART}.image_url.url", "must be a data address"),
    ({"messages": message(url("iVBORw0KGgo="))}, 400, f"{PART}.image_url.url", "must be a data address"),
    ({"messages": message(url("data:image/png;base64,%%%"))}, 400, f"{PART}.image_url.url", "is not base64"),
    ({"messages": message(url("data:image/png;base64,YWJ"))}, 400, f"{PART}.image_url.url", "is not base64"),
    ({"messages": message(url("data:image/png;base64,é"))}, 400, f"{PART}.image_url.url", "is not base64"),
    ({"messages": message(url("data:image/png;base64,"))}, 400, f"{PART}.image_url.url", "is empty"),
    ({"messages": message("x" * 4097, image(PICTURE))}, 400, "messages[0].content[0].text", "longer than 4096"),
    ({"messages": message("<image><image>", image(PICTURE))}, 400, "prompt", "holds <image> more than once"),
    ({"messages": message(image(b"no picture"))}, 400, None, "neither a PDF nor a picture"),
    ({"messages": message(image(PICTURE[:50]))}, 400, None, "damaged or cut short"),
    ({"messages": message(image(b"%PDF-1.4 nothing"))}, 400, None, "a damaged PDF"),
    ({"messages": message(image(pdf(1, 2, 3, 4)))}, 413, None, "more than 3 pages"),
    ({"messages": message("x" * 300, image(PICTURE))}, 400, None, "leaves no room for an answer"),
]


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize(("changes", "status", "param", "said"), BAD, ids=[case[3] for case in BAD])
def test_a_bad_chat_is_told_why(
    server: Served, changes: dict[str, Any], status: int, param: str | None, said: str, stream: bool
) -> None:
    content = chat("Read.", image(PICTURE)) | ({"stream": True} if stream and "stream_options" not in changes else {})
    check(server.post(content | changes), status, param, said)


def check(reply: Any, status: int, param: str | None, said: str) -> None:
    assert reply.headers["content-type"] == "application/json"
    error = reply.json()["error"]
    assert (reply.status_code, error.keys()) == (status, {"message", "type", "param", "code"})
    assert error["param"] == param
    assert said in error["message"] and "\n" not in error["message"]


#: Bodies that are no chat at all.
BODIES: list[tuple[bytes, str]] = [
    (b"", "not the JSON that is expected"),
    (b"{", "not the JSON that is expected"),
    (b"\xff", "not the JSON that is expected"),
    (b'{"n": NaN}', "NaN is no JSON"),
    (b'{"n": 1, "n": 1}', "gives 'n' twice"),
    (b"[" * 100_000, "nested too deeply"),
    (b'{"n": ' + b"9" * 5000 + b"}", "not the JSON that is expected"),
    (b"[]", "must be a JSON object"),
]


@pytest.mark.parametrize(("body", "said"), BODIES, ids=[case[1] for case in BODIES])
def test_a_body_that_is_no_json_is_told_why(server: Served, body: bytes, said: str) -> None:
    with server.http() as client:
        check(client.post(CHAT, content=body, headers={"Content-Type": "application/json"}), 400, None, said)


def test_a_form_of_a_web_page_is_no_chat(server: Served) -> None:
    with server.http() as client:
        check(client.post(CHAT, content=b"{}", headers={"Content-Type": "text/plain"}), 415, None, "send JSON")


def test_openais_client_raises_its_own_errors(server: Served) -> None:
    with server.openai() as client, pytest.raises(openai.BadRequestError, match="addresses are not fetched") as caught:
        client.chat.completions.create(model="small", messages=message(REMOTE))
    assert caught.value.code == "remote_address"


def test_a_body_larger_than_the_limit(server: Served) -> None:
    content = chat("Read.", url("data:image/png;base64," + "A" * 200_000))
    check(server.post(content), 413, None, "longer than 200000 bytes")


def test_a_body_larger_than_the_limit_in_chunks_without_a_length(server: Served) -> None:
    with server.http() as client:
        check(client.post("/read", content=iter([b"x" * 60_000] * 4)), 413, None, "longer than 200000 bytes")


#: Body, parameters, status, field, what is said.
BAD_READS: list[tuple[bytes, dict[str, Any], int, str | None, str]] = [
    (b"", {}, 400, None, "empty (0 bytes)"),
    (b"no picture", {}, 400, None, "neither a PDF nor a picture"),
    (pdf(1, 2, 3, 4), {}, 413, None, "more than 3 pages"),
    (PICTURE, {"mode": "tinny"}, 400, "mode", "did you mean 'tiny'"),
    (PICTURE, {"prompt": "x" * 5000}, 400, "prompt", "longer than 4096"),
    (PICTURE, {"prompt": "<image><image>"}, 400, "prompt", "more than once"),
    (PICTURE, {"max_new_tokens": 0}, 400, "max_new_tokens", "from 1 to 60"),
    (PICTURE, {"max_new_tokens": "²"}, 400, "max_new_tokens", "must be a number"),
    (PICTURE, {"temperature": "nan"}, 400, "temperature", "from 0 to 2"),
    (PICTURE, {"maxtokens": 9}, 400, "maxtokens", "unknown field maxtokens"),
    (PICTURE, {"mode": ["tiny", "tiny"]}, 400, None, "given twice"),
]


@pytest.mark.parametrize(
    ("body", "parameters", "status", "param", "said"), BAD_READS, ids=[case[4] for case in BAD_READS]
)
def test_a_bad_reading_is_told_why(
    server: Served, body: bytes, parameters: dict[str, Any], status: int, param: str | None, said: str
) -> None:
    with server.http() as client:
        check(client.post("/read", content=body, params=parameters), status, param, said)


@pytest.mark.parametrize(("method", "path", "status"), [("GET", "/read", 405), ("POST", "/nothing", 404)])
def test_other_addresses_are_json_too(server: Served, method: str, path: str, status: int) -> None:
    with server.http() as client:
        check(client.request(method, path), status, None, path)


def test_unknown_models_are_not_found(server: Served) -> None:
    check(server.get("/v1/models/other"), 404, "model", "no model is called 'other'")


NAMES = Names(small.loaded(), options())
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
GOOD = chat("Read.", image(PICTURE))


@settings(max_examples=150, deadline=None)
@given(st.sampled_from([*GOOD, "mode", "prompt", "seed", "stream", "stop", "logprobs", "x"]), ANYTHING, st.data())
def test_hostile_fields_are_refused_or_taken(field: str, value: Any, draw: st.DataObject) -> None:
    content = json.loads(json.dumps(GOOD))
    if draw.draw(st.booleans()):  # somewhere inside the message
        place = draw.draw(st.sampled_from(["role", "content", "type", "image_url", "text"]))
        inside = content["messages"][0]
        (inside if place in inside else inside["content"][1])[place] = value
    else:
        content[field] = value
    try:
        parse_chat(parse_body(json.dumps(content).encode()), NAMES)
    except ApiError as error:
        assert error.status in (400, 404)


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=60))
def test_hostile_bytes_are_refused(body: bytes) -> None:
    with pytest.raises(ApiError):
        parse_chat(parse_body(body), NAMES)


def test_limits_and_options_are_checked() -> None:
    with pytest.raises(UserError, match="--max-new-tokens must be at least 1, not 0"):
        Limits(max_new_tokens=0)
    with pytest.raises(UserError, match="--queue must be at least 0, not -1"):
        Limits(queue=-1)
    with pytest.raises(UserError, match="no colon, not 'a:b'"):
        ServeOptions("a:b", "tiny")


def test_a_taken_port_is_told_before_the_model_is_loaded() -> None:
    with serving.bind("127.0.0.1", 0) as listener:
        listener.listen()
        with pytest.raises(UserError, match="Address already in use; choose another --host or --port"):
            serving.bind("127.0.0.1", listener.getsockname()[1])


def test_pictures_of_other_kinds_are_taken() -> None:
    content = chat("Read.", {"type": "file", "file": {"filename": "a.gif", "file_data": data(b"GIF89a", "image/gif")}})
    assert parse_chat(parse_body(json.dumps(content).encode()), NAMES).body == b"GIF89a"
