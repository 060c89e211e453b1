"""One record of a shard: a msgpack map of the encoded picture, the prompt, the label and what is known of them."""

import io
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

import msgpack
import numpy as np

from datagen import png
from datagen.sample import Sample
from dsocr_jax.errors import UserError

if TYPE_CHECKING:
    from PIL import Image

#: Larger pictures are refused unread: no family draws them, and a small file can claim any size.
MAX_PIXELS = 64_000_000

_PILLOW_FORMATS = {"png": "PNG", "jpeg": "JPEG"}


@dataclass(frozen=True)
class Record:
    """A sample as it stands in a shard; the fields are those of the msgpack map.

    Attributes:
        image: the encoded picture.
        format: "png" or "jpeg".
        width: in pixels.
        height: in pixels.
        prompt: the text of the user's turn.
        label: the answer.
        kind: the family's name.
        meta: JSON-compatible remarks.
        id: the sample's index within its kind.
        seed: the set's seed.
    """

    image: bytes
    format: str
    width: int
    height: int
    prompt: str
    label: str
    kind: str
    meta: dict[str, Any]
    id: int
    seed: int

    def pil(self) -> "Image.Image":
        """Return the picture as an RGB Pillow image.

        Raises:
            UserError: it cannot be decoded, or its size is not the recorded one.
        """
        from PIL import Image

        try:
            picture = Image.open(io.BytesIO(self.image), formats=[_PILLOW_FORMATS[self.format]])
            if picture.size != (self.width, self.height):
                raise UserError(f"the picture is {picture.size}, its record says {(self.width, self.height)}")
            return picture.convert("RGB")
        except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:  # the ways of Pillow
            raise UserError(f"the picture cannot be decoded ({error})") from None

    def array(self) -> np.ndarray:
        """Return the picture as uint8 ``[height, width, 3]``; errors as `pil`."""
        return np.asarray(self.pil())


def encode(sample: Sample) -> bytes:
    """Return ``sample`` as the bytes of a record, its picture as lossless PNG (gray when it has no colour).

    Raises:
        TypeError: ``meta`` holds something that JSON does not have.
    """
    height, width = sample.image.shape[:2]
    record = {
        "image": png.encode(sample.image),
        "format": "png",
        "width": width,
        "height": height,
        "prompt": sample.prompt,
        "label": sample.label,
        "kind": sample.kind,
        "meta": sample.meta,
        "id": sample.id,
        "seed": sample.seed,
    }
    return msgpack.packb(record, strict_types=True)


_TYPES: dict[str, type] = {
    "image": bytes,
    "format": str,
    "width": int,
    "height": int,
    "prompt": str,
    "label": str,
    "kind": str,
    "meta": dict,
    "id": int,
    "seed": int,
}
assert list(_TYPES) == [field.name for field in fields(Record)]


def decode(data: bytes) -> Record:
    """Return the record that ``data`` holds; its picture is not decoded yet.

    Raises:
        UserError: these are not the bytes of a record.
    """
    try:
        record = msgpack.unpackb(data)
    except (ValueError, msgpack.UnpackException) as error:
        raise UserError(f"not a record: {error or type(error).__name__}") from None
    if not isinstance(record, dict) or set(record) != set(_TYPES):
        names = ", ".join(sorted(map(str, record))) if isinstance(record, dict) else type(record).__name__
        raise UserError(f"not a record: it must hold {', '.join(_TYPES)}, and holds {names}")
    for name, kind in _TYPES.items():
        if type(record[name]) is not kind:
            raise UserError(f"not a record: {name} must be {kind.__name__}, not {type(record[name]).__name__}")
    if record["format"] not in _PILLOW_FORMATS:
        raise UserError(f"not a record: unknown picture format {record['format']!r}")
    if record["width"] < 1 or record["height"] < 1 or record["width"] * record["height"] > MAX_PIXELS:
        raise UserError(f"not a record: a picture of {record['width']}x{record['height']} pixels")
    return Record(**record)
