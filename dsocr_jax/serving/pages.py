"""The pages of one document, opened one at a time."""

import itertools
from collections.abc import Iterator

from dsocr_jax.errors import UserError
from dsocr_jax.reading.documents import DocumentOptions, Failure, Page, open_documents
from dsocr_jax.reading.pdf import PDF_MARK, PDF_MARK_WITHIN
from dsocr_jax.reading.pdf_pool import PdfPool

#: What the document is called in messages.
WHERE = "the document"

_numbers = itertools.count()


class TooManyPages(UserError):
    """The document is longer than the server allows."""


class Document:
    """Pages to be taken one by one, by one thread at a time; a PDF's are drawn in processes that may die alone.

    Args:
        body: the bytes of a picture or PDF.
        options: how documents are opened.
        max_pages: a longer document is refused before a page of it is drawn, if its kind tells.
        pdfs: draws.
    """

    def __init__(self, body: bytes, options: DocumentOptions, max_pages: int, pdfs: PdfPool):
        self._max_pages = max_pages
        self._opened = 0
        if PDF_MARK in body[:PDF_MARK_WITHIN]:
            self._pages = _draw(body, options, max_pages, pdfs)
        else:
            self._pages = open_documents([body], options)

    def next(self) -> Page | Failure | None:
        """Open the next page; None when there are no more.

        Raises:
            TooManyPages: there are more than allowed.
        """
        item = next(self._pages, None)
        if item is not None:
            self._opened += 1
            _check(max(self._opened, item.pages if isinstance(item, Page) else 1), self._max_pages)
        return item


def _draw(body: bytes, options: DocumentOptions, max_pages: int, pdfs: PdfPool) -> Iterator[Page | Failure]:
    key = f"document {next(_numbers)}"
    try:
        pages = pdfs.count_pages(body, key, WHERE, options.password)
    except UserError as error:
        yield Failure(WHERE, str(error))
        return
    _check(pages, max_pages)
    for number in range(1, pages + 1):
        try:
            image = pdfs.draw(body, key, WHERE, options.password, number - 1, options.dpi, options.max_pixels)
        except UserError as error:
            yield Failure(WHERE, str(error), number)
        else:
            yield Page(image, WHERE, number, pages)


def _check(pages: int, most: int) -> None:
    if pages > most:
        raise TooManyPages(f"the document has more than {most} pages; send it in parts")
