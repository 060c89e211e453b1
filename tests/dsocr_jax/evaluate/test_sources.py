"""Pages with truths from disk: sets of ours, Fox folders, lists of pictures."""

import json
from pathlib import Path
from typing import Any

import msgpack
import pytest
from PIL import Image

from dsocr_jax.errors import UserError
from dsocr_jax.evaluate.sets import read_set
from dsocr_jax.evaluate.sources import read_source
from dsocr_jax.reading.documents import Page

FREE = "<image>\nFree OCR."


def png(path: Path, size: tuple[int, int] = (20, 10), colour: str = "white") -> bytes:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, colour).save(path)
    return path.read_bytes()


def made_set(folder: Path, records: list[dict[str, Any]], **manifest: Any) -> Path:
    """Write a set as its layout is documented; two samples a shard."""
    from array_record.python.array_record_module import ArrayRecordWriter

    folder.mkdir(parents=True, exist_ok=True)
    shards = []
    for start in range(0, len(records), 2):
        name = f"test-pages-{start // 2:05d}-of-{-(-len(records) // 2):05d}.array_record"
        writer = ArrayRecordWriter(str(folder / name), "group_size:1")
        for record in records[start : start + 2]:
            writer.write(msgpack.packb(record))
        writer.close()
        shards.append({"name": name, "kind": "pages", "records": len(records[start : start + 2])})
    whole = {
        "format": "dsocr-data 1",
        "complete": True,
        "config": {"counts": {"pages": len(records)}},
        "shards": shards,
    }
    (folder / "manifest.json").write_text(json.dumps(whole | manifest))
    return folder


def record(number: int, picture: bytes, **changes: Any) -> dict[str, Any]:
    return {
        "image": picture, "format": "png", "width": 20, "height": 10, "prompt": FREE, "label": f"page {number}",
        "kind": "pages", "meta": {"language": "en" if number % 2 else "de", "words": 2}, "id": number, "seed": 1,
    } | changes  # fmt: skip


@pytest.fixture
def pages(tmp_path: Path) -> Path:
    picture = png(tmp_path / "picture.png")
    return made_set(tmp_path / "set", [record(number, picture) for number in range(5)])


def test_a_set_gives_labels_and_opens_pictures(pages: Path) -> None:
    source = read_source(pages, "pages", "shuffled", by=("language", "script"))
    assert [item.truth for item in source.items] == [f"page {number}" for number in range(5)]
    assert [item.id for item in source.items][:2] == ["pages-00000000", "pages-00000001"]
    assert source.items[1].labels == {"language": "en"} and source.items[1].set == "shuffled"
    assert source.items[4].picture is not None and source.items[4].picture().size == (20, 10)


def test_no_more_than_wanted_are_read(pages: Path) -> None:
    assert len(read_source(pages, "pages", limit=3).items) == 3
    with pytest.raises(UserError, match="--limit"):
        read_source(pages, "pages", limit=0)


def test_samples_of_other_prompts_are_counted(tmp_path: Path) -> None:
    picture = png(tmp_path / "picture.png")
    made_set(tmp_path / "set", [record(0, picture), record(1, picture, prompt="<image>\nOther.")])
    source = read_set(tmp_path / "set", "pages", "plain", prompt=f"{FREE} ")
    assert (len(source.items), source.counts) == (1, {"other_prompts": 1})
    with pytest.raises(UserError, match="none of its 2 pages has the prompt 'What"):
        read_set(tmp_path / "set", "pages", "plain", prompt="What?")


