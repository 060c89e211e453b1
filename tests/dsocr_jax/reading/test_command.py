"""The command: files for every page, resuming, locks, stops, statuses."""

import dataclasses
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flax import nnx
from PIL import Image

from dsocr_jax.cli import app
from dsocr_jax.errors import UserError
from dsocr_jax.reading import command
from dsocr_jax.reading.asking import Answer, ReadOptions
from dsocr_jax.reading.choose import LoopRule
from dsocr_jax.reading.command import ReadJob, run
from dsocr_jax.reading.documents import DocumentOptions, Failure, Page, expand
from dsocr_jax.reading.reader import Reader
from dsocr_jax.reading.summary import Summary
from dsocr_jax.reading.writer import AnswerFolder, JsonLines
from dsocr_jax.weights.checkpoint import save_model
from tests.dsocr_jax.reading.made_documents import pdf, saved, sized
from tests.dsocr_jax.reading.small import CONFIG, model, picture, tokenizer

OPTIONS = ReadOptions("tiny", max_new_tokens=12, loops=LoopRule(48, 3), ladder=True, rows=4, steps=8, threads=2)


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("command")
    tokenizer().inner.save(str(folder / "tokenizer.json"))
    save_model(folder / "model", CONFIG, nnx.state(model()), folder / "tokenizer.json")
    return folder / "model"


@pytest.fixture
def scans(tmp_path: Path) -> Path:
    """Three pictures, one of them blank, and a PDF of two blank pages."""
    folder = tmp_path / "scans"
    folder.mkdir()
    for number in range(2):
        picture(number).save(folder / f"{number}.png")
    Image.new("RGB", (40, 30), "white").save(folder / "2.png")
    (folder / "3.pdf").write_bytes(pdf(sized(20, 20), sized(20, 20)))
    return folder


