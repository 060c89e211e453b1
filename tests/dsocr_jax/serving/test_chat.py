"""Chat completions, asked by OpenAI's own client: the same answers as the reader gives, whole and in pieces."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any

import pytest

from dsocr_jax.prompts import PROMPTS
from dsocr_jax.reading.asking import Answer, Ask
from dsocr_jax.reading.reader import Reader, ReadOptions
from dsocr_jax.serving.answers import PAGE_BREAK, finish_reason
from tests.dsocr_jax.reading import small
from tests.dsocr_jax.serving.served import Served, blank, data, image, message, pdf, png, served


@pytest.fixture(scope="module")
def server() -> Iterator[Served]:
    with served() as running:
        yield running


@cache
def reader() -> Reader:
    return Reader(small.loaded(), ReadOptions("tiny", rows=4, steps=4, rule="off"))


def alone(seed: int, **wishes: Any) -> Answer:
    """What the reader answers when nothing else is at work."""
    (answer,) = reader().read([Ask(small.page(seed), **{"prompt": "free", "max_new_tokens": 12, **wishes})])
    assert isinstance(answer, Answer)
    return answer


def ask(server: Served, *parts: Any, **fields: Any) -> Any:
    with server.openai() as client:
        return client.chat.completions.create(
            **{"model": "small", "messages": message(*parts), "max_tokens": 12, **fields}
        )


def pieces(server: Served, *parts: Any, **fields: Any) -> tuple[str, list[Any]]:
    """The text of a stream, and its chunks."""
    asked = {"model": "small", "messages": message(*parts), "max_tokens": 12, "stream": True, **fields}
    with server.openai() as client:
        chunks = list(client.chat.completions.create(**asked))
    return "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices), chunks


def test_an_answer_is_the_readers(server: Served) -> None:
    expected, got = alone(1), ask(server, "Free OCR.", image(png(1)))
    (choice,) = got.choices
    assert (choice.message.role, choice.message.content) == ("assistant", expected.text)
    assert choice.finish_reason == expected.finish_reason
    assert (got.object, got.model) == ("chat.completion", "small")


def test_usage_counts_the_pictures_tokens(server: Served) -> None:
    expected, usage = alone(1), ask(server, "Free OCR.", image(png(1))).usage
    assert (usage.prompt_tokens, usage.completion_tokens) == (expected.prompt_tokens, 12)
    assert usage.total_tokens == usage.prompt_tokens + usage.completion_tokens
    assert usage.prompt_tokens_details.image_tokens == expected.vision_tokens > 0


def test_a_stream_says_the_same_in_pieces(server: Served) -> None:
    whole = ask(server, "Free OCR.", image(png(2)), max_tokens=40).choices[0].message.content
    text, chunks = pieces(server, "Free OCR.", image(png(2)), max_tokens=40)
    assert text == whole
    assert sum(bool(chunk.choices[0].delta.content) for chunk in chunks) > 2
    assert [chunk.choices[0].finish_reason for chunk in chunks] == [None] * (len(chunks) - 1) + ["length"]
    assert chunks[0].choices[0].delta.role == "assistant"
    assert {chunk.id for chunk in chunks} == {chunks[0].id}


def test_a_stream_ends_with_usage_if_asked(server: Served) -> None:
    _, chunks = pieces(server, "Free OCR.", image(png(2)), stream_options={"include_usage": True})
    assert chunks[-1].choices == []
    assert chunks[-1].usage.completion_tokens == 12
    assert all(chunk.usage is None for chunk in chunks[:-1])


def test_eight_clients_at_once_get_what_each_gets_alone(server: Served) -> None:
    modes = ["tiny", "base"] * 4

    def one(seed: int) -> str:
        asked = ask(server, "Free OCR.", image(png(seed)), max_tokens=30, extra_body={"mode": modes[seed]})
        return str(asked.choices[0].message.content)

    with ThreadPoolExecutor(8) as clients:
        got = list(clients.map(one, range(8)))
    assert got == [alone(seed, mode=mode, max_new_tokens=30).text for seed, mode in enumerate(modes)]
    assert len(set(got)) > 4


def test_a_seed_fixes_what_is_sampled(server: Served) -> None:
    def text(seed: int) -> Any:
        return ask(server, "Free OCR.", image(png(3)), temperature=1.5, seed=seed).choices[0].message.content

    assert text(5) == text(5) != text(6)


def test_pages_of_a_pdf_are_read_in_order(server: Served) -> None:
    part = {"type": "file", "file": {"filename": "two.pdf", "file_data": data(pdf(4, None, 5), "application/pdf")}}
    got = ask(server, "Free OCR.", part)
    first, second, third = got.choices[0].message.content.split(PAGE_BREAK)
    assert [page["page"] for page in got.pages] == [1, 2, 3]
    assert (bool(first), second, bool(third)) == (True, "", True)
    assert [page["tries"] for page in got.pages] == [1, 0, 1]


def test_pages_are_streamed_in_order_too(server: Served) -> None:
    part = image(pdf(4, None, 6), "application/pdf")
    whole = ask(server, "Free OCR.", part).choices[0].message.content
    assert pieces(server, "Free OCR.", part)[0] == whole


def test_the_models_name_can_choose_a_mode(server: Served) -> None:
    by_name = ask(server, "Free OCR.", image(png(1)), model="small:base")
    by_field = ask(server, "Free OCR.", image(png(1)), extra_body={"mode": "base"})
    assert by_name.model == "small:base"
    assert by_name.pages[0]["mode"] == by_field.pages[0]["mode"] == "base"
    assert by_name.choices == by_field.choices


@pytest.mark.parametrize(
    ("parts", "body", "prompt"),
    [
        (["markdown"], {}, PROMPTS["markdown"]),
        ([], {}, PROMPTS["free"]),
        ([], {"prompt": "ocr"}, PROMPTS["ocr"]),
        ([], {"prompt": "locate", "locate": "a b"}, PROMPTS["locate"].replace("{text}", "a b")),
        (["Two", "texts."], {}, "<image>\nTwo\ntexts."),
        (["See <image> there."], {}, "See <image> there."),
    ],
    ids=["name", "default", "field", "locate", "texts", "placed"],
)
def test_prompts(server: Served, parts: list[str], body: dict[str, Any], prompt: str) -> None:
    got = ask(server, *parts, image(png(1)), extra_body=body).choices[0].message.content
    assert got == alone(1, prompt=prompt).text


def test_a_blank_page_has_an_empty_answer(server: Served) -> None:
    got = ask(server, "Free OCR.", image(blank()))
    assert (got.choices[0].message.content, got.choices[0].finish_reason) == ("", "stop")
    assert got.usage.total_tokens == 0
    text, chunks = pieces(server, "Free OCR.", image(blank()))
    assert (text, chunks[-1].choices[0].finish_reason) == ("", "stop")


def test_log_probabilities(server: Served) -> None:
    got = ask(server, "Free OCR.", image(png(1)), logprobs=True)
    content = got.choices[0].logprobs.content
    assert len(content) == 12
    assert sum(one.logprob for one in content) / 12 == pytest.approx(alone(1).mean_log_prob, abs=1e-4)
    _, chunks = pieces(server, "Free OCR.", image(png(1)), logprobs=True)
    assert [one.logprob for one in chunks[-1].choices[0].logprobs.content] == [one.logprob for one in content]


def test_models_are_listed(server: Served) -> None:
    with server.openai() as client:
        assert [model.id for model in client.models.list()] == ["small", "small:tiny", "small:base", "small:gundam"]
        assert client.models.retrieve("small:base").id == "small:base"


@pytest.mark.parametrize(
    ("reasons", "expected"), [(["stop", "stop"], "stop"), (["stop", "length"], "length"), (["repetition"], "length")]
)
def test_only_what_the_model_ended_is_a_stop(reasons: list[str], expected: str) -> None:
    answers = [Answer(small.page(1), "", (), (), reason, 0, 0) for reason in reasons]
    assert finish_reason(answers) == expected
