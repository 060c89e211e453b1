"""Documents opened ahead: the same pages as one at a time; a process that dies takes one page with it."""

import os
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from dsocr_jax.errors import UserError
from dsocr_jax.reading import pdf_pool
from dsocr_jax.reading.documents import DocumentOptions, Failure, Page, PageRef, open_documents
from dsocr_jax.reading.loading import load_documents
from dsocr_jax.reading.pdf_pool import PdfPool
from tests.dsocr_jax.reading.made_documents import corners, encrypted_pdf, pdf, png_header, saved, sized


def shown(item: Page | Failure) -> tuple[object, ...]:
    if isinstance(item, Failure):
        return item.source, item.page, item.message
    return item.source, item.page, item.pages, item.note, item.name, item.image.tobytes()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Good and bad files of every kind."""
    for name, data in {
        "a.png": saved(corners(), "PNG"),
        "b/a.jpg": saved(corners(), "JPEG"),
        "b/many.tif": saved(corners(), "TIFF", save_all=True, append_images=[corners().rotate(90)] * 2),
        "c.gif": saved(corners().convert("P"), "GIF", save_all=True, append_images=[Image.new("P", (12, 8))]),
        "d.pdf": pdf(sized(10, 20), sized(200_000, 200_000), sized(30, 30)),
        "e.pdf": pdf(),
        "f.pdf": encrypted_pdf(b"secret"),
        "g.pdf": b"%PDF-1.7\njunk",
        "h.png": b"",
        "i.png": png_header(60_000, 50_000),
        "j.tif": saved(corners(), "TIFF")[:60],
        "k.png": b"not a picture",
    }.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(data)
    return tmp_path


@pytest.mark.filterwarnings("ignore:Truncated File Read")
@pytest.mark.parametrize("threads", [1, 3])
def test_the_same_pages_as_one_at_a_time(folder: Path, threads: int) -> None:
    sources = [
        folder,
        folder / "missing.png",
        np.zeros((3, 4), np.uint8),
        pdf(sized(9, 9)),
        "c:/x",
        Image.new("L", (2, 2)),
        7,
    ]
    expected = [shown(item) for item in open_documents(sources)]
    assert [shown(item) for item in load_documents(sources, threads=threads)] == expected
    assert sum(len(one) == 3 for one in expected) == 11


def test_names_leave_room_and_are_unicode(tmp_path: Path) -> None:
    names = ["x" * 250 + ".png", "x" * 249 + "y.png", os.fsdecode(b"\xff\xe4.png")]
    for name in names:
        (tmp_path / name).write_bytes(saved(corners(), "PNG"))
    found = [item.name for item in load_documents([tmp_path / name for name in names]) if isinstance(item, Page)]
    assert len(set(found)) == 3
    assert all(len(name.encode()) <= 180 for name in found)
    assert found[2] == "\N{REPLACEMENT CHARACTER}" * 2


def test_only_wanted_pages_are_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.pdf").write_bytes(pdf(*[sized(9, 9)] * 5))
    (tmp_path / "b.png").write_bytes(saved(corners(), "PNG"))
    (tmp_path / "c.png").write_bytes(saved(corners(), "PNG"))
    asked: list[PageRef] = []

    def wanted(ref: PageRef) -> bool:
        asked.append(ref)
        return ref.name in ("a-2", "a-5", "c")

    monkeypatch.setattr("dsocr_jax.reading.loading.open_frames", only("c.png"))
    further = 0

    def found(pages: int) -> None:
        nonlocal further
        further += pages

    pages = list(load_documents(tmp_path, wanted=wanted, found=found))
    assert [page.name for page in pages if isinstance(page, Page)] == ["a-2", "a-5", "c"] and len(pages) == 3
    assert [ref.name for ref in asked] == ["a-1", "a-2", "a-3", "a-4", "a-5", "b", "c"]
    assert further == 4
    digests = {ref.source: ref.digest for ref in asked}
    assert digests[str(tmp_path / "b.png")] == digests[str(tmp_path / "c.png")] != digests[str(tmp_path / "a.pdf")]
    assert all(len(digest) == 64 for digest in digests.values())


def only(name: str):  # type: ignore[no-untyped-def]
    """Opens one file, and no other."""
    from dsocr_jax.reading.pictures import open_frames

    def opened(file: Path, *rest: object):  # type: ignore[no-untyped-def]
        assert file.name == name
        return open_frames(file, *rest)  # type: ignore[arg-type]

    return opened


def test_files_that_vanish_fail_alone(tmp_path: Path) -> None:
    for number in range(30):
        (tmp_path / f"{number}.png").write_bytes(saved(corners(), "PNG"))
    (tmp_path / "99.pdf").write_bytes(pdf(*[sized(9, 9)] * 3))
    items = load_documents(tmp_path, threads=1)
    first = next(items)
    for file in tmp_path.iterdir():
        file.unlink()
    rest = list(items)
    assert isinstance(first, Page)
    failures = [item for item in rest if isinstance(item, Failure)]
    assert len(rest) >= 30 and len(failures) >= 20
    assert all("No such file" in item.message for item in failures)


@pytest.fixture
def pool() -> Iterator[PdfPool]:
    with PdfPool(1) as made:
        yield made


def test_a_killed_process_costs_one_page(pool: PdfPool) -> None:
    document = pdf(*[sized(10, 10)] * 3)
    assert pool.count_pages(document, "a", "a.pdf", None) == 3
    process = pool._idle.get()
    assert process is not None
    os.kill(process.process.pid, signal.SIGKILL)
    process.process.wait()
    pool._idle.put(process)
    with pytest.raises(UserError, match=r"a\.pdf, page 2: the process that drew it ended \(signal 9\)"):
        pool.draw(document, "a", "a.pdf", None, 1, 72, 1000)
    assert pool.draw(document, "a", "a.pdf", None, 1, 72, 1000).size == (10, 10)


def test_a_page_that_takes_too_long_is_given_up(pool: PdfPool, monkeypatch: pytest.MonkeyPatch) -> None:
    document = pdf(sized(10, 10))
    pool.count_pages(document, "a", "a.pdf", None)
    process = pool._idle.get()
    assert process is not None
    os.kill(process.process.pid, signal.SIGSTOP)
    pool._idle.put(process)
    monkeypatch.setattr(pdf_pool, "PAGE_SECONDS", 0.2)
    with pytest.raises(UserError, match=r"its 0.2 seconds"):
        pool.draw(document, "a", "a.pdf", None, 0, 72, 1000)


def test_documents_in_memory_are_sent_anew_when_they_change(pool: PdfPool) -> None:
    small, large = pdf(sized(10, 10)), pdf(sized(20, 20), sized(20, 20))
    for key, document, pages, side in (("s", small, 1, 10), ("l", large, 2, 20), ("s", small, 1, 10)):
        assert pool.count_pages(document, key, key, None) == pages
        assert pool.draw(document, key, key, None, pages - 1, 72, 1000).size == (side, side)


def test_after_an_error_the_process_goes_on(pool: PdfPool) -> None:
    with pytest.raises(UserError, match="give its password"):
        pool.count_pages(encrypted_pdf(b"secret"), "a", "a", None)
    with pytest.raises(UserError, match="without pages"):
        pool.count_pages(pdf(), "b", "b", None)
    with pytest.raises(FileNotFoundError):
        pool.count_pages(Path("/nowhere.pdf"), "c", "c", None)
    process = pool._idle.get()
    pool._idle.put(process)
    assert process is not None and process.process.poll() is None


def test_leaving_early_ends_threads_and_processes(tmp_path: Path) -> None:
    (tmp_path / "a.pdf").write_bytes(pdf(*[sized(9, 9)] * 200))
    items = load_documents(tmp_path, DocumentOptions(), threads=2)
    next(items)
    items.close()  # type: ignore[attr-defined]
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("open")]
