"""Every kind of source comes out as the page it shows; every bad one as one clear line."""

import hashlib
import io
import os
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageFile

from dsocr_jax.errors import UserError
from dsocr_jax.reading.documents import DocumentOptions, Failure, Page, list_files, open_documents, open_strictly

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


# What must be read right.


@pytest.mark.parametrize("kind", ["PNG", "BMP", "TIFF", "PPM", "JPEG2000", "GIF"])
def test_exact_formats_keep_every_pixel(kind: str) -> None:
    assert page(saved(corners(), kind)).image.tobytes() == corners().tobytes()


@pytest.mark.parametrize("kind", ["JPEG", "WEBP", "AVIF"])
def test_lossy_formats_keep_the_picture(kind: str) -> None:
    image = Image.new("RGB", (32, 32), (200, 30, 60))
    difference = np.abs(np.asarray(page(saved(image, kind)).image).astype(int) - np.asarray(image))
    assert difference.max() < 12


def test_a_single_path_needs_no_list(tmp_path: Path) -> None:
    corners().save(tmp_path / "a.png")
    (only,) = open_documents(tmp_path / "a.png")
    assert (only.source, only.page, only.name) == (str(tmp_path / "a.png"), None, "a")


def test_a_path_may_be_a_string(tmp_path: Path) -> None:
    corners().save(tmp_path / "a.png")
    assert page(str(tmp_path / "a.png")).image.size == (12, 8)


def test_cmyk_becomes_rgb() -> None:
    image = page(saved(Image.new("CMYK", ODD_SIZE, (0, 255, 255, 0)), "TIFF")).image
    assert (image.mode, image.getpixel((0, 0))) == ("RGB", (255, 0, 0))


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_16_bit_grey_is_scaled_not_clipped(kind: str) -> None:
    values = np.array([[0, 256, 32768, 65535]], np.uint16)
    assert np.asarray(page(saved(Image.fromarray(values), kind)).image)[0, :, 0].tolist() == [0, 1, 128, 255]


def test_32_bit_grey_in_the_16_bit_range_is_scaled_alike() -> None:
    values = np.array([[0, 32768, 65535]], np.int32)
    assert np.asarray(page(saved(Image.fromarray(values), "TIFF")).image)[0, :, 0].tolist() == [0, 128, 255]


@pytest.mark.parametrize("values", [[0.0, 0.5, 1.0], [-100.0, 0.0, 100.0]])
def test_float_grey_is_stretched(values: list[float]) -> None:
    image = Image.fromarray(np.array([values], np.float32))
    assert np.asarray(page(saved(image, "TIFF")).image)[0, :, 0].tolist() == [0, 128, 255]


def test_transparent_parts_of_a_palette_are_white() -> None:
    image = Image.new("P", ODD_SIZE, 0)
    image.putpalette([10, 20, 30, 40, 50, 60])
    image.putpixel((0, 0), 1)
    out = page(saved(image, "PNG", transparency=0)).image
    assert (out.getpixel((0, 0)), out.getpixel((1, 0))) == ((40, 50, 60), (255, 255, 255))


def test_a_palette_without_transparency_keeps_its_colours() -> None:
    image = Image.new("P", ODD_SIZE, 0)
    image.putpalette([10, 20, 30])
    assert page(saved(image, "PNG")).image.getpixel((0, 0)) == (10, 20, 30)


def test_rgba_is_laid_on_white() -> None:
    image = Image.new("RGBA", ODD_SIZE, (0, 0, 0, 0))
    image.putpixel((0, 0), (0, 0, 0, 255))
    image.putpixel((1, 0), (0, 0, 0, 51))
    out = page(saved(image, "PNG")).image
    assert [out.getpixel((x, 0)) for x in range(3)] == [(0, 0, 0), (204, 204, 204), (255, 255, 255)]


def test_grey_with_alpha_is_laid_on_white() -> None:
    out = page(saved(Image.new("LA", ODD_SIZE, (9, 0)), "PNG")).image
    assert out.getpixel((0, 0)) == (255, 255, 255)


