"""Everything that can be read → upright RGB pages, one at a time.

Paths of pictures, PDFs and folders, bytes, arrays and Pillow pictures go in; pages come out in order. What cannot be
read comes out too, as a `Failure`, so that one bad file does not stop the others.
"""

import glob
import hashlib
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from PIL import Image

from dsocr_jax.errors import UserError
from dsocr_jax.reading.pdf import PDF_MARK, PDF_MARK_WITHIN, draw_page, load_pdf
from dsocr_jax.reading.pictures import SUFFIXES, check_pixels, from_array, one_line, open_frames, upright_rgb

Source = str | os.PathLike | bytes | np.ndarray | Image.Image

#: What begins like "https:/", but not like the "C:/" of a drive.
ADDRESS = re.compile(r"[A-Za-z]{2,}:/")
MAX_DPI = 2400
#: Longest name of a page, in bytes, before numbers; most file systems allow 255 with all that is put behind it.
MAX_STEM = 180


@dataclass(frozen=True)
class DocumentOptions:
    """How documents are opened, and what is too much.

    Attributes:
        max_pixels: most pixels of one page, checked before it is decoded or drawn (300 MB as RGB at the default).
        dpi: dots per inch at which PDF pages are drawn; 144 in the released scripts.
        password: opens encrypted PDFs.
    """

    max_pixels: int = 100_000_000
    dpi: float = 144
    password: str | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        if self.max_pixels < 1:
            raise UserError(f"--max-pixels must be at least 1, not {self.max_pixels}")
        if not 1 <= self.dpi <= MAX_DPI:
            raise UserError(f"--dpi must be between 1 and {MAX_DPI}, not {self.dpi}")


@dataclass(frozen=True)
class Page:
    """One page to read.

    Attributes:
        image: RGB, upright.
        source: what the user gave: the path, or "image 3" for the third source in memory.
        page: number within its document, from 1; None when the source is a single picture.
        pages: how many pages its document has.
        note: what the user should know ("animated: the first of 12 frames is read"), or empty.
        name: a file name without suffix for what is written about this page, unique within the call.
        digest: SHA-256 of the source's bytes, where it was asked for.
    """

    image: Image.Image
    source: str
    page: int | None = None
    pages: int = 1
    note: str = ""
    name: str = ""
    digest: str = ""


@dataclass(frozen=True)
class PageRef:
    """A page before it is opened; the fields are those of `Page`."""

    source: str
    page: int | None
    pages: int
    name: str
    digest: str


Named = TypeVar("Named", Page, PageRef)


@dataclass(frozen=True)
class Failure:
    """A source, or one page of it, that could not be read; ``message`` is one line that names it and a remedy."""

    source: str
    message: str
    page: int | None = None


def open_documents(
    sources: Source | Iterable[Source], options: DocumentOptions | None = None
) -> Iterator[Page | Failure]:
    """Yield the pages of all sources in order, each read only when it is asked for.

    Bad sources do not raise: they are yielded as `Failure`.

    Args:
        sources: one source or many. A path names a picture, a PDF or a folder (searched with its subfolders, in natural
            order); bytes are those of a picture or PDF file; arrays are those that `pictures.from_array` takes.
        options: resolution, limits and password.
    """
    options = options or DocumentOptions()
    taken: set[str] = set()
    for item in list_sources(sources, taken):
        if isinstance(item, Failure):
            yield item
            continue
        try:
            for page in _open_one(item.file, item.where, options):
                yield named(page, item.stem, taken) if isinstance(page, Page) else page
        except (UserError, OSError) as error:
            yield failure(item.where, error)


@dataclass(frozen=True)
class SourceFile:
    """One file, byte string or picture in memory; ``where`` names it in messages, ``stem`` in what is written."""

    file: Any
    where: str
    stem: str


def list_sources(sources: Source | Iterable[Source], taken: set[str]) -> Iterator[SourceFile | Failure]:
    """Yield what is to be opened, folders searched; ``taken`` collects the names that have been given away."""
    if isinstance(sources, str | os.PathLike | bytes | np.ndarray | Image.Image):
        sources = [sources]
    for number, source in enumerate(sources, start=1):
        files: list[Any] = [source]
        try:
            if isinstance(source, str | os.PathLike):
                files = list(list_files(Path(source)))
        except (UserError, OSError, ValueError) as error:
            yield failure(str(source), error)
            continue
        for file in files:
            where = str(file) if isinstance(file, Path) else f"image {number}"
            yield SourceFile(
                file, where, _unique(_plain(file.stem) if isinstance(file, Path) else f"image-{number}", taken)
            )


def open_strictly(sources: Source | Iterable[Source], options: DocumentOptions | None = None) -> Iterator[Page]:
    """Yield pages like `open_documents`, but raise the first failure as a `UserError`."""
    for item in open_documents(sources, options):
        if isinstance(item, Failure):
            raise UserError(item.message)
        yield item


