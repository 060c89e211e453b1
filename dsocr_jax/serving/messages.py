"""Requests in the form of OpenAI's chat completions: one message with one picture or document, and a text."""

import base64
import binascii
import re
from dataclasses import dataclass

from dsocr_jax.serving.asks import Names
from dsocr_jax.serving.fields import MAX_TEXT, Fields, refuse
from dsocr_jax.serving.reading import Asking

#: The limit on tokens: today's name and the older one.
TOKENS = ("max_completion_tokens", "max_tokens")
#: What we add: by name, a mode, a prompt, a rule against repetition; and what the prompt ``locate`` looks for.
OWN = frozenset({"mode", "prompt", "locate", "no_repeat"})
USED = frozenset(
    {"model", "messages", "stream", "stream_options", "temperature", "top_p", "seed", "n", "logprobs", *TOKENS, *OWN}
)
#: These say nothing about the answer.
IGNORED = frozenset(
    {"user", "metadata", "store", "service_tier", "safety_identifier", "prompt_cache_key", "parallel_tool_calls"}
)
#: These could say something that we do not do; only what changes nothing is taken.
NEUTRAL = {
    "frequency_penalty": (0,),
    "presence_penalty": (0,),
    "top_logprobs": (0,),
    "logit_bias": ({},),
    "stop": ([],),
    "tools": ([],),
    "tool_choice": ("none", "auto"),
    "modalities": (["text"],),
    "response_format": ({"type": "text"},),
}
FIELDS = USED | IGNORED | frozenset(NEUTRAL)

#: What a data address begins with; its kind is not believed, the bytes tell.
DATA = re.compile(r"data:[\w.+/;=-]{0,100};base64,", re.ASCII | re.IGNORECASE)
ADDRESS = re.compile(r"[a-z][a-z0-9+.-]{0,30}:", re.ASCII | re.IGNORECASE)


@dataclass(frozen=True)
class Chat:
    """One request.

    Attributes:
        model: the name that it was sent to.
        body: the bytes of the picture or document.
        asking: how to read it.
        stream: send the text as it is written.
        usage: end the stream with the numbers of tokens.
        logprobs: send every token's log-probability.
    """

    model: str
    body: bytes
    asking: Asking
    stream: bool
    usage: bool
    logprobs: bool


def parse_chat(fields: Fields, names: Names) -> Chat:
    """Read a request.

    Raises:
        ApiError: what is wrong, and in which field.
    """
    fields.allow(FIELDS)
    for field, allowed in NEUTRAL.items():
        if fields.has(field) and fields.get(field) not in allowed:
            refuse(field, "is not supported; leave it out")
    model = fields.text("model")
    if not model:
        refuse("model", f"is missing; it is {names.options.name!r} here")
    mode = names.mode_of(model)
    if fields.whole("n", 1, 1, 2**31) != 1:
        refuse("n", "one answer is written per request")
    stream = fields.flag("stream")
    streaming = fields.inner("stream_options")
    streaming.allow(frozenset({"include_usage", "include_obfuscation"}))
    if fields.has("stream_options") and not stream:
        refuse("stream_options", "only with stream")
    text, body = _message(fields)
    asking = names.ask(fields, TOKENS, text, mode)
    return Chat(model, body, asking, stream, streaming.flag("include_usage"), fields.flag("logprobs"))


def _message(fields: Fields) -> tuple[str, bytes]:
    """Return the text and the picture of the one message."""
    messages = fields.objects("messages")
    if not messages:
        refuse("messages", "is empty; send one message with a picture")
    if len(messages) > 1:
        refuse("messages", "the model reads one picture and knows neither system prompts nor turns; send one message")
    message = messages[0]
    message.allow(frozenset({"role", "content", "name"}))
    if message.text("role") != "user":
        refuse(message.name("role"), "must be 'user'")
    if isinstance(message.get("content"), str):
        refuse(message.name("content"), "holds no picture; send a list with a text and an image_url")
    texts: list[str] = []
    pictures: list[bytes] = []
    for part in message.objects("content"):
        kind = part.text("type")
        if kind == "text":
            part.allow(frozenset({"type", "text"}))
            texts.append(part.text("text"))
        elif kind == "image_url":
            part.allow(frozenset({"type", "image_url"}))
            inner = part.inner("image_url")
            inner.allow(frozenset({"url", "detail"}))
            pictures.append(_data(inner, "url"))
        elif kind == "file":
            part.allow(frozenset({"type", "file"}))
            inner = part.inner("file")
            inner.allow(frozenset({"file_data", "filename"}))
            pictures.append(_data(inner, "file_data"))
        else:
            refuse(part.name("type"), "must be 'text', 'image_url' or 'file'")
        if len(pictures) > 1:
            # Its prompt has one place for a picture; requests that come together are read together anyway.
            refuse(part.name(kind), "a second picture; the model reads one at a time, so send a request for each")
    if not pictures:
        refuse(message.name("content"), "holds no picture; add an image_url, or a file for a PDF")
    text = "\n".join(texts).strip()
    if len(text) > MAX_TEXT:
        refuse(message.name("content"), f"its text is longer than {MAX_TEXT} characters")
    return text, pictures[0]


def _data(inner: Fields, field: str) -> bytes:
    """The bytes of a data address."""
    name, address = inner.name(field), inner.text(field, most=None)
    head = DATA.match(address)
    if head is None:
        if ADDRESS.match(address) and address[:5].lower() != "data:":
            refuse(name, "addresses are not fetched; send the data: data:image/png;base64,...", "remote_address")
        refuse(name, "must be a data address: data:image/png;base64,...", "bad_data")
    try:
        data = base64.b64decode(memoryview(address.encode("ascii"))[head.end() :], validate=True)
    except (binascii.Error, ValueError):
        refuse(name, "is not base64 (no spaces or line breaks, padded with =)", "bad_base64")
    if not data:
        refuse(name, "is empty", "bad_data")
    return data
