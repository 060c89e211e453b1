import re
from pathlib import Path

import pytest
from PIL import Image

from datagen.build import Share, build
from datagen.card.text import command
from datagen.cli import app
from datagen.finish import finish
from datagen.manifest import SetConfig
from datagen.sample import GENERATOR_VERSION

pytestmark = pytest.mark.usefixtures("fake")

CONFIG = SetConfig({"pages": 60}, 5, "train", "easy", 25)


def card(directory: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in [directory / "README.md", *(directory / "card").iterdir()]}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cards")


@pytest.fixture
def built(folder: Path) -> Path:
    if not (folder / "set").exists():
        build(CONFIG, folder / "set", 1, card=True)
    return folder / "set"


def test_the_card_says_what_the_set_holds(built: Path) -> None:
    text = (built / "README.md").read_text()
    assert text.startswith("# 60 samples: pages\n")
    assert re.search(r"\| pages \| 60 \| 3 \| .* \| \d+ \([\d.]+ %\) \| \d+ \| \d+ \(", text)
    assert "| parity | odd 60 |" in text and "| a multiple of five |" in text
    assert "| numbers | nobody's |" in text  # a source and its licence
    assert f"generator {GENERATOR_VERSION}, python 3." in text
    for name in re.findall(r"\]\((card/.*?)\)", text):
        Image.open(built / name).verify()


def test_the_card_names_nothing_of_this_machine(built: Path) -> None:
    text = (built / "README.md").read_text()
    assert str(built.parent) not in text and not re.search(r"20\d\d-\d\d-\d\d", text)


def test_the_command_on_the_card_makes_the_set_again(built: Path, tmp_path: Path) -> None:
    (line,) = [line for line in (built / "README.md").read_text().splitlines() if line.startswith("dsocr-data build")]
    words = line.replace("FOLDER", str(tmp_path / "again")).split()[1:]
    app.cli(prog="dsocr-data", args=[*words, "--workers", "1", "--no-card"])
    assert (tmp_path / "again" / "manifest.json").read_bytes() == (built / "manifest.json").read_bytes()


def test_a_card_from_the_records_is_that_of_the_build(built: Path, tmp_path: Path) -> None:
    build(CONFIG, tmp_path / "set", 1)  # without a card; its notes are gone
    assert not (tmp_path / "set" / "README.md").exists()
    build(CONFIG, tmp_path / "set", 2, card=True)
    assert card(tmp_path / "set") == card(built)


def test_a_card_of_tasks_is_that_of_one_build(built: Path, tmp_path: Path) -> None:
    for index in range(2):
        build(CONFIG, tmp_path / "set", 1, share=Share(index, 2), card=True)
    assert not (tmp_path / "set" / "README.md").exists()
    finish(tmp_path / "set", 1)
    assert card(tmp_path / "set") == card(built)


def test_a_deleted_card_is_written_again(built: Path, tmp_path: Path) -> None:
    build(CONFIG, tmp_path / "set", 1, card=True)
    (tmp_path / "set" / "README.md").unlink()
    build(CONFIG, tmp_path / "set", 1, card=True)
    assert card(tmp_path / "set") == card(built)


def test_kinds_with_counts_of_their_own_have_no_command() -> None:
    assert command({**CONFIG.as_json(), "counts": {"charts": 3, "pages": 9}}).startswith("datagen.build.build(")
