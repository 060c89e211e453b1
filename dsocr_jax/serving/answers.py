"""Answers as JSON: our own form, and OpenAI's chat completions, whole or in pieces."""

import json
import secrets
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from dsocr_jax.reading.asking import Answer
from dsocr_jax.reading.documents import Failure
from dsocr_jax.tokenizer import Tokenizer

#: Stands between the pages of a document in one text, as in the released script for PDFs.
PAGE_BREAK = "\n<--- Page Split --->\n"
DONE = b"data: [DONE]\n\n"


def page_json(result: Answer | Failure) -> dict[str, Any]:
    """What is told of a page besides its text."""
    if isinstance(result, Failure):
        return {"page": result.page, "error": result.message}
    return {
        "page": result.page.page,
        "mode": result.mode,
        "finish_reason": result.finish_reason,
        "tokens": len(result.token_ids),
        "prompt_tokens": result.prompt_tokens,
        "vision_tokens": result.vision_tokens,
        "mean_log_prob": round(result.mean_log_prob, 6),
        "tries": result.tries,
    }


def event(content: dict[str, Any]) -> bytes:
    """One server-sent event."""
    return b"data: " + json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode() + b"\n\n"


@dataclass
class Completion:
    """The objects of one chat completion.

    Attributes:
        model: the name that was asked.
        tokenizer: turns ids into text.
        logprobs: tell every token's log-probability.
    """

    model: str
    tokenizer: Tokenizer
    logprobs: bool
    id: str = field(default_factory=lambda: f"chatcmpl-{secrets.token_hex(12)}")
    created: int = field(default_factory=lambda: int(time.time()))

    def whole(self, answers: Sequence[Answer]) -> dict[str, Any]:
        """The whole answer; ``pages`` is our own addition."""
        text = PAGE_BREAK.join(answer.text for answer in answers)
        choice = {
            "index": 0,
            "message": {"role": "assistant", "content": text, "refusal": None},
            "logprobs": self._logprobs(answers),
            "finish_reason": finish_reason(answers),
        }
        head = self._head("chat.completion")
        return {**head, "choices": [choice], "usage": usage(answers), "pages": [page_json(one) for one in answers]}

    def piece(self, delta: dict[str, str]) -> dict[str, Any]:
        """A piece of the answer."""
        return self._chunk([{"index": 0, "delta": delta, "logprobs": None, "finish_reason": None}])

    def end(self, answers: Sequence[Answer]) -> dict[str, Any]:
        """The last piece, with all log-probabilities; ``pages`` is our own addition."""
        choice = {
            "index": 0,
            "delta": {},
            "logprobs": self._logprobs(answers),
            "finish_reason": finish_reason(answers),
        }
        return self._chunk([choice]) | {"pages": [page_json(one) for one in answers]}

    def usage(self, answers: Sequence[Answer]) -> dict[str, Any]:
        """What follows the last piece where it was asked for."""
        return self._chunk([]) | {"usage": usage(answers)}

    def _head(self, kind: str) -> dict[str, Any]:
        return {"id": self.id, "object": kind, "created": self.created, "model": self.model}

    def _chunk(self, choices: list[dict[str, Any]]) -> dict[str, Any]:
        return self._head("chat.completion.chunk") | {"choices": choices}

    def _logprobs(self, answers: Iterable[Answer]) -> dict[str, Any] | None:
        if not self.logprobs:
            return None
        content = []
        for answer in answers:
            for id_, log_prob in zip(answer.token_ids, answer.log_probs, strict=True):
                token = self.tokenizer.decode([id_])
                content.append(
                    {"token": token, "logprob": round(log_prob, 6), "bytes": list(token.encode()), "top_logprobs": []}
                )
        return {"content": content, "refusal": None}


def finish_reason(answers: Sequence[Answer]) -> str:
    """OpenAI's word for how it ended: ``stop`` only if every page did.

    It has none for an answer that went in circles; like one that met the limit it is incomplete, so it is ``length``,
    and ``pages`` tells ``repetition``.
    """
    return "stop" if all(answer.finish_reason == "stop" for answer in answers) else "length"


def usage(answers: Sequence[Answer]) -> dict[str, Any]:
    """Numbers of tokens; the vision tokens are part of the prompt."""
    prompt, completion = sum(one.prompt_tokens for one in answers), sum(len(one.token_ids) for one in answers)
    return {
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": prompt + completion,
        "prompt_tokens_details": {"image_tokens": sum(one.vision_tokens for one in answers)},
    }
