"""Answers on disk: a folder of files for every page, or lines of JSON; what is there already is found again."""

import contextlib
import errno
import fcntl
import hashlib
import json
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from dsocr_jax.answers.understand import Result, understand
from dsocr_jax.errors import UserError
from dsocr_jax.modes import find_mode, valid_tokens_by_code
from dsocr_jax.reading.asking import Answer
from dsocr_jax.reading.documents import Failure, PageRef
from dsocr_jax.reading.results.write import describe, write_result

#: What file systems without locks say.
_NO_LOCKS = {errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.ENOLCK, errno.EINVAL}


def page_key(digest: str, page: int | None, settings: str) -> str:
    """Return what tells one reading of one page from all others.

    Args:
        digest: of the source's bytes.
        page: its number within the source.
        settings: everything else that the answer depends on.
    """
    return hashlib.sha256(json.dumps([digest, page, settings]).encode()).hexdigest()


@dataclass(frozen=True)
class Written:
    """What is told of a page beside its answer.

    Attributes:
        key: see `page_key`.
        valid_tokens: vision tokens that show the picture rather than padding, counted as the released code does.
    """

    key: str
    valid_tokens: int


def note_of(answer: Answer, settings: str, modes: dict[str, Any], stride: int) -> Written:
    """Return what is to be told of a page."""
    page = answer.page
    valid = 0
    if answer.tries:
        valid = valid_tokens_by_code(*page.image.size, find_mode(answer.mode, modes), stride)
    return Written(page_key(page.digest, page.page, settings), valid)


def entries_of(answer: Answer, note: Written) -> dict[str, Any]:
    """Return an answer's entries in JSON, its tokens and what `understand` finds aside; the key comes first."""
    page = answer.page
    return {
        "key": note.key,
        "source": page.source,
        "page": page.page,
        "pages": page.pages,
        "note": page.note,
        "mode": answer.mode,
        "prompt": answer.prompt,
        "finish_reason": answer.finish_reason,
        "tries": answer.tries,
        "confidence": round(answer.confidence, 6),
        "mean_log_prob": round(answer.mean_log_prob, 6),
        "prompt_tokens": answer.prompt_tokens,
        "vision_tokens": answer.vision_tokens,
        "valid_vision_tokens": note.valid_tokens,
        "answer_tokens": len(answer.token_ids),
    }


class AnswerFolder:
    """A folder that takes NAME.md, NAME.json and the pictures of each page; names come from the sources alone.

    Args:
        path: made if it is missing.
        drawings: whether pages with boxes, and redrawn figures, are written as pictures for people.
    """

    def __init__(self, path: Path, drawings: bool = True):
        self.path, self.drawings = path, drawings

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the folder against other readers; the lock goes with the process, however that ends.

        Raises:
            UserError: another process holds it, or it cannot be made.
        """
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            handle = os.open(self.path, os.O_RDONLY | os.O_DIRECTORY)
        except OSError as error:
            raise UserError(f"{self.path}: cannot be made a folder ({error.strerror}); choose another --out") from error
        try:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise UserError(
                    f"{self.path}: another reader writes there; wait until it has ended, or choose another --out"
                ) from None
            except OSError as error:
                # Without locks nothing is lost: files appear whole, and two readers write equal ones.
                if error.errno not in _NO_LOCKS:
                    raise
            yield
        finally:
            os.close(handle)

    def holds(self, ref: PageRef, key: str) -> bool:
        """Whether a page has been read already: its JSON, which is written last, begins with its key."""
        begin = f'{{\n "key": "{key}"'.encode()
        try:
            with (self.path / f"{ref.name}.json").open("rb") as stream:
                return stream.read(len(begin)) == begin
        except OSError:
            return False

    def write(self, answer: Answer, note: Written, result: Result) -> None:
        """Write one page's files, each whole or not at all.

        Raises:
            UserError: the folder cannot be written.
        """
        tokens = [
            {"id": token, "log_prob": round(log_prob, 6)}
            for token, log_prob in zip(answer.token_ids, answer.log_probs, strict=True)
        ]
        more = {**entries_of(answer, note), "text": answer.text, "tokens": tokens}
        write_result(result, answer.page.image, self.path, answer.page.name, more, self.drawings)


class JsonLines:
    """A file of one JSON object a page, or standard output (``-``); an existing file is added to.

    Raises:
        UserError: the file cannot be written, or another reader writes it.
    """

    def __init__(self, target: str):
        self.target = target
        self.held: set[str] = set()
        self.stream: IO[bytes] = sys.stdout.buffer
        if target != "-":
            self.stream = self._open()

    def _open(self) -> IO[bytes]:
        try:
            Path(self.target).parent.mkdir(parents=True, exist_ok=True)
            stream = Path(self.target).open("a+b")  # noqa: SIM115 (it stays open as long as we live)
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise UserError(f"{self.target}: another reader writes it; wait until it has ended") from None
        except OSError as error:
            raise UserError(f"{self.target}: cannot be written ({error.strerror}); choose another --jsonl") from error
        stream.seek(0)
        whole = 0
        for line in stream:
            if not line.endswith(b"\n"):
                break  # a reader was killed while it wrote
            whole += len(line)
            self.held |= _key_of(line)
        stream.truncate(whole)
        stream.seek(whole)
        return stream

    def holds(self, key: str) -> bool:
        """Whether the file has a page already."""
        return key in self.held

    def write(self, answer: Answer, note: Written, result: Result) -> None:
        """Add one page."""
        self._line({**entries_of(answer, note), **describe(result), "markdown": result.markdown})

    def write_failure(self, failure: Failure) -> None:
        """Add a page that was not read; it has no key, and is read again the next time."""
        self._line({"source": failure.source, "page": failure.page, "error": failure.message})

    def _line(self, entries: dict[str, Any]) -> None:
        line = json.dumps(entries, ensure_ascii=False).encode("utf-8", errors="replace") + b"\n"
        try:
            self.stream.write(line)
            self.stream.flush()
        except BrokenPipeError:
            raise
        except OSError as error:
            raise UserError(f"{self.target}: cannot be written ({error.strerror}); what is there is intact") from error

    def close(self) -> None:
        """Close the file."""
        if self.target != "-":
            self.stream.close()


def _key_of(line: bytes) -> set[str]:
    """The key at the beginning of a line, if it has one."""
    begin = b'{"key": "'
    return {line[len(begin) : len(begin) + 64].decode("ascii", "replace")} if line.startswith(begin) else set()


def understood(answer: Answer) -> Result:
    """Read an answer's text as what it says."""
    return understand(answer.text, answer.prompt, answer.page.image.size)