@pytest.mark.parametrize("mode", ["La", "RGBa", "PA"])
def test_other_forms_of_alpha_are_laid_on_white(mode: str) -> None:
    assert page(Image.new(mode, ODD_SIZE)).image.getpixel((0, 0)) == (255, 255, 255)


def test_a_transparent_colour_of_an_rgb_png_is_white() -> None:
    out = page(saved(Image.new("RGB", ODD_SIZE, (1, 2, 3)), "PNG", transparency=(1, 2, 3))).image
    assert out.getpixel((0, 0)) == (255, 255, 255)


def test_one_bit_pictures_are_black_and_white() -> None:
    image = Image.new("1", ODD_SIZE, 1)
    image.putpixel((0, 0), 0)
    out = page(saved(image, "TIFF")).image
    assert (out.getpixel((0, 0)), out.getpixel((1, 0))) == ((0, 0, 0), (255, 255, 255))


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "WEBP"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_rotation_is_applied(kind: str, orientation: int) -> None:
    """Store the picture as a camera held that way would, and expect it upright."""
    undo = {2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}  # orientation → Pillow's number of the inverse transposition
    stored = corners().transpose(Image.Transpose(undo[orientation])) if orientation > 1 else corners()
    exif = Image.Exif()
    exif[0x0112] = orientation
    options = {"lossless": True} if kind == "WEBP" else {}
    assert page(saved(stored, kind, exif=exif, **options)).image.tobytes() == corners().tobytes()


@pytest.mark.filterwarnings("ignore:Corrupt EXIF")
def test_broken_exif_data_do_not_matter() -> None:
    assert page(saved(corners(), "PNG", exif=b"Exif\0\0II*\0\xff\xff\xff\xff")).image.tobytes() == corners().tobytes()


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG"])
def test_animations_give_their_first_frame_and_say_so(kind: str) -> None:
    frames = [Image.new("RGB", ODD_SIZE, colour) for colour in ("black", "white", "red")]
    only = page(saved(frames[0], kind, save_all=True, append_images=frames[1:]))
    assert (only.image.getpixel((0, 0)), only.page) == ((0, 0, 0), None)
    assert only.note == "animated: the first of 3 frames is read"


def test_the_further_views_of_a_camera_shot_are_no_animation() -> None:
    frames = [Image.new("RGB", (16, 16), colour) for colour in ("black", "white")]
    only = page(saved(frames[0], "MPO", save_all=True, append_images=frames[1:]))
    assert (only.image.getpixel((0, 0)), only.note) == ((0, 0, 0), "")


def test_every_page_of_a_tiff_is_read() -> None:
    frames = [Image.new("L", (4 + n, 3), 40 * n) for n in range(3)]
    pages = list(open_strictly([saved(frames[0], "TIFF", save_all=True, append_images=frames[1:])]))
    assert [(p.page, p.pages, p.image.size, p.image.getpixel((0, 0))[0]) for p in pages] == [
        (1, 3, (4, 3), 0),
        (2, 3, (5, 3), 40),
        (3, 3, (6, 3), 80),
    ]


@pytest.mark.parametrize("size", [(1, 1), (20000, 1), (1, 20000)])
def test_extreme_shapes(size: tuple[int, int]) -> None:
    assert page(saved(Image.new("L", size), "PNG")).image.size == size


def test_arrays_and_pillow_pictures() -> None:
    pixels = np.asarray(corners())
    pages = list(open_strictly([pixels, corners(), saved(corners(), "PNG")]))
    assert [p.image.tobytes() for p in pages] == [pixels.tobytes()] * 3
    assert [(p.source, p.name) for p in pages] == [(f"image {n}", f"image-{n}") for n in (1, 2, 3)]


