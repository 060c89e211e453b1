"""Every kind of source comes out as the page it shows; every bad one as one clear line."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from dsocr_jax.errors import UserError
from dsocr_jax.reading.documents import DocumentOptions, Failure, Page, list_files, open_documents, open_strictly
from tests.dsocr_jax.reading.made_documents import ODD_SIZE, corners, encrypted_pdf, page, pdf, saved, sized

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
