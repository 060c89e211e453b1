"""The manifest of a folder, bit by bit."""

import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from train import manifest


@pytest.fixture(scope="module")
def sealed(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sealed")
    (folder / "deep" / "er").mkdir(parents=True)
    (folder / "a").write_bytes(b"first")
    (folder / "deep" / "er" / "b").write_bytes(bytes(range(256)))
    (folder / "empty").touch()
    manifest.seal(folder, {"step": 3, "run": {"ä": [1, None, "x"]}})
    return folder


def test_sealed_folder_is_whole_and_keeps_what_was_noted(sealed):
    manifest.verify(sealed)
    assert manifest.read_meta(sealed) == {"step": 3, "run": {"ä": [1, None, "x"]}}


@settings(max_examples=100, deadline=None)
@given(st.sampled_from(["a", "deep/er/b", manifest.FILE]), st.data())
def test_any_flipped_bit_is_noticed(sealed, name, data):
    file = sealed / name
    before = file.read_bytes()
    bit = data.draw(st.integers(0, 8 * len(before) - 1))
    spoiled = bytearray(before)
    spoiled[bit // 8] ^= 1 << bit % 8
    try:
        file.write_bytes(spoiled)
        with pytest.raises(manifest.Damaged, match=f"^{name} has changed since it was written$"):
            manifest.verify(sealed)
    finally:
        file.write_bytes(before)


def test_several_damaged_files_are_counted(sealed, tmp_path):
    for name in ("one", "two", "three"):
        (tmp_path / name).touch()
    manifest.seal(tmp_path, {})
    (tmp_path / "one").unlink()
    (tmp_path / "three").write_bytes(b"more")
    with pytest.raises(manifest.Damaged, match=r"^one is missing \(and 1 more files\)$"):
        manifest.verify(tmp_path)


def test_everything_reaches_the_disk_before_the_manifest_does(sealed, tmp_path, monkeypatch):
    """After a power loss only what was flushed is there: files first, then the manifest, then the names."""
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "file").write_bytes(b"x")
    flushed: list[str] = []

    def fsync(number: int) -> None:
        flushed.append(os.path.relpath(Path(f"/proc/self/fd/{number}").readlink(), tmp_path))
        assert (tmp_path / manifest.FILE).exists() == (len(flushed) == 4)

    monkeypatch.setattr(os, "fsync", fsync)
    manifest.seal(tmp_path, {})
    assert flushed == ["in/file", "in", f".{manifest.FILE}.partial", "."]


def test_manifest_that_is_no_manifest_is_damage(tmp_path):
    for text in ("", "{}", "[]", "null", '{"content": 3}', "\xff"):
        (tmp_path / manifest.FILE).write_text(text, encoding="latin-1")
        with pytest.raises(manifest.Damaged, match="has changed"):
            manifest.verify(tmp_path)