@pytest.mark.parametrize(
    ("array", "expected"),
    [
        (np.full((2, 3), 7, np.uint8), 7),
        (np.full((2, 3, 1), 7, np.uint8), 7),
        (np.full((2, 3), 0x0700, np.uint16), 7),
        (np.full((2, 3, 3), 0x0700, np.uint16), 7),
        (np.ones((2, 3), bool), 255),
        (np.zeros((2, 3, 2), np.uint8), 255),
        (np.zeros((2, 3, 4), np.uint8), 255),
    ],
)
def test_arrays_of_each_kind(array: np.ndarray, expected: int) -> None:
    image = page(array).image
    assert (image.size, image.getpixel((0, 0))) == ((3, 2), (expected,) * 3)


def test_pdf_pages_are_drawn_at_144_dpi(tmp_path: Path) -> None:
    (tmp_path / "a.pdf").write_bytes(pdf(sized(72, 36), sized(36, 72)))
    pages = list(open_strictly([tmp_path / "a.pdf"]))
    assert [(p.page, p.image.size, p.image.mode, p.name) for p in pages] == [
        (1, (144, 72), "RGB", "a-1"),
        (2, (72, 144), "RGB", "a-2"),
    ]


def test_the_resolution_of_pdfs_is_an_option() -> None:
    assert page(pdf(sized(72, 36)), dpi=72).image.size == (72, 36)


def test_a_pdf_shows_what_is_in_it() -> None:
    out = page(saved(corners().resize((120, 80), Image.Resampling.NEAREST), "PDF", resolution=144)).image
    assert out.size == (120, 80)
    assert np.abs(np.asarray(out.getpixel((10, 60))).astype(int) - (0, 0, 255)).max() < 16


