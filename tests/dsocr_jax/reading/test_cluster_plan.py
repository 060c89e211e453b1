"""Dividing pages into shards, and the plan's file."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsocr_jax.errors import UserError
from dsocr_jax.reading.cluster.plan import (
    MAX_FILE_PAGES,
    Plan,
    PlannedFile,
    changed_files,
    differing_settings,
    read_plan,
    write_plan,
)
from tests.dsocr_jax.reading.cluster_parts import planned

KINDS = st.one_of(
    st.tuples(st.sampled_from(["picture", "unreadable"]), st.just(1)),
    st.tuples(st.sampled_from(["pdf", "frames"]), st.integers(1, 30)),
)
FILES = st.lists(KINDS, max_size=12).map(
    lambda kinds: tuple(planned(f"/{number}", kind, pages) for number, (kind, pages) in enumerate(kinds))
)


@given(FILES, st.integers(1, 10))
def test_every_page_is_in_one_shard_in_order(files: tuple[PlannedFile, ...], shard_pages: int) -> None:
    plan = Plan({}, shard_pages, files)
    shards = plan.shards()
    expected = [
        (file.path, None if file.kind in ("picture", "unreadable") else number)
        for file in files
        for number in range(1, file.pages + 1)
    ]
    assert [place for shard in shards for place in shard.places()] == expected
    assert sum(shard.pages for shard in shards) == plan.pages == len(expected)
    assert [shard.number for shard in shards] == list(range(len(shards)))
    assert {shard.total for shard in shards} <= {len(shards)}


@given(FILES, st.integers(1, 10))
def test_shards_are_full_but_for_files_that_cannot_be_divided(files: tuple[PlannedFile, ...], shard_pages: int) -> None:
    shards = Plan({}, shard_pages, files).shards()
    for shard, following in zip(shards, [*shards[1:], None], strict=False):
        whole = [span for span in shard.spans if span.file.kind == "frames"]
        assert all(span.count == span.file.pages for span in whole)
        assert shard.pages <= shard_pages or shard.spans[-1:] == tuple(whole[-1:]) == shard.spans
        if following is not None and following.spans[0].file.kind != "frames":
            assert shard.pages >= shard_pages


def test_names_sort_as_the_shards() -> None:
    shards = Plan({}, 1, tuple(planned(f"/{number}") for number in range(11))).shards()
    assert shards[2].name == "00002-of-00011.jsonl"
    assert sorted(shard.name for shard in shards) == [shard.name for shard in shards]


@given(files=FILES)
def test_a_plan_is_read_as_it_was_written(
    files: tuple[PlannedFile, ...], tmp_path_factory: pytest.TempPathFactory
) -> None:
    file = tmp_path_factory.mktemp("plan") / "plan.jsonl"
    plan = Plan({"mode": "tiny", "rule": None}, 7, files)
    write_plan(plan, file)
    assert read_plan(file) == plan
    assert [path.name for path in file.parent.iterdir()] == ["plan.jsonl"]


def test_names_that_are_not_unicode_survive(tmp_path: Path) -> None:
    plan = Plan({}, 7, (planned("/bad-\udcff name\n\u2028.png"),))
    write_plan(plan, tmp_path / "plan.jsonl")
    assert read_plan(tmp_path / "plan.jsonl") == plan


GOOD = json.dumps(
    {"path": "/a", "size": 1, "mtime_ns": 2, "kind": "pdf", "pages": 3, "error": ""},
)


@pytest.mark.parametrize(
    "line",
    [
        "",
        "{",
        "[]",
        GOOD.replace('"/a"', "5"),
        GOOD.replace('"pdf"', '"folder"'),
        GOOD.replace('"pages": 3', '"pages": 0'),
        GOOD.replace('"pages": 3', '"pages": true'),
        GOOD.replace('"pages": 3', f'"pages": {MAX_FILE_PAGES + 1}'),
        GOOD.replace('"pdf"', '"picture"'),
        GOOD.replace('"size": 1', '"size": 1.5'),
        GOOD + "\n" + GOOD,
    ],
)
def test_a_damaged_plan_is_refused(tmp_path: Path, line: str) -> None:
    file = tmp_path / "plan.jsonl"
    write_plan(Plan({}, 7, (planned("/a", "pdf", 3),)), file)
    header = file.read_text().splitlines()[0]
    file.write_text(f"{header}\n{line}\n")
    with pytest.raises(UserError, match="not a plan that can be followed"):
        read_plan(file)
    file.write_text(f"{header}\n{GOOD}\n")
    assert read_plan(file).pages == 3


def test_differing_settings_are_named() -> None:
    plan = Plan({"mode": "tiny", "whitelist": [1, 2]}, 7, ())
    assert differing_settings(plan, {"mode": "tiny", "whitelist": (1, 2)}, 7) == []
    said = differing_settings(plan, {"mode": "base", "whitelist": (1, 2)}, 8)
    assert said == ['mode is "tiny" there and "base" here', "shard_pages is 7 there and 8 here"]


def test_every_kind_of_change_of_files_is_seen() -> None:
    plan = Plan({}, 7, (planned("/a"), planned("/b"), PlannedFile("/none", -1, 0, "unreadable", 1, "no such file")))
    same = [("/a", 1, 2), ("/b", 1, 2), ("/none", -1, 0)]
    assert changed_files(plan, same) == []
    assert changed_files(plan, [("/a", 1, 3), *same[1:]]) == ["/a has changed"]
    assert changed_files(plan, [("/a", 5, 3), *same[1:]]) == ["/a has changed (1 bytes then, 5 now)"]
    assert changed_files(plan, [*same, ("/c", 1, 2)]) == ["/c is new"]
    assert changed_files(plan, same[1:]) == ["/a is gone"]
    assert changed_files(plan, [("/a", -1, 0), *same[1:]]) == ["/a is gone"]
    assert changed_files(plan, [*same[:2], ("/none", 1, 2)]) == ["/none has changed (-1 bytes then, 1 now)"]
    assert changed_files(plan, [same[1], same[0], same[2]]) == ["the order of the sources"]
