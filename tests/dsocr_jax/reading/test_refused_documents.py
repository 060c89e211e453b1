"""What cannot be opened: one line that names the file and a remedy, and nothing else is harmed."""

import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageFile

from dsocr_jax.errors import UserError
from dsocr_jax.reading.documents import DocumentOptions, Page, open_documents
from tests.dsocr_jax.reading.made_documents import corners, encrypted_pdf, failure, page, pdf, png_header, saved, sized

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