def _open_one(file: Any, where: str, options: DocumentOptions) -> Iterator[Page | Failure]:
    """Yield the pages (yet without names) of one file, one byte string or one picture in memory."""
    if isinstance(file, np.ndarray):
        file = from_array(file, where, options.max_pixels)
    if isinstance(file, Image.Image):
        check_pixels(*file.size, options.max_pixels, where)
        yield Page(upright_rgb(file, where), where)
        return
    if not isinstance(file, Path | bytes):
        kind = type(file).__name__
        raise UserError(f"{where}: cannot read a {kind}; give a path, bytes, an array or a Pillow picture")
    head = head_of(file)
    if not head:
        raise UserError(f"{where}: empty (0 bytes); copy or download it again")
    if PDF_MARK in head:
        yield from _open_pdf(file, where, options)
        return
    for frame in open_frames(file, where, options.max_pixels):
        yield Page(frame.image, where, frame.page, frame.pages, frame.note)


def _open_pdf(file: Path | bytes, where: str, options: DocumentOptions) -> Iterator[Page | Failure]:
    """Yield the pages of a PDF; a page that cannot be drawn is a failure of that page alone."""
    document = load_pdf(file, where, options.password)
    try:
        pages = len(document)
        for number in range(1, pages + 1):
            try:
                image = draw_page(document, number - 1, f"{where}, page {number}", options.dpi, options.max_pixels)
            except UserError as error:
                yield Failure(where, str(error), number)
                continue
            yield Page(image, where, number, pages)
    finally:
        document.close()


def expand(sources: Sequence[str]) -> list[str]:
    """Replace patterns by the files that they match, in natural order; what matches nothing stays as it is."""
    found: list[str] = []
    for source in sources:
        pattern = glob.has_magic(source) and not os.path.lexists(source)
        matches = glob.glob(source, recursive=True) if pattern else []  # noqa: PTH207 (it may begin anywhere)
        found += sorted(matches, key=natural_key) if matches else [source]
    return found


def list_files(path: Path) -> list[Path]:
    """Return ``path`` itself, or the pictures and PDFs of a folder and its subfolders in natural order.

    Hidden files and folders are passed over, links to folders are not followed.

    Raises:
        UserError: there is no such path, it is a device, or the folder holds nothing to read.
        OSError: the folder cannot be listed.
    """
    if not os.path.lexists(path):
        said = "addresses are not fetched; download it first" if ADDRESS.match(str(path)) else "check the path"
        raise UserError(f"{path}: no such file or folder; {said}")
    if not path.is_dir():
        if not path.exists():
            raise UserError(f"{path}: a link that leads nowhere; check what it points to")
        if not path.is_file():
            raise UserError(f"{path}: neither a file nor a folder; give a picture, a PDF or a folder of them")
        return [path]
    found, others = [], 0
    for folder, subfolders, names in os.walk(path, onerror=_raise):
        subfolders[:] = [name for name in subfolders if not name.startswith(".")]
        for name in names:
            readable = Path(name).suffix.lower() in SUFFIXES | {".pdf"} and not name.startswith(".")
            others += not readable
            if readable:
                found.append(Path(folder, name))
    if not found:
        said = f"a folder without pictures or PDFs ({others} other files)" if others else "an empty folder"
        raise UserError(f"{path}: {said}; give one that holds pictures or PDFs")
    return sorted(found, key=lambda file: natural_key(str(file)))


def _raise(error: OSError) -> None:
    raise error


def natural_key(text: str) -> list[tuple[int, int, str]]:
    """Return a sort key in which page2 stands before page10."""
    parts = re.findall(r"(\d+)|(\D+)", text, re.ASCII)
    return [(0, int(digits), digits) if digits else (1, 0, other.casefold()) for digits, other in parts]


def head_of(file: Path | bytes) -> bytes:
    """Return as many of a file's first bytes as tell its kind."""
    if isinstance(file, bytes):
        return file[:PDF_MARK_WITHIN]
    with file.open("rb") as stream:
        return stream.read(PDF_MARK_WITHIN)


def named(page: Named, stem: str, taken: set[str]) -> Named:
    """Name a page after its document, numbered with equal width when there are several."""
    if page.pages == 1:
        return replace(page, name=stem)
    return replace(page, name=_unique(f"{stem}-{page.page:0{len(str(page.pages))}d}", taken))


def _plain(stem: str) -> str:
    """Return a file's stem as text that is valid Unicode, and leaves room for what is put behind it."""
    text = os.fsencode(stem).decode("utf-8", errors="replace")
    if len(text.encode()) <= MAX_STEM:
        return text
    short = text.encode()[: MAX_STEM - 9].decode("utf-8", errors="ignore")
    return f"{short}~{hashlib.sha256(text.encode()).hexdigest()[:8]}"


def _unique(stem: str, taken: set[str]) -> str:
    """Return ``stem``, with a number behind it when another source has that name (letter case aside)."""
    name, number = stem, 1
    while name.casefold() in taken:
        number += 1
        name = f"{stem}~{number}"
    taken.add(name.casefold())
    return name


def failure(where: str, error: Exception) -> Failure:
    """Turn an error about a whole source into a failure with a message that names it."""
    if isinstance(error, UserError):
        return Failure(where, str(error))
    if isinstance(error, PermissionError):
        return Failure(where, f"{where}: no permission to read it; change its permissions (chmod u+r)")
    detail = (isinstance(error, OSError) and error.strerror) or one_line(error)
    return Failure(where, f"{where}: cannot be opened ({detail}); check the path and the disk")
