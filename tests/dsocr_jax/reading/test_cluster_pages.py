"""From sources to files, from files to the pages of shards, from pages to lines: one line for each planned page."""

import json
import os
from pathlib import Path

import pytest
from PIL import Image

from dsocr_jax.errors import UserError
from dsocr_jax.reading.cluster import sources
from dsocr_jax.reading.cluster.lines import Tally, encode_line, line_of, tally_file, tally_of
from dsocr_jax.reading.cluster.pages import Opener
from dsocr_jax.reading.cluster.plan import Plan, PlannedFile, Shard, Span
from dsocr_jax.reading.cluster.sources import examine_files, find_files, stamps
from dsocr_jax.reading.documents import DocumentOptions, Failure, Page
from tests.dsocr_jax.reading import small
from tests.dsocr_jax.reading.cluster_parts import HashReader, planned, shard_of, shard_reader, write_inputs
from tests.dsocr_jax.reading.made_documents import encrypted_pdf, pdf, saved, sized


def names(found: list[tuple[str, str]]) -> list[str]:
    return [Path(path).name for path, _ in found]


def examine(*paths: object, **options: object) -> tuple[PlannedFile, ...]:
    return examine_files(find_files([str(path) for path in paths]), DocumentOptions(**options), 2, lambda *said: None)


def opened(*spans: Span) -> list[Page | Failure]:
    opener = Opener(DocumentOptions(), 2)
    try:
        return list(opener.open(shard_of(*spans)))
    finally:
        opener.close()


