import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from dsocr_jax.answers.understand import understand
from dsocr_jax.errors import UserError
from dsocr_jax.prompts import PROMPTS
from dsocr_jax.reading.results import describe, write_result

PAGE = (
    "<|ref|>title<|/ref|><|det|>[[0, 0, 999, 100]]<|/det|>\n# Report\n\n"
    "<|ref|>image<|/ref|><|det|>[[500, 500, 999, 999]]<|/det|>\n\n"
    "<table><tr><td>=1+1</td><td>b</td></tr></table>\n"
)
SIZE = (400, 200)


def picture() -> Image.Image:
    """White, the lower right quarter red."""
    image = Image.new("RGB", SIZE, "white")
    image.paste((255, 0, 0), (200, 100, 400, 200))
    return image


def names(files: list[Path], folder: Path) -> list[str]:
    return [str(file.relative_to(folder)) for file in files]


def test_a_page_is_written_whole(tmp_path: Path):
    files = write_result(understand(PAGE, PROMPTS["markdown"], SIZE), picture(), tmp_path, "page")
    assert names(files, tmp_path) == [
        "page.md",
        "images/page_0.jpg",
        "page_table_0.csv",
        "page_boxes.jpg",
        "page.json",
    ]
    assert sorted(files) == sorted(file for file in tmp_path.rglob("*") if file.is_file())
    assert (tmp_path / "page.md").read_text().startswith("# Report\n\n![](images/page_0.jpg)\n\n<table>")
    assert (tmp_path / "page_table_0.csv").read_bytes() == b"'=1+1,b\r\n"


def test_the_figure_is_what_its_box_shows(tmp_path: Path):
    write_result(understand(PAGE, PROMPTS["markdown"], SIZE), picture(), tmp_path, "page")
    with Image.open(tmp_path / "images/page_0.jpg") as figure:
        assert figure.size == (200, 100)
        assert np.asarray(figure).reshape(-1, 3).mean(0) == pytest.approx((254, 0, 0), abs=3)


def test_links_lead_to_files_whatever_the_name(tmp_path: Path):
    name = "a b (1) 文#?%"
    write_result(understand(PAGE, PROMPTS["markdown"], SIZE), picture(), tmp_path, name)
    assert "![](images/a%20b%20%281%29%20%E6%96%87%23%3F%25_0.jpg)" in (tmp_path / f"{name}.md").read_text("utf-8")
    assert (tmp_path / "images" / f"{name}_0.jpg").is_file()


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "../a", "/a", "a\0"])
def test_names_of_other_places_are_refused(tmp_path: Path, name: str):
    with pytest.raises(UserError, match="plain name"):
        write_result(understand(PAGE, PROMPTS["markdown"], SIZE), picture(), tmp_path / "out", name)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("text", ["CCO", "<table><tr><td>a</td></tr></table>"])
def test_what_was_parsed_is_redrawn(tmp_path: Path, text: str):
    files = write_result(understand(text, PROMPTS["figure"], SIZE), picture(), tmp_path, "x")
    assert "x_redrawn.png" in names(files, tmp_path)


def test_drawings_can_be_left_out(tmp_path: Path):
    result = understand(PAGE, PROMPTS["markdown"], SIZE)
    files = write_result(result, picture(), tmp_path, "page", drawings=False)
    assert "page_boxes.jpg" not in names(files, tmp_path)


def test_json_holds_everything_and_what_the_caller_adds(tmp_path: Path):
    result = understand(PAGE, PROMPTS["markdown"], SIZE)
    write_result(result, picture(), tmp_path, "page", {"source": "a.pdf", "kind": "mine"})
    read = json.loads((tmp_path / "page.json").read_text("utf-8"))
    assert read == describe(result) | {"source": "a.pdf", "kind": "mine"}
    assert read["regions"][1] == {
        "label": "image",
        "box": [500, 500, 999, 999],
        "pixels": [200, 100, 400, 200],
        "figure": 0,
    }
    assert read["tables"][0]["records"] == []


def test_a_described_figure_is_plain(tmp_path: Path):
    text = json.dumps(
        {
            "Line": {"line": ["(-8.0, 0.0) -- (8.0, 0.0)"], "line_type": ["--"], "line_endpoint": ["A: (8.0, 0.0)"]},
            "Circle": {"circle_center": ["O: (0.0, 0.0)"], "radius": [2.0]},
        }
    )
    geometry = describe(understand(text, PROMPTS["figure"], SIZE))["geometry"]
    assert json.loads(json.dumps(geometry)) == {
        "segments": [[-8.0, 0.0, 8.0, 0.0, True]],
        "points": {"A": [8.0, 0.0]},
        "circles": [{"label": "O", "center": [0.0, 0.0], "radius": 2.0}],
    }


@pytest.mark.parametrize("text", ["", "\ud800\x00", PAGE + "\udfff", "<|ref|>\ud800\x00" + PAGE[7:]])
def test_any_text_can_be_written(tmp_path: Path, text: str):
    write_result(understand(text, PROMPTS["markdown"], SIZE), picture(), tmp_path, "page")
    json.loads((tmp_path / "page.json").read_text("utf-8"))


def test_a_picture_of_another_size_is_refused(tmp_path: Path):
    with pytest.raises(ValueError, match="this one has"):
        write_result(understand(PAGE, PROMPTS["markdown"], (9, 9)), picture(), tmp_path, "page")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_made_is_an_error_for_users(tmp_path: Path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(UserError, match="cannot be written"):
        write_result(understand(PAGE, PROMPTS["markdown"], SIZE), picture(), tmp_path / "file", "page")


def test_a_figure_longer_than_jpeg_allows_is_made_smaller(tmp_path: Path):
    size = (70_000, 2)
    text = "<|ref|>image<|/ref|><|det|>[[0, 0, 999, 999]]<|/det|>"
    write_result(understand(text, PROMPTS["markdown"], size), Image.new("RGB", size), tmp_path, "page")
    with Image.open(tmp_path / "images/page_0.jpg") as figure:
        assert figure.width == 65_500
