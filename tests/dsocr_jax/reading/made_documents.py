"""Documents made for the tests, and what comes of opening one."""

import hashlib
import io
import struct
import zlib

import numpy as np
from PIL import Image

from dsocr_jax.reading.documents import DocumentOptions, Failure, Page, open_documents, open_strictly

ODD_SIZE = (6, 4)


def page(source: object, **options: object) -> Page:
    (only,) = open_strictly([source], DocumentOptions(**options))
    return only


def failure(source: object, **options: object) -> str:
    """Return the message of a source that must fail, after checking its form."""
    (only,) = open_documents([source], DocumentOptions(**options))
    assert isinstance(only, Failure)
    assert "\n" not in only.message
    return only.message


def corners() -> Image.Image:
    """A picture that shows how it is turned: red top left, green top right, blue bottom left, white elsewhere."""
    pixels = np.full((8, 12, 3), 255, np.uint8)
    pixels[:4, :4], pixels[:4, 8:], pixels[4:, :4] = (255, 0, 0), (0, 255, 0), (0, 0, 255)
    return Image.fromarray(pixels)


def pdf(*pages: bytes, trailer: bytes = b"") -> bytes:
    """Write a minimal PDF by hand; each page is given as the inside of its dictionary."""
    kids = b" ".join(b"%d 0 R" % (number + 3) for number in range(len(pages)))
    objects = [b"/Type /Catalog /Pages 2 0 R", b"/Type /Pages /Kids [%s] /Count %d" % (kids, len(pages))]
    objects += [b"/Type /Page /Parent 2 0 R " + inside for inside in pages]
    out, offsets = b"%PDF-1.4\n", []
    for number, inside in enumerate(objects, start=1):
        offsets.append(len(out))
        out += b"%d 0 obj\n<< %s >>\nendobj\n" % (number, inside)
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    end = b"trailer\n<< /Size %d /Root 1 0 R %s >>\nstartxref\n%d\n%%%%EOF" % (len(objects) + 1, trailer, len(out))
    return out + b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1) + table + end


def sized(width: int, height: int) -> bytes:
    return b"/MediaBox [0 0 %d %d]" % (width, height)


def rc4(key: bytes, data: bytes) -> bytes:
    state, j = list(range(256)), 0
    for i in range(256):
        j = (j + state[i] + key[i % len(key)]) % 256
        state[i], state[j] = state[j], state[i]
    out, i, j = bytearray(), 0, 0
    for byte in data:
        i = (i + 1) % 256
        j = (j + state[i]) % 256
        state[i], state[j] = state[j], state[i]
        out.append(byte ^ state[(state[i] + state[j]) % 256])
    return bytes(out)


def encrypted_pdf(password: bytes) -> bytes:
    """A PDF under the standard's first and simplest encryption: 40-bit keys from MD5, RC4."""
    filler = bytes.fromhex("28BF4E5E4E758A4164004E56FFFA01082E2E00B6D0683E802F0CA9FE6453697A")
    padded, ident = (password + filler)[:32], bytes(16)
    owner = rc4(hashlib.md5(padded).digest()[:5], padded)
    key = hashlib.md5(padded + owner + struct.pack("<i", -4) + ident).digest()[:5]
    fields = (owner.hex().encode(), rc4(key, filler).hex().encode(), ident.hex().encode(), ident.hex().encode())
    text = b"/Encrypt << /Filter /Standard /V 1 /R 2 /P -4 /O <%s> /U <%s> >> /ID [<%s> <%s>]" % fields
    return pdf(sized(20, 20), trailer=text)


def png_header(width: int, height: int) -> bytes:
    """A PNG that claims a size and holds next to nothing."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(b"\0")) + chunk(b"IEND", b"")


def saved(image: Image.Image, kind: str, **options: object) -> bytes:
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()
