"""The command: what it writes and prints, and what it refuses."""

import json
from pathlib import Path

import pytest
from PIL import Image

from dsocr_jax.errors import UserError
from dsocr_jax.memory import Turn, load
from dsocr_jax.memory.command import memory


def test_a_text_file_becomes_pages_a_table_and_a_figure(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = tmp_path / "story.txt"
    text.write_text("\ufeff" + "Once upon a time.\nThere was a page.\n\n" * 70, encoding="utf-8")
    talk = tmp_path / "talk.jsonl"
    talk.write_text(json.dumps({"role": "user", "text": "And <then>?"}) + "\n")
    out = tmp_path / "out"
    memory([text, talk], out, budget=260)
    pictures = {file.name: Image.open(file).size for file in out.glob("page-*.png")}
    assert pictures == {
        "page-00001-tiny.png": (512, 512),
        "page-00002-tiny.png": (512, 512),
        "page-00003-small.png": (640, 640),
    }
    printed = capsys.readouterr().out
    assert "257 of 260 vision tokens for 3 pages" in printed and "gone: 0 pages" in printed
    html = (out / "index.html").read_text()
    assert all(name in html for name in [*pictures, "forgetting.png"])
    Image.open(out / "forgetting.png").verify()
    turns = load(out / "memory.jsonl").turns
    assert turns[0] == Turn("Once upon a time.\nThere was a page.") and turns[-1] == Turn("And <then>?", "user")


@pytest.mark.parametrize(
    ("content", "budget", "modes", "message"),
    [
        (b"", 1000, [], "empty"),
        (b" \n\n \n", 1000, [], "empty"),
        (b"caf\xe9", 1000, [], "UTF-8"),
        (b"a", 72, [], "cannot show one page"),
        (b"a", 1000, ["gundam"], "tiles"),
        (b"a", 1000, ["huge"], "huge"),
    ],
)
def test_what_cannot_be_shown_is_refused_and_nothing_is_written(
    content: bytes, budget: int, modes: list[str], message: str, tmp_path: Path
) -> None:
    (tmp_path / "text.txt").write_bytes(content)
    with pytest.raises(UserError, match=message):
        memory([tmp_path / "text.txt"], tmp_path / "out", budget, modes=modes)
    assert not (tmp_path / "out").exists()


def test_folders_with_files_and_missing_files_are_refused(tmp_path: Path) -> None:
    (tmp_path / "text.txt").write_text("a")
    with pytest.raises(UserError, match="not an empty folder"):
        memory([tmp_path / "text.txt"], tmp_path)
    with pytest.raises(UserError, match="cannot be read"):
        memory([tmp_path / "none.txt"], tmp_path / "out")
