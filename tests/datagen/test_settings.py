"""Settings that differ from the level's: read from words, kept in the manifest, used wherever a sample is made."""

import dataclasses
import shlex
from pathlib import Path

import fake_family
import pytest

from datagen import families
from datagen.build import build
from datagen.card.text import command
from datagen.check import check_set
from datagen.cli import app
from datagen.manifest import SetConfig, read, started, versions
from datagen.settings import parsed, read_changes
from datagen.shards import SampleSet
from dsocr_jax.errors import UserError

CONFIG = SetConfig({"pages": 6}, 1, "all", "easy", 4, "none", {"pages": {"side": 12}})


@pytest.mark.usefixtures("fake")
def test_changed_settings_are_drawn_checked_and_made_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    build(CONFIG, tmp_path / "set", 2)
    assert {record.width for record in SampleSet.open(tmp_path / "set")} == {12}
    assert read(tmp_path / "set").config["settings"]["pages"] == {"side": 12}
    found = check_set(tmp_path / "set", regenerate=6)
    assert found.remade == 6 and not [problem for problem in found.problems if "made again" in problem]


@pytest.mark.usefixtures("fake")
def test_other_settings_are_another_set(tmp_path: Path) -> None:
    build(CONFIG, tmp_path / "set", 1)
    with pytest.raises(UserError, match="changes is"):
        build(dataclasses.replace(CONFIG, changes={}), tmp_path / "set", 1)


@pytest.mark.usefixtures("fake")
def test_the_command_of_the_card_changes_the_settings(tmp_path: Path) -> None:
    words = [word.replace("FOLDER", str(tmp_path / "set")) for word in shlex.split(command(CONFIG.as_json()))[1:]]
    app.cli(prog="dsocr-data", args=[*words, "--workers", "1", "--no-card"])
    assert read(tmp_path / "set").config == CONFIG.as_json()


def test_configs_survive_json() -> None:
    config = SetConfig({"pages": 6}, 1, "all", "easy", 4, "none", {"pages": {"width": (100, 120)}})
    assert SetConfig.from_json(config.as_json()) == config


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (["pages.columns=3"], {"pages": {"columns": 3}}),
        (["pages.tinted=1", "pages.width=[100, 120]"], {"pages": {"tinted": 1, "width": (100, 120)}}),
        (["pages.faces=[]"], {"pages": {"faces": ()}}),
        ([], {}),
    ],
)
def test_words_become_settings(words: list[str], found: dict[str, dict[str, object]]) -> None:
    assert read_changes(words, "standard", ["pages"]) == found


@pytest.mark.parametrize(
    ("word", "message"),
    [
        ("pages.columns", "takes KIND.SETTING=VALUE"),
        ("columns=3", "takes KIND.SETTING=VALUE"),
        ("charts.columns=3", "the set has no 'charts'; it has pages"),
        ("pages.colums=3", "pages has no setting 'colums'; did you mean 'columns'"),
        ("pages.columns=many", 'pages.columns is 2 at the level standard; "many" is not like it'),
        ("pages.columns=true", "is not like it"),
        ("pages.tinted=[1]", "is not like it"),
    ],
)
def test_what_does_not_fit_is_refused(word: str, message: str) -> None:
    with pytest.raises(UserError) as caught:
        read_changes([word], "standard", ["pages"])
    assert message in str(caught.value)


def test_names_may_lead_into_settings_within() -> None:
    found = read_changes(["charts.content.made_up=0.5", 'charts.content.languages=[["de", 1]]'], "middle", ["charts"])
    config = SetConfig({"charts": 1}, 0, "all", "middle", 1, "none", found)
    before, after = families.load("charts").settings["middle"], config.settings("charts")
    assert after.content == dataclasses.replace(before.content, made_up=0.5, languages=(("de", 1),))
    assert after == dataclasses.replace(before, content=after.content)
    assert SetConfig.from_json(config.as_json()) == config


def test_settings_that_only_go_together_are_changed_together() -> None:
    words = ['pages.layouts=["slide"]', "pages.tokens=[20,90]"]
    with pytest.raises(UserError, match="needs a layout"):
        SetConfig({"pages": 1}, 0, "all", "standard", 1, "none", read_changes(words, "standard", ["pages"])).settings(
            "pages"
        )
    words[0] = 'pages.layouts=["slide", "note"]'
    found = read_changes(words[::-1], "standard", ["pages"])
    assert SetConfig({"pages": 1}, 0, "all", "standard", 1, "none", found).settings("pages").tokens == (20, 90)


@pytest.mark.parametrize(
    ("word", "message"),
    [
        ("charts.content.madeup=1", "charts.content has no setting 'madeup'; did you mean 'made_up'"),
        ("charts.simple.deep=1", "charts.simple has no setting 'deep'; there are none"),
        ("charts.content=1", "is not like it"),
        ("charts.content.made_up=often", "charts.content.made_up is 0.0 at the level middle"),
    ],
)
def test_names_that_lead_nowhere_are_refused(word: str, message: str) -> None:
    with pytest.raises(UserError) as caught:
        read_changes([word], "middle", ["charts"])
    assert message in str(caught.value)


def test_a_setting_that_is_none_takes_any_value() -> None:
    assert parsed("molecules", "standard", {"source": "folder"}) == {"source": "folder"}


def test_libraries_of_extras_count_only_where_they_are_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(families, "OPTIONAL_LIBRARIES", {"pages": {"columns": ("not-a-library",)}})
    without = SetConfig({"pages": 1}, 0, "all", "standard", 1, "none", {"pages": {"columns": 0}})
    used = dataclasses.replace(without, changes={"pages": {"columns": 1}})
    assert "not-a-library" not in versions(without)
    assert versions(used)["not-a-library"] == "not installed"


@pytest.mark.usefixtures("fake")
def test_files_that_settings_name_are_part_of_the_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sums = {"words.txt": "abc"}
    family = dataclasses.replace(fake_family.FAMILY, fingerprint=lambda settings: sums)
    monkeypatch.setattr(fake_family, "FAMILY", family)
    build(CONFIG, tmp_path / "set", 1)
    assert started(CONFIG).versions["words.txt"] == "abc"
    sums["words.txt"] = "def"
    with pytest.raises(UserError, match=r'the version of words\.txt is "abc" there and "def" here'):
        build(CONFIG, tmp_path / "set", 1)


def test_what_sets_and_draws_pages_stands_in_the_manifest() -> None:
    plain = SetConfig({"pages": 1}, 0, "all", "standard", 1)
    counted = SetConfig({"pages": 1}, 0, "all", "standard", 1, "none", {"pages": {"tokens": (600, 700)}})
    assert {"typst", "pypdfium2", "fonttools"} <= versions(plain).keys()
    assert versions(counted).keys() - versions(plain).keys() == {"tokenizers"}