@pytest.fixture
def job(checkpoint: Path, scans: Path, tmp_path: Path) -> Callable[..., ReadJob]:
    base = ReadJob(
        [str(scans)], checkpoint, tmp_path / "out", None, again=False, ordered=True, drawings=True, warm=False,
        dtype="float32", reading=OPTIONS, documents=DocumentOptions(),
    )  # fmt: skip
    return lambda **changes: dataclasses.replace(base, **changes)


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the pages that readers were given."""
    names: list[str] = []
    original = Reader.read

    def noting(self: Reader, items: Any, *rest: Any) -> Any:
        def noted() -> Any:
            for item in items:
                names.append(item.name if isinstance(item, Page) else item.message)
                yield item

        return original(self, noted(), *rest)

    monkeypatch.setattr(Reader, "read", noting)
    return names


def described(folder: Path) -> dict[str, dict[str, Any]]:
    return {file.stem: json.loads(file.read_text()) for file in folder.glob("*.json")}


def test_every_page_has_its_files(job: Callable[..., ReadJob], tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    assert run(job(jsonl=str(tmp_path / "lines.jsonl"))) == 0
    out = tmp_path / "out"
    found = described(out)
    assert sorted(found) == ["0", "1", "2", "3-1", "3-2"]
    assert sorted(file.name for file in out.glob("*.md")) == [f"{name}.md" for name in sorted(found)]
    one = found["1"]
    assert one["finish_reason"] == "length" and len(one["tokens"]) == one["answer_tokens"] == 12
    assert one["mode"] == "tiny" and one["vision_tokens"] == 3 and one["valid_vision_tokens"] == 1
    assert one["source"].endswith("scans/1.png") and one["text"]
    assert (found["2"]["text"], found["2"]["tries"], found["3-2"]["page"]) == ("", 0, 2)
    lines = [json.loads(line) for line in (tmp_path / "lines.jsonl").read_text().splitlines()]
    assert [(Path(line["source"]).name, line["page"]) for line in lines] == [
        ("0.png", None), ("1.png", None), ("2.png", None), ("3.pdf", 1), ("3.pdf", 2),
    ]  # fmt: skip
    assert lines[1]["text"] == one["text"] and lines[1]["key"] == one["key"]
    shown = capsys.readouterr()
    assert shown.out == ""
    for part in ("pages read", "of them blank", "valid", "compression", "loops", "confidence"):
        assert part in shown.err


def test_the_same_command_reads_what_is_missing(job: Callable[..., ReadJob], read: list[str], tmp_path: Path) -> None:
    run(job())
    read.clear()
    (tmp_path / "out" / "1.json").unlink()
    (tmp_path / "out" / "3-2.json").write_text('{\n "key": "of another reading')
    assert run(job()) == 0
    assert read == ["1", "3-2"]


def test_changed_pages_and_settings_are_read_again(job: Callable[..., ReadJob], read: list[str], scans: Path) -> None:
    run(job())
    read.clear()
    picture(7).save(scans / "0.png")
    run(job())
    assert read == ["0"]
    read.clear()
    run(job(reading=dataclasses.replace(OPTIONS, prompt="Read.", rows=4)))
    assert len(read) == 5
    read.clear()
    run(job(reading=dataclasses.replace(OPTIONS, prompt="Read.", threads=1, ahead=3)))  # speed alone
    assert read == []
    run(job(reading=dataclasses.replace(OPTIONS, prompt="Read."), again=True))
    assert len(read) == 5


def test_lines_are_resumed_too_and_a_cut_one_is_written_anew(
    job: Callable[..., ReadJob], read: list[str], tmp_path: Path
) -> None:
    lines = tmp_path / "lines.jsonl"
    run(job(out=None, jsonl=str(lines)))
    whole = lines.read_bytes().splitlines(keepends=True)
    lines.write_bytes(b"".join(whole[:3]) + whole[3][:-5])
    read.clear()
    assert run(job(out=None, jsonl=str(lines))) == 0
    assert read == ["3-1", "3-2"]
    assert lines.read_bytes().splitlines(keepends=True) == whole


def test_a_page_that_one_output_lacks_is_read_for_both(
    job: Callable[..., ReadJob], read: list[str], tmp_path: Path
) -> None:
    run(job())
    read.clear()
    run(job(jsonl=str(tmp_path / "lines.jsonl")))
    assert len(read) == 5


def test_failures_are_listed_and_are_tried_again(
    job: Callable[..., ReadJob], read: list[str], scans: Path, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    (scans / "bad.png").write_bytes(b"bad")
    lines = tmp_path / "lines.jsonl"
    assert run(job(sources=[str(scans), "missing.png"], jsonl=str(lines))) == 1
    shown = capsys.readouterr().err
    assert "not read:" in shown and "bad.png" in shown and "missing.png: no such file" in shown
    errors = [json.loads(line) for line in lines.read_text().splitlines() if "error" in json.loads(line)]
    assert [Path(line["source"]).name for line in errors] == ["bad.png", "missing.png"]
    read.clear()
    picture(3).save(scans / "bad.png")
    assert run(job()) == 0
    assert "bad" in read


def test_text_goes_to_standard_output_where_nothing_else_is_asked(
    job: Callable[..., ReadJob], scans: Path, capsys: pytest.CaptureFixture
) -> None:
    assert run(job(out=None, sources=[str(scans / "2.png"), str(scans / "3.pdf")])) == 0
    assert capsys.readouterr().out == "\n\n\n"


def test_a_second_reader_of_the_folder_is_refused(job: Callable[..., ReadJob], tmp_path: Path) -> None:
    held = """
import sys, time
from pathlib import Path
from dsocr_jax.reading.writer import AnswerFolder, JsonLines
with AnswerFolder(Path(sys.argv[1])).locked():
    lines = JsonLines(sys.argv[2])
    print("held", flush=True)
    time.sleep(600)
