"""Every parser on hostile text: it raises `AnswerError` or nothing, and its time is linear."""

import contextlib
import gc
import itertools
import json
import time
from collections.abc import Callable, Iterator

import pytest
from hypothesis import HealthCheck, given, settings

from dsocr_jax.answers import KINDS, AnswerError, check_label
from dsocr_jax.answers.geometry import parse_figure
from dsocr_jax.answers.grounding import parse_grounding, scan_grounding
from dsocr_jax.answers.html_tables import find_tables
from dsocr_jax.answers.smiles import parse_smiles
from dsocr_jax.answers.table_forms import to_csv, to_records
from dsocr_jax.answers.tables import parse_table, write_table
from dsocr_jax.answers.text import normalise_text
from dsocr_jax.answers.understand import relinked, understand
from dsocr_jax.prompts import PROMPTS
from dsocr_jax.reading.results import describe
from tests.dsocr_jax.answers import hostile

SIZE = (800, 600)


def read_all(text: str) -> None:
    """Understand a text and make everything of it that is text."""
    for name in ("figure", "markdown"):
        result = understand(text, PROMPTS[name], SIZE)
        relinked(result, "x/").encode()
        json.dumps(describe(result))
        for found in result.tables:
            write_table(found.table), to_csv(found.table), to_records(found.table)


PARSERS: dict[str, Callable[[str], object]] = {
    "chart table": parse_table,
    "tables of a page": find_tables,
    "grounding": parse_grounding,
    "grounding, tolerant": scan_grounding,
    "figure": parse_figure,
    "text": normalise_text,
    "understand": lambda text: understand(text, PROMPTS["figure"], SIZE),
}


@settings(max_examples=400, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(hostile.hostile())
def test_no_parser_raises_anything_but_its_own_error(text: str):
    for parse in (*PARSERS.values(), parse_smiles):
        with contextlib.suppress(AnswerError):
            parse(text)
    for kind in KINDS:
        with contextlib.suppress(AnswerError):
            check_label(kind, text)


@settings(max_examples=400, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(hostile.hostile())
def test_everything_made_of_any_text_can_be_written(text: str):
    read_all(text)


@pytest.mark.parametrize(
    "piece", ["<table><tr><td>", "[", "<|ref|>", "\x00", "a\u0301", "<td colspan=1000>", "{line_type"]
)
def test_a_megabyte_is_understood(piece: str):
    read_all(piece * (1_000_000 // len(piece)))
    read_all(piece * (1_200_000 // len(piece)))


@pytest.fixture
def no_collection() -> Iterator[None]:
    """Keep the garbage collector, which looks at all that other tests have made, out of the times."""
    gc.disable()
    yield
    gc.enable()


def seconds(parse: Callable[[str], object], text: str, runs: int = 3) -> float:
    """Return the processor time of the fastest of several runs."""

    def once() -> float:
        start = time.process_time()
        with contextlib.suppress(AnswerError):
            parse(text)
        return time.process_time() - start

    return min(once() for _ in range(runs))


@pytest.mark.usefixtures("no_collection")
@pytest.mark.parametrize("name", PARSERS)
def test_four_times_the_text_takes_less_than_eight_times_as_long(name: str):
    parse, size = PARSERS[name], 16_000 if name == "figure" else 50_000
    # `understand` calls the others, which are tested in the middle of their work themselves.
    before = ("", "{line_type") if name == "understand" else hostile.BEFORE

    def text(start: str, piece: str, length: int) -> str:
        return start + piece * (length // len(piece))

    cases = list(itertools.product(before, hostile.REPEATED))
    # All are run once; a parser that is slow on one of them has it among the slowest, and only these are looked at.
    cases.sort(key=lambda case: -seconds(parse, text(*case, 4 * size), runs=1))
    for case in cases[:5]:
        long, short = (seconds(parse, text(*case, length)) for length in (4 * size, size))
        assert long < max(8 * short, 0.02), case


@pytest.mark.usefixtures("no_collection")
def test_a_quadratic_parser_would_be_found():
    def quadratic(text: str) -> None:
        for at in range(0, len(text), 50):
            text.count("<", at)

    assert seconds(quadratic, "x" * 200_000) > 8 * seconds(quadratic, "x" * 50_000)