def test_a_pdf_is_known_by_its_content(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(pdf(sized(72, 36)))
    assert page(tmp_path / "a.png").page == 1


def test_junk_before_the_beginning_of_a_pdf_does_no_harm() -> None:
    assert page(b"junk\n" + pdf(sized(72, 36))).image.size == (144, 72)


def test_what_is_filled_into_a_form_is_drawn() -> None:
    field = b"/Subtype /Widget /FT /Tx /T (name) /V (HELLO) /Rect [5 5 95 35] /F 4 /DA (/Helv 20 Tf 0 g)"
    form = pdf(sized(100, 40) + b" /Annots [<< /Type /Annot %s >>]" % field)
    marked = form.replace(b"/Type /Catalog", b"/Type /Catalog /AcroForm << /Fields [] /NeedAppearances true >>")
    assert (np.asarray(page(marked).image) < 128).any()


def test_an_encrypted_pdf_opens_with_its_password() -> None:
    assert page(encrypted_pdf(b"secret"), password="secret").image.size == (40, 40)


def test_a_rotated_pdf_page_is_upright() -> None:
    assert page(pdf(sized(72, 36) + b" /Rotate 90")).image.size == (72, 144)


# Folders, order and names.


def test_folders_are_read_in_natural_order_with_subfolders(tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    (tmp_path / ".cache").mkdir()
    for name in ("page10.png", "page2.png", "b/x.PNG", ".hidden.png", ".cache/y.png"):
        corners().save(tmp_path / name)
    (tmp_path / "notes.txt").write_text("not a picture")
    assert [p.name for p in open_strictly(tmp_path)] == ["x", "page2", "page10"]


def test_names_are_unique_whatever_the_case(tmp_path: Path) -> None:
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
    corners().save(tmp_path / "a/x.png")
    corners().save(tmp_path / "b/X.png")
    (tmp_path / "x.pdf").write_bytes(pdf(sized(9, 9), sized(9, 9)))
    corners().save(tmp_path / "x~3-1.png")
    assert [p.name for p in open_strictly(tmp_path)] == ["x", "X~2", "x~3-1", "x~3-2", "x~3-1~2"]


@given(st.lists(st.integers(0, 10**6), min_size=2, unique=True))
@settings(max_examples=30, deadline=None)
def test_natural_order_is_the_order_of_the_numbers(
    tmp_path_factory: pytest.TempPathFactory, numbers: list[int]
) -> None:
    folder = tmp_path_factory.mktemp("numbers")
    for number in numbers:
        (folder / f"page{number}.png").touch()
    assert [int(path.stem[4:]) for path in list_files(folder)] == sorted(numbers)


def test_one_bad_file_does_not_stop_the_others(tmp_path: Path) -> None:
    corners().save(tmp_path / "1.png")
    (tmp_path / "2.png").write_bytes(b"junk")
    corners().save(tmp_path / "3.png")
    assert [type(item) for item in open_documents(tmp_path)] == [Page, Failure, Page]


def test_one_bad_page_does_not_stop_the_others() -> None:
    items = list(
        open_documents(pdf(sized(72, 72), sized(9000, 9000), sized(72, 72)), DocumentOptions(max_pixels=10**6))
    )
    assert [(type(item), item.page) for item in items] == [(Page, 1), (Failure, 2), (Page, 3)]


def test_nothing_is_opened_before_it_is_asked_for(tmp_path: Path) -> None:
    corners().save(tmp_path / "1.png")
    pages = open_documents([tmp_path / "1.png", tmp_path / "2.png"])
    next(pages)
    corners().save(tmp_path / "2.png")
    assert isinstance(next(pages), Page)


def test_strict_opening_raises_the_first_failure() -> None:
    pages = open_strictly([corners(), b"junk"])
    next(pages)
    with pytest.raises(UserError, match="image 2"):
        next(pages)


# What must be refused, in one line that names the file and a remedy.


def test_missing(tmp_path: Path) -> None:
    assert failure(tmp_path / "no.png") == f"{tmp_path}/no.png: no such file or folder; check the path"


def test_an_address_is_not_fetched() -> None:
    assert "download it first" in failure("https://example.org/a.png")


def test_a_dangling_link(tmp_path: Path) -> None:
    (tmp_path / "a.png").symlink_to(tmp_path / "gone.png")
    assert "leads nowhere" in failure(tmp_path / "a.png")


def test_a_device_or_pipe(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert "neither a file nor a folder" in failure(tmp_path / "pipe")


def test_a_file_name_no_system_takes() -> None:
    assert failure("x" * 5000)


def test_unreadable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    corners().save(tmp_path / "a.png")

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)  # not chmod, which does not bind the superuser
    assert failure(tmp_path / "a.png").startswith(f"{tmp_path}/a.png: no permission")


def test_not_a_picture(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_text("hello")
    assert failure(tmp_path / "a.png").startswith(f"{tmp_path}/a.png: neither a PDF nor a picture")


def test_postscript_is_not_run() -> None:
    assert "neither a PDF nor a picture" in failure(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\nshowpage\n")


def test_zero_sized(tmp_path: Path) -> None:
    (tmp_path / "a.png").touch()
    assert "empty (0 bytes)" in failure(tmp_path / "a.png")


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "TIFF", "WEBP", "GIF", "BMP"])
def test_truncated(kind: str) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
    data = saved(Image.fromarray(noise), kind)
    assert "image 1: " in (message := failure(data[: len(data) // 2]))
    assert "copy it again" in message or "damaged from the start" in message


def test_truncated_even_where_the_program_lets_pillow_pass_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ImageFile, "LOAD_TRUNCATED_IMAGES", True)
    data = saved(Image.effect_noise((64, 64), 50), "JPEG")
    assert "cut short" in failure(data[: len(data) // 2])


def test_a_bomb_is_refused_by_its_header() -> None:
    message = failure(png_header(60000, 50000))
    assert "60000 x 50000 pixels" in message
    assert "--max-pixels" in message


def test_the_pixel_limit_may_be_raised_above_pillows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 4)
    assert page(saved(corners(), "PNG")).image.size == (12, 8)


@pytest.mark.parametrize(("limit", "read"), [(96, True), (95, False)])
def test_the_pixel_limit_is_exact(limit: int, read: bool) -> None:
    (only,) = open_documents(saved(corners(), "PNG"), DocumentOptions(max_pixels=limit))
    assert isinstance(only, Page) is read


@pytest.mark.parametrize("source", [np.zeros((8, 12), np.uint8), Image.new("L", (12, 8))], ids=["array", "pillow"])
def test_the_pixel_limit_holds_in_memory_too(source: object) -> None:
    assert "--max-pixels" in failure(source, max_pixels=95)


def test_the_pixel_limit_holds_for_later_pages_of_a_tiff() -> None:
    data = saved(Image.new("L", (2, 2)), "TIFF", save_all=True, append_images=[Image.new("L", (20, 20))])
    first, second = open_documents(data, DocumentOptions(max_pixels=100))
    assert isinstance(first, Page)
    assert "page 2" in second.message


def test_a_huge_pdf_page_is_refused_before_it_is_drawn() -> None:
    message = failure(pdf(sized(14400, 14400)))
    assert "page 1 at 144 dpi: 28800 x 28800 pixels" in message
    assert "--max-pixels" in message


def test_an_encrypted_pdf_asks_for_the_password() -> None:
    assert "give its password with --password" in failure(encrypted_pdf(b"secret"))


def test_a_wrong_password_is_called_so() -> None:
    assert "the password does not open it" in failure(encrypted_pdf(b"secret"), password="guess")


@pytest.mark.parametrize("data", [b"%PDF-1.7\njunk", pdf(sized(9, 9))[:120]], ids=["junk", "cut"])
def test_a_broken_pdf(data: bytes) -> None:
    assert "a damaged PDF" in failure(data)


@pytest.mark.parametrize("before", [b"%PDF-1.7\njunk", encrypted_pdf(b"secret")], ids=["broken", "encrypted"])
def test_a_pdf_without_pages_whatever_failed_before(before: bytes) -> None:
    first, second = open_documents([before, pdf()])
    assert "without pages" not in first.message
    assert "a PDF without pages" in second.message


def test_a_pdf_file_without_pages(tmp_path: Path) -> None:
    (tmp_path / "a.pdf").write_bytes(pdf())
    assert "a PDF without pages" in failure(tmp_path / "a.pdf")


def test_a_broken_page_of_a_pdf() -> None:
    assert "page 1: cannot be drawn" in failure(pdf(sized(9, 9)).replace(b"/Kids [3 0 R]", b"/Kids [9 0 R]"))


def test_an_empty_folder(tmp_path: Path) -> None:
    assert f"{tmp_path}: an empty folder" in failure(tmp_path)


def test_a_folder_without_pictures(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("hello")
    assert "without pictures or PDFs (1 other file" in failure(tmp_path)


@pytest.mark.parametrize("source", [3, None, {"path": "a.png"}])
def test_unsupported_types(source: object) -> None:
    assert f"cannot read a {type(source).__name__}" in failure(source)


@pytest.mark.parametrize(
    "array",
    [np.zeros((2, 2), np.float32), np.zeros((2, 2, 5), np.uint8), np.zeros(4, np.uint8), np.zeros((0, 4), np.uint8)],
)
def test_arrays_that_are_no_pictures(array: np.ndarray) -> None:
    assert "image 1: " in (message := failure(array))
    assert "is no picture; give" in message


@pytest.mark.parametrize("options", [{"max_pixels": 0}, {"dpi": 0}, {"dpi": float("nan")}, {"dpi": 10**6}])
def test_senseless_options_are_refused(options: dict) -> None:
    with pytest.raises(UserError, match="--"):
        DocumentOptions(**options)


def test_the_password_is_not_shown() -> None:
    assert "secret" not in repr(DocumentOptions(password="secret"))


def test_pillows_settings_are_left_as_they_were(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 123)
    monkeypatch.setattr(ImageFile, "LOAD_TRUNCATED_IMAGES", True)
    list(open_documents([saved(corners(), "PNG"), b"junk"]))
    assert (Image.MAX_IMAGE_PIXELS, ImageFile.LOAD_TRUNCATED_IMAGES) == (123, True)
