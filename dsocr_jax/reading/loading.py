"""Documents opened ahead of the reader: pictures decoded in threads, PDF pages drawn in processes, a few at a time.

Pillow releases the interpreter's lock while it decodes, so threads use all processors without copying pixels between
processes. Memory is bounded by the window, whatever the size of a folder or the number of pages of a document.
"""

import hashlib
import itertools
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

import numpy as np
from PIL import Image

from dsocr_jax.errors import UserError
from dsocr_jax.reading.documents import (
    DocumentOptions,
    Failure,
    Page,
    PageRef,
    Source,
    SourceFile,
    failure,
    head_of,
    list_sources,
    named,
)
from dsocr_jax.reading.pdf import PDF_MARK
from dsocr_jax.reading.pdf_pool import PdfPool
from dsocr_jax.reading.pictures import check_pixels, from_array, open_frames, upright_rgb

T = TypeVar("T")
U = TypeVar("U")


@dataclass(frozen=True)
class _Document:
    """A file whose first bytes have been looked at; ``pages`` is 0 for all but PDFs."""

    item: SourceFile
    digest: str
    pages: int


def load_documents(
    sources: Source | Iterable[Source],
    options: DocumentOptions | None = None,
    *,
    threads: int = 4,
    wanted: Callable[[PageRef], bool] | None = None,
    found: Callable[[int], None] = lambda pages: None,
) -> Iterator[Page | Failure]:
    """Yield the pages of all sources in order, as `open_documents` does, with ``threads`` of them opened ahead.

    Args:
        sources, options: see `open_documents`.
        threads: pages opened at the same time.
        wanted: asked about each page before it is opened; those that are not wanted are left out. With it, pages carry
            a digest of their source's bytes.
        found: told of the pages of a document beyond its first when it is looked at, before they are opened.
    """
    options = options or DocumentOptions()
    taken: set[str] = set()
    with ThreadPoolExecutor(threads, "open") as pool, PdfPool(min(threads, os.cpu_count() or 1)) as pdfs:

        def examine(item: SourceFile | Failure) -> _Document | Failure:
            return item if isinstance(item, Failure) else _guarded(item.where, None, lambda: _examine(item))

        def _examine(item: SourceFile) -> _Document:
            digest = _digest(item.file) if wanted is not None else ""
            if not isinstance(item.file, Path | bytes) or PDF_MARK not in head_of(item.file):
                return _Document(item, digest, 0)
            return _Document(item, digest, pdfs.count_pages(item.file, item.where, item.where, options.password))

        def pages_of(document: _Document | Failure) -> Iterator[Callable[[], Page | Failure]]:
            if isinstance(document, Failure):
                yield lambda: document
                return
            found(max(0, document.pages - 1))
            parts = _pdf_pages(document) if document.pages else _pictures(document)
            yield from parts

        def _pdf_pages(document: _Document) -> Iterator[Callable[[], Page | Failure]]:
            item = document.item
            for number in range(1, document.pages + 1):
                ref = named(PageRef(item.where, number, document.pages, "", document.digest), item.stem, taken)
                if wanted is None or wanted(ref):
                    yield _opener(ref, lambda number=number: draw(item, number))  # type: ignore[misc]

        def draw(item: SourceFile, number: int) -> Image.Image:
            where, secret = item.where, options.password
            return pdfs.draw(item.file, where, where, secret, number - 1, options.dpi, options.max_pixels)

        def _pictures(document: _Document) -> Iterator[Callable[[], Page | Failure]]:
            item = document.item
            ref = PageRef(item.where, None, 1, item.stem, document.digest)
            if isinstance(item.file, Path | bytes) and _many_frames(item.file):
                yield from _frames(document)
            elif wanted is None or wanted(ref):
                yield _opener(ref, lambda: _open_picture(item, options))

        def _frames(document: _Document) -> Iterator[Callable[[], Page | Failure]]:
            """The pages of a TIFF: they are reached one after the other, and so are decoded where they are listed."""
            item, number = document.item, 0
            try:
                for frame in open_frames(item.file, item.where, options.max_pixels):
                    number += 1
                    found(int(number > 1))
                    ref = named(PageRef(item.where, frame.page, frame.pages, "", document.digest), item.stem, taken)
                    if wanted is None or wanted(ref):
                        page = _page(ref, frame.image, frame.note)
                        yield lambda page=page: page  # type: ignore[misc]
            except (UserError, OSError) as error:
                failed = failure(item.where, error)
                yield lambda: failed

        documents = _ahead(pool, examine, list_sources(sources, taken), threads)
        openers = itertools.chain.from_iterable(map(pages_of, documents))
        yield from _ahead(pool, lambda opener: opener(), openers, 2 * threads)


def _page(ref: PageRef, image: Image.Image, note: str = "") -> Page:
    return Page(image, ref.source, ref.page, ref.pages, note, ref.name, ref.digest)


def _opener(ref: PageRef, make: Callable[[], Image.Image | tuple[Image.Image, str]]) -> Callable[[], Page | Failure]:
    def opened() -> Page:
        made = make()
        return _page(ref, *made) if isinstance(made, tuple) else _page(ref, made)

    return lambda: _guarded(ref.source, ref.page, opened)


def _open_picture(item: SourceFile, options: DocumentOptions) -> tuple[Image.Image, str]:
    """The one picture of a file, or in memory, and what the user should know about it."""
    file = item.file
    if isinstance(file, np.ndarray):
        file = from_array(file, item.where, options.max_pixels)
    if isinstance(file, Image.Image):
        check_pixels(*file.size, options.max_pixels, item.where)
        return upright_rgb(file, item.where), ""
    if not isinstance(file, Path | bytes):
        kind = type(file).__name__
        raise UserError(f"{item.where}: cannot read a {kind}; give a path, bytes, an array or a Pillow picture")
    if not head_of(file):
        raise UserError(f"{item.where}: empty (0 bytes); copy or download it again")
    frame = next(iter(open_frames(file, item.where, options.max_pixels)))
    return frame.image, frame.note


def _many_frames(file: Path | bytes) -> bool:
    """Whether this looks like a TIFF, the one format whose pictures are pages."""
    try:
        return head_of(file)[:4] in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
    except OSError:
        return False  # said when it is opened


def _guarded(where: str, page: int | None, action: Callable[[], T]) -> T | Failure:
    try:
        return action()
    except (UserError, OSError) as error:
        return replace(failure(where, error), page=page)


def _digest(file: object) -> str:
    """SHA-256 of a file's bytes; of shape and pixels in memory."""
    if isinstance(file, Path):
        with file.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    if isinstance(file, bytes):
        return hashlib.sha256(file).hexdigest()
    if isinstance(file, Image.Image):
        return hashlib.sha256(f"{file.mode} {file.size} ".encode() + file.tobytes()).hexdigest()
    if isinstance(file, np.ndarray):
        return hashlib.sha256(f"{file.dtype} {file.shape} ".encode() + file.tobytes()).hexdigest()
    return ""


def _ahead(pool: ThreadPoolExecutor, function: Callable[[T], U], items: Iterable[T], window: int) -> Iterator[U]:
    """``map`` with a window of calls that run ahead; results come in order, and as soon as they are there."""
    waiting: deque[Future[U]] = deque()
    try:
        for item in items:
            waiting.append(pool.submit(function, item))
            while waiting and (len(waiting) >= window or waiting[0].done()):
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        for future in waiting:
            future.cancel()
