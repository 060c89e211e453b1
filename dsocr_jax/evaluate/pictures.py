"""Pictures of evaluated pages: opened when they are asked for, and made small for reports."""

import base64
import functools
import io
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from dsocr_jax.errors import UserError

if TYPE_CHECKING:
    from PIL import Image

#: Larger pictures are not opened.
MAX_PIXELS = 100_000_000
#: Longer side of a picture in a report, in pixels, and its quality as JPEG.
SIDE, QUALITY = 480, 70


def picture_from(file: Path) -> "Callable[[], Image.Image]":
    """Return what opens a picture file, upright and as RGB; it raises UserError."""
    return functools.partial(open_picture, file, str(file))


def open_picture(source: Path | bytes, where: str) -> "Image.Image":
    """Open a picture file, or the bytes of one, upright and as RGB.

    Raises:
        UserError: it is missing, no picture, or too large.
    """
    from dsocr_jax.reading.pictures import open_frames

    try:
        return next(iter(open_frames(source, where, MAX_PIXELS))).image
    except OSError as error:
        raise UserError(f"{where}: cannot be opened ({error.strerror or error}); check the path") from None


def thumbnail(picture: "Image.Image", side: int = SIDE) -> str:
    """Return a small copy of a picture as a ``data:`` address."""
    small = picture.convert("RGB")
    small.thumbnail((side, side))
    buffer = io.BytesIO()
    small.save(buffer, "JPEG", quality=QUALITY)
    return "data:image/jpeg;base64," + base64.b64encode(buffer.getvalue()).decode()


def png_address(data: bytes) -> str:
    """Return the bytes of a PNG file as a ``data:`` address."""
    return "data:image/png;base64," + base64.b64encode(data).decode()
