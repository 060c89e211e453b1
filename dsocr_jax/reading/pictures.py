"""Picture files, bytes and arrays → upright 8-bit RGB pictures.

Nothing is decoded before its size is known from the header, and only well-kept raster formats are tried.
"""

import contextlib
import functools
import io
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from PIL import Image, ImageFile

from dsocr_jax.errors import UserError

#: Pillow's names of the formats that are read.
FORMATS = ("AVIF", "BMP", "GIF", "JPEG", "JPEG2000", "PNG", "PPM", "TIFF", "WEBP")
#: File names that a folder is searched for, PDFs aside.
SUFFIXES = frozenset(
    (
        *(".avif", ".bmp", ".gif", ".jpg", ".jpeg", ".jfif", ".jp2", ".jpx", ".j2k", ".png", ".apng"),
        *(".pbm", ".pgm", ".ppm", ".pnm", ".tif", ".tiff", ".webp"),
    )
)

#: EXIF orientation → what sets the picture upright.
UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
ORIENTATION_TAG = 0x0112

T = TypeVar("T")
#: Calls under our rules, which many threads may make at once, and Pillow's own rules from before the first of them.
_calls_lock = threading.Lock()
_calls = 0
_before: tuple[int | None, bool] = (None, False)


@dataclass(frozen=True)
class Frame:
    """One picture of a file: ``page`` counts from 1 and is None when the file holds one picture only."""

    image: Image.Image
    page: int | None
    pages: int
    note: str


def check_pixels(width: int, height: int, max_pixels: int, where: str) -> None:
    """Refuse a picture that has no pixels or more than ``max_pixels``.

    Raises:
        UserError: naming the picture and ``--max-pixels``.
    """
    if width < 1 or height < 1:
        raise UserError(f"{where}: {width} x {height} pixels is no picture; give one with at least one pixel")
    if width * height > max_pixels:
        raise UserError(
            f"{where}: {width} x {height} pixels are more than the limit of {max_pixels:,}; "
            "make it smaller, or raise --max-pixels if you trust it"
        )


def open_frames(file: Path | bytes, where: str, max_pixels: int) -> Iterator[Frame]:
    """Yield the pictures of one file: each page of a TIFF, the first frame of anything animated.

    Args:
        file: a path, or the bytes of a file.
        where: what to call it in messages.
        max_pixels: most pixels of one picture.

    Raises:
        UserError: not a picture, damaged, cut short, or too large.
    """
    known = [name for name in FORMATS if _readable(name)]

    def open_header() -> Image.Image:
        return Image.open(io.BytesIO(file) if isinstance(file, bytes) else file, formats=known)

    with _guarded(open_header, where) as image:
        check_pixels(*image.size, max_pixels, where)
        frames = _guarded(lambda: int(getattr(image, "n_frames", 1)), where)
        if image.format != "TIFF" or frames == 1:
            # The further pictures of an MPO file are other views of the same shot, not an animation.
            animated = frames > 1 and image.format != "MPO"
            note = f"animated: the first of {frames} frames is read" if animated else ""
            yield Frame(upright_rgb(image, where), None, 1, note)
            return
        for index in range(frames):
            here = f"{where}, page {index + 1}"
            _guarded(functools.partial(image.seek, index), here)
            check_pixels(*image.size, max_pixels, here)
            yield Frame(upright_rgb(image, here), index + 1, frames, "")


def upright_rgb(image: Image.Image, where: str) -> Image.Image:
    """Return the picture as 8-bit RGB, turned as its EXIF data say, transparent parts on white.

    16-bit grey is scaled to 8 bits. Grey of other ranges is stretched to 0 ... 255.

    Raises:
        UserError: the pixels cannot be decoded.
    """

    def convert() -> Image.Image:
        image.load()
        # Only after loading: the orientation of a PNG may stand behind its pixels, and loading a TIFF already turns it.
        turn = UPRIGHT.get(_orientation(image))
        flat = _on_white(_eight_bit(image))
        return flat.transpose(turn) if turn is not None else flat

    return _guarded(convert, where)


