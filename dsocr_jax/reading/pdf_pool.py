"""Processes that draw PDF pages, for any number of threads."""

import contextlib
import json
import os
import subprocess
import sys
import threading
from pathlib import Path
from queue import LifoQueue
from typing import Any

from PIL import Image

from dsocr_jax.errors import UserError
from dsocr_jax.reading.pdf_worker import receive, send

#: A page that takes longer to draw is given up.
PAGE_SECONDS = 120.0
#: A process of its own session, so that Ctrl-C reaches the parent alone; it ends when its standard input does. The
#: interpreter is started anew (nothing is forked, and the caller's own script is not run again, as multiprocessing
#: would).
_CODE = "import json, sys; sys.path[:] = json.loads(sys.argv[1]); from dsocr_jax.reading.pdf_worker import main; main()"


class _Died(Exception):
    """The process has ended; the reason in words."""


class _Process:
    def __init__(self) -> None:
        self.key: str | None = None
        self.process = subprocess.Popen(
            [sys.executable, "-c", _CODE, json.dumps(sys.path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    def ask(self, asked: dict[str, Any], data: bytes, most: int) -> tuple[dict[str, Any], bytes]:
        process = self.process
        assert process.stdin is not None and process.stdout is not None
        late = threading.Timer(PAGE_SECONDS, process.kill)
        late.start()
        try:
            # A document in memory is sent once, not with each of its pages.
            send(process.stdin, asked, b"" if self.key == asked["key"] else data)
            answer = receive(process.stdout, most)
            self.key = asked["key"]
            return answer
        except (EOFError, OSError):
            process.kill()
            status = process.wait()
            raise _Died(f"status {status}" if status >= 0 else f"signal {-status}") from None
        finally:
            late.cancel()

    def close(self) -> None:
        for stream in (self.process.stdin, self.process.stdout):
            if stream is not None:
                with contextlib.suppress(OSError):  # it has died with something unsent
                    stream.close()
        self.process.wait()


class PdfPool:
    """Opens and draws PDFs in other processes, started as they are needed; `close` it, or use it in a ``with``.

    Args:
        count: most processes.
    """

    def __init__(self, count: int):
        self._idle: LifoQueue[_Process | None] = LifoQueue()
        for _ in range(count):
            self._idle.put(None)
        self._count = count

    def count_pages(self, file: Path | bytes, key: str, where: str, password: str | None) -> int:
        """Return how many pages a PDF has.

        Args:
            file: a path, or the bytes of a file.
            key: tells files apart.
            where: what to call it in messages.
            password: opens it.

        Raises:
            UserError: it cannot be opened, or took its process along.
            OSError: the file cannot be read.
        """
        said, _ = self._ask(file, key, where, password, None, 0, 0)
        return int(said["pages"])

    def draw(
        self, file: Path | bytes, key: str, where: str, password: str | None, index: int, dpi: float, max_pixels: int
    ) -> Image.Image:
        """Return one page, counted from 0, as RGB; see `count_pages`."""
        said, data = self._ask(file, key, where, password, index, dpi, max_pixels)
        width, height = said["size"]
        return Image.frombytes("RGB", (width, height), data)

    def _ask(
        self, file: Path | bytes, key: str, where: str, password: str | None, index: int | None, dpi: float, most: int
    ) -> tuple[dict[str, Any], bytes]:
        path = None if isinstance(file, bytes) else os.fspath(file.absolute())
        asked = {
            "key": key, "path": path, "where": where, "password": password, "index": index, "dpi": dpi,
            "max_pixels": most,
        }  # fmt: skip
        process = self._idle.get()
        try:
            if process is None:
                process = _Process()
            said, data = process.ask(asked, file if isinstance(file, bytes) else b"", 3 * most)
        except _Died as error:
            if process is not None:
                process.close()
            process = None
            page = "" if index is None else f", page {index + 1}"
            raise UserError(
                f"{where}{page}: the process that drew it ended ({error}), by memory, by its {PAGE_SECONDS:g} seconds "
                "or by the file itself; open and save the PDF anew"
            ) from None
        finally:
            self._idle.put(process)
        if "error" in said:
            raise UserError(said["error"])
        if "os_error" in said:
            raise OSError(*said["os_error"])
        return said, data

    def close(self) -> None:
        """End the processes when they have drawn what they are at."""
        for _ in range(self._count):
            process = self._idle.get()
            if process is not None:
                process.close()

    def __enter__(self) -> "PdfPool":
        return self

    def __exit__(self, *error: object) -> None:
        self.close()
