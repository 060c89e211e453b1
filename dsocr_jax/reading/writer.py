"""Answers on disk: a text file and a JSON for every page."""

import json
from pathlib import Path

from dsocr_jax.errors import UserError
from dsocr_jax.reading.reader import Answer


class AnswerFolder:
    """A folder that takes NAME.txt and NAME.json of each page; the names come from the sources, never from answers."""

    def __init__(self, path: Path):
        self.path = path
        try:
            path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UserError(f"{path}: cannot be made a folder ({error.strerror}); choose another with --out") from error

    def write(self, answer: Answer, mode: str, prompt: str) -> Path:
        """Write one answer; returns the text file. Complete files only: a full disk leaves no half."""
        page = answer.page
        described = {
            "source": page.source,
            "page": page.page,
            "mode": mode,
            "prompt": prompt,
            "text": answer.text,
            "finish_reason": answer.finish_reason,
            "mean_log_prob": round(answer.mean_log_prob, 6),
            "prompt_tokens": answer.prompt_tokens,
            "vision_tokens": answer.vision_tokens,
            "tokens": [
                {"id": token, "log_prob": round(log_prob, 6)}
                for token, log_prob in zip(answer.token_ids, answer.log_probs, strict=True)
            ],
        }
        text = self.path / f"{page.name}.txt"
        self._replace(text, answer.text + "\n")
        self._replace(self.path / f"{page.name}.json", json.dumps(described, ensure_ascii=False, indent=1) + "\n")
        return text

    def _replace(self, file: Path, content: str) -> None:
        partial = file.with_name(file.name + ".partial")
        try:
            partial.write_text(content, encoding="utf-8")
            partial.replace(file)
        except OSError as error:
            partial.unlink(missing_ok=True)
            raise UserError(f"{file}: cannot be written ({error.strerror}); what is there already is intact") from error
