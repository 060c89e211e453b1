"""PDF files to pictures, by PDFium; not for several threads of one process at once."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image

from dsocr_jax.errors import UserError
from dsocr_jax.reading.pictures import check_pixels, one_line

if TYPE_CHECKING:
    from pypdfium2 import PdfDocument, PdfPage

POINTS_PER_INCH = 72
#: A PDF begins with this mark, junk of at most so many bytes before it.
PDF_MARK, PDF_MARK_WITHIN = b"%PDF-", 1024
#: What PDFium answers when the password is missing or wrong, and when the encryption is unknown to it.
PDFIUM_PASSWORD, PDFIUM_SECURITY = 4, 5


def load_pdf(file: Path | bytes, where: str, password: str | None) -> "PdfDocument":
    """Open a PDF; the caller closes it.

    Raises:
        UserError: damaged, encrypted, or without pages.
    """
    from pypdfium2 import PdfDocument, PdfiumError

    try:
        document = PdfDocument(file, password=password)
        if len(document):
            document.init_forms()  # otherwise what is filled into forms is not drawn
            return document
        code = None
    except PdfiumError as error:
        code = error.err_code
    if _opens(file, password):
        raise UserError(f"{where}: a PDF without pages; check how it was made")
    if code == PDFIUM_PASSWORD:
        said = "the password does not open it; give the right one" if password else "encrypted; give its password"
        raise UserError(f"{where}: {said} with --password")
    if code == PDFIUM_SECURITY:
        raise UserError(f"{where}: encrypted in a way that cannot be read; save it without encryption")
    raise UserError(f"{where}: a damaged PDF that cannot be opened; copy it again, or open and save it anew")


def _opens(file: Path | bytes, password: str | None) -> bool:
    """Whether PDFium itself opens the file.

    The wrapper refuses a document without pages, and PDFium's error code then is that of whichever file failed last.
    """
    from pypdfium2 import raw

    word = None if password is None else password.encode() + b"\0"
    if isinstance(file, bytes):
        handle = raw.FPDF_LoadMemDocument64(file, len(file), word)
    else:
        handle = raw.FPDF_LoadDocument(os.fsencode(file) + b"\0", word)
    if handle:
        raw.FPDF_CloseDocument(handle)
    return bool(handle)


def draw_page(document: "PdfDocument", index: int, where: str, dpi: float, max_pixels: int) -> Image.Image:
    """Draw one page, counted from 0, as RGB.

    Raises:
        UserError: it has more than ``max_pixels`` pixels, or cannot be drawn.
    """
    from pypdfium2 import PdfiumError

    scale = dpi / POINTS_PER_INCH
    try:
        page: PdfPage = document[index]
        try:
            width, height = (max(1, round(side * scale)) for side in page.get_size())
            check_pixels(width, height, max_pixels, f"{where} at {dpi:g} dpi")
            bitmap = page.render(scale=scale)
            image = bitmap.to_pil().convert("RGB")  # a copy: the bitmap's memory is given back
            bitmap.close()
            return image
        finally:
            page.close()
    except (PdfiumError, MemoryError, OverflowError, ValueError) as error:
        raise UserError(f"{where}: cannot be drawn ({one_line(error)}); open and save the PDF anew") from None