def from_array(array: np.ndarray, where: str, max_pixels: int) -> Image.Image:
    """Return an array of pixels as a picture.

    Args:
        array: [h, w], or [h, w, c] with 1 (grey), 2 (grey, alpha), 3 (RGB) or 4 (RGBA) channels; uint8, uint16 or bool.
        where: what to call it in messages.
        max_pixels: most pixels.

    Raises:
        UserError: any other shape or type, or too large.
    """
    channels = array.shape[2] if array.ndim == 3 else 1
    if array.ndim not in (2, 3) or channels not in (1, 2, 3, 4) or array.dtype not in (np.uint8, np.uint16, np.bool_):
        raise UserError(
            f"{where}: an array of {array.dtype}, shape {list(array.shape)} is no picture; "
            "give uint8, uint16 or bool, shape [height, width] or [height, width, 1 to 4]"
        )
    check_pixels(array.shape[1], array.shape[0], max_pixels, where)
    if array.dtype == np.bool_:
        array = array.astype(np.uint8) * np.uint8(255)
    elif array.dtype == np.uint16:
        array = (array >> 8).astype(np.uint8)
    return Image.fromarray(np.ascontiguousarray(array[..., 0] if array.ndim == 3 and channels == 1 else array))


def _eight_bit(image: Image.Image) -> Image.Image:
    """Bring grey of 16 or 32 bits to 8; other pictures are returned as they are."""
    if image.mode not in ("I", "F") and not image.mode.startswith("I;16"):
        return image
    values = np.asarray(image)
    if image.mode.startswith("I;16") or (image.mode == "I" and values.min() >= 0 and values.max() <= 65535):
        # The high byte, as Pillow does for 16-bit colour.
        return Image.fromarray((values >> 8).astype(np.uint8))
    values = np.nan_to_num(values.astype(np.float64), posinf=0, neginf=0)
    low, high = (0.0, 1.0) if values.min() >= 0 and values.max() <= 1 else (values.min(), values.max())
    return Image.fromarray(((values - low) / max(high - low, 1e-30) * 255).round().astype(np.uint8))


def _on_white(image: Image.Image) -> Image.Image:
    """Convert to RGB; what is transparent shows white paper."""
    if not image.has_transparency_data:
        return image.convert("RGB")
    if image.mode == "La":
        image = image.convert("LA")
    rgba = image.convert("RGBA")
    white = Image.new("RGB", rgba.size, "white")
    white.paste(rgba, mask=rgba.getchannel("A"))
    return white


def _orientation(image: Image.Image) -> int:
    try:
        return int(image.getexif().get(ORIENTATION_TAG, 1))
    except Exception:  # unreadable EXIF data say nothing; the pixels are fine all the same
        return 1


def _readable(name: str) -> bool:
    """Whether this build of Pillow knows the format (AVIF, JPEG 2000 and WebP are optional)."""
    Image.init()
    return name in Image.OPEN


@contextlib.contextmanager
def _our_rules() -> Iterator[None]:
    """Put our own pixel limit in place of Pillow's, and refuse cut-off files, while any call of ours takes.

    Decoding itself runs side by side: Pillow releases the interpreter's lock in its decoders and filters.
    """
    global _calls, _before  # noqa: PLW0603
    with _calls_lock:
        if _calls == 0:
            _before = Image.MAX_IMAGE_PIXELS, ImageFile.LOAD_TRUNCATED_IMAGES
            Image.MAX_IMAGE_PIXELS, ImageFile.LOAD_TRUNCATED_IMAGES = None, False
        _calls += 1
    try:
        yield
    finally:
        with _calls_lock:
            _calls -= 1
            if _calls == 0:
                Image.MAX_IMAGE_PIXELS, ImageFile.LOAD_TRUNCATED_IMAGES = _before


def _guarded(action: Callable[[], T], where: str) -> T:
    """Run one step of Pillow; whatever a broken file makes its decoders raise becomes a `UserError`."""
    try:
        with _our_rules():
            return action()
    except (UserError, PermissionError):
        raise
    except Image.UnidentifiedImageError:
        raise UserError(
            f"{where}: neither a PDF nor a picture that can be read, or damaged from the start; "
            f"give a PDF or one of {', '.join(FORMATS)}"
        ) from None
    except MemoryError:
        raise UserError(f"{where}: not enough memory for its pixels; make it smaller") from None
    except Exception as error:  # decoders raise OSError, SyntaxError, ValueError, struct.error, IndexError, ...
        raise UserError(
            f"{where}: damaged or cut short ({one_line(error)}); copy it again, or open and save it anew"
        ) from None


def one_line(error: Any) -> str:
    """Return the first line of an error's text."""
    return (str(error).splitlines() or [""])[0].rstrip(".") or type(error).__name__
