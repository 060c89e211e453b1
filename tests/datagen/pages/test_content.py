"""What pages say besides prose: formulas, tables, listings, in typst and in the label's form."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from datagen.pages import formulas, listings, typefaces
from datagen.pages.grids import Cell, Grid, compose_grid
from datagen.pages.languages import find
from datagen.pages.prose import Writer
from datagen.pages.rich import note_mark, quote
from datagen.pages.typeset import compile_pdf
from datagen.pages.words import Dice
from dsocr_jax.answers.html_tables import find_tables
from dsocr_jax.answers.text import normalise_text

seeds = st.integers(0, 2**32)


def dice(seed: int) -> Dice:
    return Dice(np.random.default_rng(seed))


@settings(max_examples=80, deadline=None)
@given(seeds)
def test_latex_is_balanced(seed: int) -> None:
    for write in (formulas.display, formulas.inline, formulas.arithmetic):
        latex = write(dice(seed)).latex
        depth = 0
        for sign in latex:
            depth += {"{": 1, "}": -1}.get(sign, 0)
            assert depth >= 0
        assert depth == 0
        assert latex.count(r"\begin") == latex.count(r"\end")
        assert latex == normalise_text(latex)


@pytest.mark.parametrize("write", [formulas.display, formulas.inline, formulas.arithmetic])
def test_typst_takes_every_formula(write: object) -> None:
    one = dice(5)
    lines = "\n\n".join(f"$ {write(one).typst} $" for _ in range(120))  # type: ignore[operator]
    source = f'#show math.equation: set text(font: ("New Computer Modern Math", "DejaVu Sans"))\n{lines}'
    assert compile_pdf(source, typefaces.package_folders())


@settings(max_examples=60, deadline=None)
@given(seeds, st.integers(2, 7), st.integers(2, 8), st.sampled_from(["en", "zh-Hans", "ar", "th"]))
def test_tables_are_whole_rectangles(seed: int, columns: int, rows: int, tag: str) -> None:
    one = dice(seed)
    grid = compose_grid(one, Writer(one, find(tag), 0.5, 0.3), columns, rows)
    tables, problems = find_tables(grid.rich().markdown)
    assert not problems
    (table,) = tables
    assert table.whole
    assert table.table.shape[1] == grid.columns


def test_merged_cells_are_written_as_html_does() -> None:
    rows = ((Cell("a", rows=2), Cell("b", columns=2)), (Cell("c"), Cell("d < e")))
    grid = Grid(rows, 3, 2, "all", ())
    assert grid.rich().markdown == (
        '<table><tr><td rowspan="2">a</td><td colspan="2">b</td></tr><tr><td>c</td><td>d &lt; e</td></tr></table>'
    )
    assert grid.rich().plain == "a b\nc d < e"
    assert "rowspan: 2, colspan: 1" in grid.rich().typst


@settings(max_examples=50, deadline=None)
@given(seeds)
def test_listings_survive_the_form_of_labels(seed: int) -> None:
    _, text = listings.listing(dice(seed))
    assert normalise_text(text) == text
    assert 3 <= text.count("\n") + 1 <= 12


@given(st.text(max_size=40))
def test_quoted_text_is_one_string(text: str) -> None:
    quoted = quote(text)
    assert quoted[0] == quoted[-1] == '"'
    assert quoted[1:-1].replace("\\\\", "").replace('\\"', "").count('"') == 0
    assert "\n" not in quoted


def test_marks_of_notes_are_raised_digits() -> None:
    assert (note_mark(12).plain, note_mark(12).markdown) == ("¹²", "[^12]")