def test_sources_are_found_in_order_and_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("b10.png", "b2.png", "sub/a.pdf", "sub/notes.txt", ".hidden.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    monkeypatch.chdir(tmp_path)
    assert names(find_files(["b10.png", ".", tmp_path / "b2.png", "sub/../b2.png"])) == ["b10.png", "b2.png", "a.pdf"]
    assert names(find_files(["**/*.p*"])) == ["b2.png", "b10.png", "a.pdf"]
    assert all(Path(path).is_absolute() and not error for path, error in find_files(["."]))


def test_a_name_with_the_letters_of_a_pattern_is_itself(tmp_path: Path) -> None:
    (tmp_path / "a[1].png").touch()
    (tmp_path / "a1.png").touch()
    assert names(find_files([tmp_path / "a[1].png"])) == ["a[1].png"]


def test_what_leads_to_no_file_is_told(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    missing, nothing, empty = find_files([tmp_path / "missing.png", tmp_path / "*.png", tmp_path / "empty"])
    assert "no such file" in missing[1] and "no such file" in nothing[1] and "an empty folder" in empty[1]
    assert stamps([missing], 1) == [(missing[0], -1, 0)]


def test_files_are_told_apart_and_their_pages_counted(tmp_path: Path) -> None:
    folder = write_inputs(tmp_path / "in", pictures=1, pdf_pages=3)
    (folder / "secret.pdf").write_bytes(encrypted_pdf(b"word"))
    files = {Path(file.path).name: file for file in examine(folder)}
    assert {name: (file.kind, file.pages) for name, file in files.items()} == {
        "picture0.png": ("picture", 1),
        "document.pdf": ("pdf", 3),
        "scan.tiff": ("frames", 2),
        "broken.png": ("picture", 1),  # said when it is read
        "secret.pdf": ("unreadable", 1),
    }
    assert "encrypted" in files["secret.pdf"].error
    said = (folder / "picture0.png").stat()
    assert files["picture0.png"].stamp == (str(folder / "picture0.png"), said.st_size, said.st_mtime_ns)
    (secret,) = examine(folder / "secret.pdf", password="word")
    assert (secret.kind, secret.pages) == ("pdf", 1)


def test_a_file_that_claims_too_many_pages_is_not_planned(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.pdf").write_bytes(pdf(sized(9, 9), sized(9, 9), sized(9, 9)))
    monkeypatch.setattr(sources, "MAX_FILE_PAGES", 2)
    (file,) = examine(tmp_path / "a.pdf")
    assert (file.kind, file.pages) == ("unreadable", 1) and "claims 3 pages" in file.error


def test_pages_of_a_span_are_those_of_the_document(tmp_path: Path) -> None:
    folder = write_inputs(tmp_path / "in", pictures=2, pdf_pages=5)
    files = {Path(file.path).name: file for file in examine(folder)}
    pages = opened(
        Span(files["document.pdf"], 2, 3), Span(files["scan.tiff"], 1, 2), Span(files["picture1.png"], 1, 1)
    )  # fmt: skip
    assert all(isinstance(page, Page) for page in pages)
    assert [page.page for page in pages] == [2, 3, 4, 1, 2, None]
    assert [page.image.width for page in pages[:3] if isinstance(page, Page)] == [82, 84, 86]  # 41, 42, 43 points
    for page, seed in zip(pages[3:], (90, 91, 1), strict=True):
        assert isinstance(page, Page) and page.image.tobytes() == small.picture(seed).tobytes()


def test_whatever_happens_to_a_file_each_page_has_one_result(tmp_path: Path) -> None:
    folder = write_inputs(tmp_path / "in", pictures=3, pdf_pages=3)
    files = {Path(file.path).name: file for file in examine(folder, tmp_path / "missing.png")}
    (folder / "picture0.png").unlink()
    (folder / "picture1.png").write_bytes(saved(small.picture(7), "PNG"))
    os.utime(folder / "picture1.png", ns=(5, 5))
    (folder / "document.pdf").write_bytes(b"%PDF-1.4 cut short")
    stamp = files["scan.tiff"]
    Image.open(folder / "scan.tiff").save(folder / "scan.tiff")  # its first page alone
    said = (folder / "scan.tiff").stat()
    shorter = PlannedFile(stamp.path, said.st_size, said.st_mtime_ns, "frames", 2)
    spans = [Span(file, 1, file.pages) for name, file in files.items() if name != "scan.tiff"]
    results = opened(*spans, Span(stamp, 1, 2), Span(shorter, 1, 2))
    places = [(span.file.path, number) for span in spans for number in span.numbers()]
    places += [(stamp.path, 1), (stamp.path, 2)] * 2
    assert [(result.source, result.page) for result in results] == places
    said_of = {(Path(one.source).name, one.page): one.message for one in results if isinstance(one, Failure)}
    assert [Path(one.source).name for one in results if isinstance(one, Page)] == ["picture2.png", "scan.tiff"]
    assert "cannot be opened" in said_of["picture0.png", None]
    assert "changed since the plan" in said_of["picture1.png", None]
    assert "neither a PDF nor a picture" in said_of["broken.png", None]
    assert "no such file" in said_of["missing.png", None]
    assert [number for name, number in said_of if name == "document.pdf"] == [1, 2, 3]
    assert "fewer pages than planned" in said_of["scan.tiff", 2]


def test_answers_and_failures_have_lines_of_the_same_names() -> None:
    page = small.page(1)
    (answer,) = HashReader().read([page])
    good, bad = line_of("/a.pdf", 3, answer), line_of("/b", None, Failure("/b", "no such file"))
    assert list(good) == list(bad)
    assert (good["source"], good["page"], good["finish_reason"], good["error"]) == ("/a.pdf", 3, "stop", None)
    assert (good["answer_tokens"], good["prompt_tokens"], good["vision_tokens"]) == (2, 9, 4)
    assert good["confidence"] == pytest.approx(2.718281828**-0.5, abs=1e-6)
    assert (bad["text"], bad["error"]) == (None, "no such file")
    assert tally_of(good) == Tally(pages=1, answer_tokens=2, vision_tokens=4)
    assert tally_of(bad) == Tally(pages=1, failed=1)
    assert tally_of({**good, "finish_reason": "repetition"}).looped == 1
    assert tally_of({**good, "finish_reason": "length"}).cut == 1
    assert tally_of({**good, "tries": 0}).blank == 1


@pytest.mark.parametrize("name", ["/Größe 页.png", "/a\nb\u2028c.png", "/bad\udcff.png"])
def test_a_line_is_one_line_of_valid_utf8(name: str) -> None:
    line = encode_line(line_of(name, None, Failure(name, f"{name}: bad")))
    assert line.count(b"\n") == 1
    assert json.loads(line.decode("utf-8"))["source"] == name


@pytest.fixture
def written(tmp_path: Path) -> tuple[Path, Shard, Tally]:
    """A folder, and what was read into it."""
    (tmp_path / "shards").mkdir()
    (shard,) = Plan({}, 100, examine(write_inputs(tmp_path / "in", pdf_pages=0))).shards()
    told: list[int] = []
    tally = shard_reader(tmp_path / "shards").read(shard, told.append)
    assert told == list(range(1, shard.pages + 1))
    return tmp_path / "shards" / shard.name, shard, tally


def test_a_shard_is_written_whole(written: tuple[Path, Shard, Tally]) -> None:
    file, shard, tally = written
    assert [path.name for path in file.parent.iterdir()] == ["00000-of-00001.jsonl"]
    assert tally == Tally(pages=8, failed=1, answer_tokens=14, vision_tokens=28)
    assert tally_file(file, shard) == tally


@pytest.mark.parametrize(
    "harm",
    [
        lambda data: data[:-1],
        lambda data: data + b"{}\n",
        lambda data: b"".join(data.splitlines(keepends=True)[:-1]),
        lambda data: b"".join(data.splitlines(keepends=True)[::-1]),
        lambda data: data.replace(b'"tries"', b'"trees"'),
        lambda data: b"[" * 100_000,
        lambda data: b"",
    ],
)
def test_a_shard_that_is_not_what_was_planned_counts_as_missing(
    written: tuple[Path, Shard, Tally], harm: object
) -> None:
    file, shard, _ = written
    file.write_bytes(harm(file.read_bytes()))  # type: ignore[operator]
    assert tally_file(file, shard) is None


class FailingReader(HashReader):
    def read(self, pages: object) -> object:  # type: ignore[override]
        yield next(iter(super().read(pages)))  # type: ignore[arg-type]
        raise OSError(28, "No space left on device")


def test_nothing_is_left_of_a_shard_that_failed(tmp_path: Path) -> None:
    shard = shard_of(Span(planned(str(tmp_path / "a.png")), 1, 1))
    with pytest.raises(UserError, match=r"cannot be written .*make room"):
        shard_reader(tmp_path, FailingReader()).read(shard)
    assert list(tmp_path.iterdir()) == []
