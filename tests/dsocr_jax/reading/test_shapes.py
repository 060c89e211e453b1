"""Shapes are few and known (`test_reader` checks that no other occurs); where compiled programs are kept."""

import dataclasses
from pathlib import Path

import pytest

from dsocr_jax.errors import UserError
from dsocr_jax.reading.asking import ReadOptions, plan_tries
from dsocr_jax.reading.engine import Engine, EngineOptions, Request
from dsocr_jax.reading.shapes import CACHE_VARIABLE, Shape, cache_folder, compile_shape, list_shapes
from tests.dsocr_jax.reading.small import CONFIG, example, model, tokenizer


def shapes(rows: int, *modes: str, prompt: str = "free", **options: object) -> set[Shape]:
    engine = Engine(model(), EngineOptions(rows, loops=None, **options))  # type: ignore[arg-type]
    tries = [plan_tries(ReadOptions(mode, prompt), CONFIG, tokenizer())[0] for mode in modes]
    found = list_shapes(engine, tries, tokenizer())
    assert len(set(found)) == len(found)
    return set(found)


DECODE = {1, 2, 4}


def test_one_row_reads_one_page_at_a_time() -> None:
    expected = {Shape("views", 64, 1), Shape("prompts", 128, 1), *(Shape("decode", n, 1) for n in DECODE)}
    assert shapes(1, "tiny") == expected


def test_many_rows_join_in_groups() -> None:
    found = shapes(20, "tiny", "base")
    for size in (64, 128):
        assert {one.count for one in found if (one.work, one.size) == ("views", size)} == {1, 4, 16}
    assert {one.count for one in found if one.work == "prompts"} == {1, 4, 16}
    assert {one.size for one in found if one.work == "decode"} == DECODE


def test_tiles_bring_more_views_and_long_prompts_other_lengths() -> None:
    assert {one.count for one in shapes(4, "gundam") if (one.work, one.size) == ("views", 64)} == {1, 4, 16}
    assert {one.size for one in shapes(4, "tiny", prompt="x" * 130) if one.work == "prompts"} == {256}


def test_few_prompt_tokens_at_once_mean_small_groups() -> None:
    assert {one.count for one in shapes(20, "tiny", prompt_tokens=256) if one.work == "prompts"} == {1, 4}


def test_the_kernels_need_one_width() -> None:
    assert {one.size for one in shapes(4, "tiny", kernels=True) if one.work == "decode"} == {4}


def test_prompts_without_room_are_left_out() -> None:
    assert {one.work for one in shapes(4, "tiny", prompt="x" * 300)} == {"decode"}


def test_an_engine_at_work_is_not_warmed_up() -> None:
    engine = Engine(model(), EngineOptions(2, loops=None))
    engine.add(Request(0, example(0)))
    with pytest.raises(UserError, match="at work"):
        compile_shape(engine, Shape("decode", 1, 2))


def test_shapes_say_what_they_are() -> None:
    assert str(Shape("views", 1024, 4)) == "views: 4 of 1024 pixels"
    assert dataclasses.astuple(Shape("decode", 8, 256)) == ("decode", 8, 256)


def test_the_folder_of_compiled_programs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(CACHE_VARIABLE, raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", "/somewhere")
    assert cache_folder() == Path("/somewhere/dsocr-jax/compiled")
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert cache_folder() == Path.home() / ".cache/dsocr-jax/compiled"
    monkeypatch.setenv(CACHE_VARIABLE, "/elsewhere")
    assert cache_folder() == Path("/elsewhere")
    monkeypatch.setenv(CACHE_VARIABLE, "")
    assert cache_folder() is None