def test_sets_that_cannot_be_evaluated(tmp_path: Path) -> None:
    made = [record(0, png(tmp_path / "picture.png"))]
    with pytest.raises(UserError, match="unfinished"):
        read_source(made_set(tmp_path / "a", made, complete=False), "pages")
    with pytest.raises(UserError, match="holds no charts but pages"):
        read_source(made_set(tmp_path / "b", made), "charts")
    with pytest.raises(UserError, match="format 'other'"):
        read_source(made_set(tmp_path / "c", made, format="other"), "pages")
    next(made_set(tmp_path / "d", made).glob("*.array_record")).unlink()
    with pytest.raises(UserError, match="1 of 1 shards are missing"):
        read_source(tmp_path / "d", "pages")
    with pytest.raises(UserError, match="strange name"):
        read_source(made_set(tmp_path / "e", made, shards=[{"name": "../x", "kind": "pages", "records": 1}]), "pages")


@pytest.mark.parametrize("broken", [{"label": 3}, {"meta": None}])
def test_a_broken_record_is_named(tmp_path: Path, broken: dict[str, Any]) -> None:
    made_set(tmp_path / "set", [record(0, b"") | broken])
    with pytest.raises(UserError, match=f"record 0: {next(iter(broken))} missing or malformed"):
        read_source(tmp_path / "set", "pages")


def test_a_picture_that_is_none_fails_when_it_is_opened(tmp_path: Path) -> None:
    (item,) = read_source(made_set(tmp_path / "set", [record(0, b"no picture")]), "pages").items
    assert item.picture is not None
    with pytest.raises(UserError, match="record 0"):
        item.picture()


def fox(folder: Path, names: list[str], missing: tuple[str, ...] = ()) -> Path:
    for name in names:
        if name not in missing:
            png(folder / "en_pdf_png" / Path(name).name)
    said = [{"image": n, "conversations": [{"value": "OCR"}, {"value": f"text of {n}"}]} for n in names]
    folder.mkdir(exist_ok=True)
    (folder / "en_page_ocr.json").write_text(json.dumps(said))
    return folder


def test_a_fox_folder(tmp_path: Path) -> None:
    source = read_source(fox(tmp_path / "fox", ["en_1.png", "en_2.png", "3.png"], missing=("en_2.png",)), "pages")
    assert [(item.id, item.truth) for item in source.items] == [
        ("en_1", "text of en_1.png"), ("en_2", "text of en_2.png"), ("en_3", "text of 3.png")
    ]  # fmt: skip
    assert [item.picture is None for item in source.items] == [False, True, False]
    assert source.counts == {"missing_pictures": 1}


def test_a_fox_entry_that_leads_elsewhere_is_missing(tmp_path: Path) -> None:
    png(tmp_path / "secret.png")
    source = read_source(fox(tmp_path / "fox", ["../../secret.png"], missing=("../../secret.png",)), "pages")
    assert source.items[0].picture is None


def test_fox_entries_of_another_form(tmp_path: Path) -> None:
    fox(tmp_path / "fox", ["1.png"])
    (tmp_path / "fox" / "en_page_ocr.json").write_text('[{"image": "1.png", "conversations": []}]')
    with pytest.raises(UserError, match="not a list of Fox's pages"):
        read_source(tmp_path / "fox", "pages")


def test_a_list_of_pictures(tmp_path: Path) -> None:
    png(tmp_path / "a.png")
    lines = [{"image": "a.png", "truth": "one", "language": "en"}, {"image": "b.png", "label": "two", "id": "second"}]
    (tmp_path / "list.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    source = read_source(tmp_path / "list.jsonl", "charts", by=("language",))
    assert [(item.id, item.truth, item.labels) for item in source.items] == [
        ("a.png", "one", {"language": "en"}), ("second", "two", {})
    ]  # fmt: skip
    assert source.counts == {"missing_pictures": 1}
    assert source.items[0].picture is not None
    assert Page(source.items[0].picture(), "a").image.size == (20, 10)


def test_other_places(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no such file or folder"):
        read_source(tmp_path / "nowhere", "pages")
    with pytest.raises(UserError, match="neither a set"):
        read_source(tmp_path, "pages")
    (tmp_path / "twice.jsonl").write_text('{"image": "a", "truth": "x"}\n' * 2)
    with pytest.raises(UserError, match="same id"):
        read_source(tmp_path / "twice.jsonl", "pages")
