"""Sources as users name them → files in order, each once, with kind, pages, size and time of change."""

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from PIL import Image

from dsocr_jax.errors import UserError
from dsocr_jax.reading.cluster.plan import MAX_FILE_PAGES, PlannedFile
from dsocr_jax.reading.documents import DocumentOptions, expand, failure, head_of, list_files
from dsocr_jax.reading.pdf import PDF_MARK
from dsocr_jax.reading.pdf_pool import PdfPool

#: First bytes of TIFF files (the last two: of those above 4 GB), the one format whose pictures are pages.
TIFF_MARKS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
#: Files that are looked at between two looks at their results.
_CHUNK = 1024

T = TypeVar("T")
U = TypeVar("U")

#: A path, and what is wrong with it when it leads to no file.
Found = tuple[str, str]


def find_files(sources: Sequence[str | os.PathLike[str]]) -> list[Found]:
    """Return the files of all sources in order, each once, however often it is named.

    Args:
        sources: files, folders (searched with their subfolders, in natural order) and patterns (``**`` for any folders
            between), which stand for what they match in natural order.
    """
    found: dict[str, str] = {}
    for source in sources:
        for place in expand([os.fspath(source)]):
            try:
                for file in list_files(Path(place)):
                    found.setdefault(os.path.abspath(file), "")  # noqa: PTH100 (links are kept)
            except (UserError, OSError, ValueError) as error:
                found.setdefault(place, failure(place, error).message)
    return list(found.items())


def stamps(found: Sequence[Found], threads: int) -> list[tuple[str, int, int]]:
    """Return path, size and time of change of every file; size -1 where there is none."""
    with ThreadPoolExecutor(threads, "look") as pool:
        return list(_mapped(pool, lambda one: _stamp(one[0]), found))


def _stamp(path: str) -> tuple[str, int, int]:
    try:
        said = Path(path).stat()
    except (OSError, ValueError):
        return path, -1, 0
    return path, said.st_size, said.st_mtime_ns


def examine_files(
    found: Sequence[Found], options: DocumentOptions, threads: int, advance: Callable[[int, str], None]
) -> tuple[PlannedFile, ...]:
    """Look at every file: what it is, and how many pages it has.

    Args:
        found: from `find_files`.
        options: for the password of PDFs.
        threads: files looked at at the same time.
        advance: told of every file.
    """
    planned = []
    with ThreadPoolExecutor(threads, "look") as pool, PdfPool(min(threads, os.cpu_count() or 1)) as pdfs:
        for file in _mapped(pool, lambda one: _examine(one, options, pdfs), found):
            planned.append(file)
            advance(1, "")
    return tuple(planned)


def _examine(found: Found, options: DocumentOptions, pdfs: PdfPool) -> PlannedFile:
    path, error = found
    stamp = _stamp(path)
    if error:
        return PlannedFile(*stamp, "unreadable", 1, error)
    try:
        file = Path(path)
        head = head_of(file)
        if PDF_MARK in head:
            return PlannedFile(*stamp, "pdf", _checked(path, pdfs.count_pages(file, path, path, options.password)))
        frames = _count_frames(file) if head[:4] in TIFF_MARKS else 1
        return PlannedFile(*stamp, "frames" if frames > 1 else "picture", _checked(path, frames))
    except (UserError, OSError, ValueError) as raised:
        return PlannedFile(*stamp, "unreadable", 1, failure(path, raised).message)


def _count_frames(file: Path) -> int:
    """Pictures in a TIFF; 1 for a damaged one, whose fault is said when it is read."""
    try:
        with Image.open(file, formats=["TIFF"]) as image:
            return int(getattr(image, "n_frames", 1))
    except Exception:  # a broken file makes the decoder raise anything
        return 1


def _checked(path: str, pages: int) -> int:
    if pages > MAX_FILE_PAGES:
        raise UserError(f"{path}: claims {pages:,} pages, at most {MAX_FILE_PAGES:,} are read; divide it")
    return pages


def _mapped(pool: ThreadPoolExecutor, function: Callable[[T], U], items: Sequence[T]) -> Iterator[U]:
    """``pool.map`` that does not hold a future for each of a million items."""
    for start in range(0, len(items), _CHUNK):
        yield from pool.map(function, items[start : start + _CHUNK])
