"""The pages of a shard, opened ahead of the reader: exactly one result for each planned page, whatever has happened."""

import os
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

from dsocr_jax.errors import UserError
from dsocr_jax.reading.cluster.plan import PlannedFile, Shard, Span
from dsocr_jax.reading.documents import DocumentOptions, Failure, Page, failure, head_of
from dsocr_jax.reading.pdf_pool import PdfPool
from dsocr_jax.reading.pictures import open_frames

Opened = Page | Failure


class Opener:
    """Opens pages for any number of shards at once: pictures in threads, PDF pages in processes.

    Args:
        options: resolution, limits and password.
        threads: pages opened at the same time.
    """

    def __init__(self, options: DocumentOptions, threads: int):
        self._options = options
        self._window = 2 * threads
        self._pool = ThreadPoolExecutor(threads, "open")
        self._pdfs = PdfPool(min(threads, os.cpu_count() or 1))

    def open(self, shard: Shard) -> Iterator[Opened]:
        """Yield every page of the shard, or why it cannot be read, in order; a few are opened ahead."""
        waiting: deque[Future[Opened]] = deque()
        try:
            for job in self._jobs(shard):
                waiting.append(self._pool.submit(job))
                while waiting and (len(waiting) >= self._window or waiting[0].done()):
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()

    def close(self) -> None:
        """End threads and processes."""
        self._pool.shutdown(cancel_futures=True)
        self._pdfs.close()

    def _jobs(self, shard: Shard) -> Iterator[Callable[[], Opened]]:
        for span in shard.spans:
            if span.file.kind == "frames":
                # Reached one after the other, and so decoded here.
                yield from (lambda opened=opened: opened for opened in self._frames(span))
                continue
            for number in span.numbers():
                yield lambda file=span.file, number=number: self._page(file, number)  # type: ignore[misc]

    def _page(self, file: PlannedFile, number: int | None) -> Opened:
        if file.kind == "unreadable":
            return Failure(file.path, file.error)
        path, options = Path(file.path), self._options
        try:
            check_unchanged(file)
            if number is None:
                if not head_of(path):
                    raise UserError(f"{path}: empty (0 bytes); copy or download it again")
                frame = next(iter(open_frames(path, file.path, options.max_pixels)))
                return Page(frame.image, file.path, note=frame.note)
            key = f"{file.path} {file.mtime_ns}"
            image = self._pdfs.draw(path, key, file.path, options.password, number - 1, options.dpi, options.max_pixels)
            return Page(image, file.path, number, file.pages)
        except (UserError, OSError) as error:
            return replace(failure(file.path, error), page=number)

    def _frames(self, span: Span) -> Iterator[Opened]:
        file, read = span.file, 0
        failed = Failure(file.path, f"{file.path}: fewer pages than planned; copy it again")
        try:
            check_unchanged(file)
            for frame in open_frames(Path(file.path), file.path, self._options.max_pixels):
                read += 1
                yield Page(frame.image, file.path, read, file.pages, frame.note)
                if read == span.count:
                    return
        except (UserError, OSError) as error:
            failed = failure(file.path, error)
        for number in range(read + 1, span.count + 1):
            yield replace(failed, page=number)


def check_unchanged(file: PlannedFile) -> None:
    """Look whether a file is still the one that was planned.

    Raises:
        UserError: it has changed.
        OSError: it has vanished.
    """
    said = Path(file.path).stat()
    if (said.st_size, said.st_mtime_ns) != (file.size, file.mtime_ns):
        raise UserError(f"{file.path}: changed since the plan was made; read it into another --out")