"""
    words = [sys.executable, "-c", held, str(tmp_path / "out"), str(tmp_path / "lines.jsonl")]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])}
    with subprocess.Popen(words, stdout=subprocess.PIPE, env=environment) as process:
        assert process.stdout is not None
        process.stdout.readline()
        with pytest.raises(UserError, match="another reader writes there"), AnswerFolder(tmp_path / "out").locked():
            pass
        with pytest.raises(UserError, match="another reader writes it"):
            JsonLines(str(tmp_path / "lines.jsonl"))
        process.kill()
    with AnswerFolder(tmp_path / "out").locked():  # the lock died with the process
        pass


def test_a_stop_keeps_what_was_read_and_says_how_to_go_on(
    job: Callable[..., ReadJob], read: list[str], scans: Path, tmp_path: Path, capsys: pytest.CaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    for number in range(10, 60):
        picture(number).save(scans / f"{number}.png")
    original = AnswerFolder.write
    written: list[str] = []

    def write(self: AnswerFolder, answer: Answer, *rest: Any) -> None:
        original(self, answer, *rest)
        written.append(answer.page.name)
        if len(written) == 3:
            os.kill(os.getpid(), signal.SIGTERM)

    monkeypatch.setattr(AnswerFolder, "write", write)
    assert run(job()) == 130
    assert "the same command goes on" in capsys.readouterr().err
    assert sorted(described(tmp_path / "out")) == sorted(written)
    assert 3 <= len(written) < 40
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
    read.clear()
    monkeypatch.setattr(AnswerFolder, "write", original)
    assert run(job()) == 0
    assert not set(read) & set(written)
    assert len(described(tmp_path / "out")) == 55


def test_a_full_disk_ends_the_reading_with_one_clear_line(
    job: Callable[..., ReadJob], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(self: AnswerFolder, *rest: Any) -> None:
        raise UserError("out/0.md: cannot be written (No space left on device)")

    monkeypatch.setattr(AnswerFolder, "write", full)
    with pytest.raises(UserError, match="No space left"):
        run(job())


def test_what_is_wrong_is_found_before_the_weights_are_read(
    job: Callable[..., ReadJob], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(command, "load_model", None)
    with pytest.raises(UserError, match="did you mean 'tiny'"):
        run(job(reading=dataclasses.replace(OPTIONS, mode="tinny")))
    with pytest.raises(UserError, match="nothing to read"):
        run(job(sources=[]))
    assert not (tmp_path / "out").exists()
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="cannot be made a folder"):
        run(job(out=tmp_path / "file"))


def test_patterns(tmp_path: Path) -> None:
    for name in ("a/page2.png", "a/page10.png", "b[1].png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(saved(picture(0), "PNG"))
    assert expand([f"{tmp_path}/**/p*.png"]) == [f"{tmp_path}/a/page2.png", f"{tmp_path}/a/page10.png"]
    assert expand([f"{tmp_path}/b[1].png", f"{tmp_path}/no*"]) == [f"{tmp_path}/b[1].png", f"{tmp_path}/no*"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--temperature", "-1"], "--temperature must be 0 or more"),
        (["--top-p", "0"], "--top-p must be above 0"),
        (["--rows", "0"], "--rows must be at least 1"),
        (["--dpi", "0"], "--dpi must be between"),
    ],
)
def test_numbers_that_mean_nothing(checkpoint: Path, words: list[str], said: str) -> None:
    with pytest.raises(UserError, match=said):
        app.cli(prog="dsocr", args=["read", "x.png", "--checkpoint", str(checkpoint), "--no-compile-cache", *words])


def test_the_summary_counts() -> None:
    summary = Summary(seconds=3700)
    one = Page(picture(0), "x")
    summary.add(Answer(one, "", (), (), "stop", 0, 0, tries=0), 0)
    summary.add(Answer(one, "a", (5, 6), (-0.1, -0.1), "stop", 20, 10, tries=2), 8)
    summary.add(Answer(one, "a", (5, 6, 7), (-0.1,) * 3, "repetition", 20, 10, tries=3), 8)
    for number in range(30):
        summary.fail(Failure(f"{number}", f"{number}: bad"))
    assert (summary.read, summary.blank, summary.looped, summary.looping, summary.failed) == (3, 1, 2, 1, 30)
    assert (summary.tokens, summary.vision, summary.valid, len(summary.failures)) == (5, 20, 16, 20)
    cells = [str(cell) for column in summary.table().columns for cell in column._cells]
    assert "0.31" in cells and any("1 h 1 min" in cell for cell in cells)
    assert any("100.0% of pages); 1 still did at last" in cell for cell in cells)
