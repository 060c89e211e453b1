"""Texts, formulas and tables in the form in which they are compared."""

import contextlib
import doctest

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsocr_jax.answers import AnswerError
from dsocr_jax.evaluate.documents import html_tables, latex, normal
from dsocr_jax.evaluate.documents.html_tables import FRAME, normal_table, table_tree
from dsocr_jax.evaluate.documents.latex import plain_latex
from dsocr_jax.evaluate.documents.normal import normal_formula, normal_text


@pytest.mark.parametrize("module", [normal, latex, html_tables])
def test_examples_in_the_documentation(module: object) -> None:
    result = doctest.testmod(module)  # type: ignore[arg-type]
    assert (result.failed, result.attempted > 0) == (0, True)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("## A title, with *signs*!", "Atitlewithsigns"),
        ("a\nb\tc", "abc"),
        (r"a\nb", "ab"),  # a written line end is one, too
        ("中文，标点。", "中文标点"),
        ("snake_case", "snake_case"),
        ("costs $5 and $10", "costs5and10"),
        (r"angle $\alpha_{1}$ of \( x^2 \)", "angleα_1ofx2"),
        (r"100\% of $\mathbb{R}$", "100ofℝ"),
    ],
)
def test_texts(text: str, expected: str) -> None:
    assert normal_text(text) == expected


@pytest.mark.parametrize(
    ("latex_text", "expected"),
    [
        (r"\frac{a}{b}", "ab"),
        (r"\alpha\beta x", "αβx"),
        (r"\sin \theta", "sinθ"),
        (r"\mathbf{A} \mathcal{L} \mathbb{C} \mathfrak{C}", "𝐀 ℒ ℂ ℭ"),
        (r"\mathrm{const}", "const"),
        (r"\unknown{x}\,y\%", "x y%"),
        (r"\begin{array}{lr} a & b \\ c \end{array}", "a   b   c"),
        (r"{a}_{i}", "a_i"),
        ("\\", ""),
    ],
)
def test_mathematics_as_characters(latex_text: str, expected: str) -> None:
    assert plain_latex(latex_text).strip() == expected


@given(st.text("\\{}$_^ab&mathbf frac123", max_size=40))
def test_any_text_can_be_normalised(text: str) -> None:
    assert not set("{}") & set(plain_latex(text.replace("\\", "")))
    normal_text(text)
    assert normal_formula(text) == normal_formula(text).lower()


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (r"$$ E = mc^2 $$", r"\[E=mc^2\]"),
        (r"\[ \mathbf{x} \]", r"\[{x}\]"),
        (r"\[ x \tag{14} \]", r"\[x\]"),
        (r"\[ \begin{aligned} x \end{aligned} \]", r"\[x\]"),
        (r"\[ \left( X \right) \quad . \]", r"\[(x)\]"),
    ],
)
def test_formulas_that_are_the_same(first: str, second: str) -> None:
    assert normal_formula(first).rstrip(".") == normal_formula(second)


def test_formulas_keep_what_they_say() -> None:
    assert normal_formula(r"\frac{a}{b} \geq \sqrt{c}") == r"\frac{a}{b}\geq\sqrt{c}"


def inside(table: str) -> str:
    text = normal_table(table)
    assert text.startswith(FRAME[0]) and text.endswith(FRAME[1])
    return text[len(FRAME[0]) : -len(FRAME[1])]


@pytest.mark.parametrize(
    ("table", "expected"),
    [
        ("<table>\n<thead>\n<tr>\n <th>a</th>\n</tr>\n</thead>\n</table>", "<tr><td>a</td></tr>"),
        ('<table border="1"><tr><td colspan="2" style="x: y">a</td></tr></table>', '<tr><td colspan="2">a</td></tr>'),
        ("<table><tr><td> a   b</td> <td>&lt;3</td></tr></table>", "<tr><td> a b</td> <td><3</td></tr>"),
        ("<table><tr><td>x<sup>2</sup><br>y</td></tr></table>", "<tr><td>x2<br/>y</td></tr>"),
        ("<table><tr><td>１２</td></tr></table>", "<tr><td>12</td></tr>"),
        ('<table><tr><td><math alttext="x^2"><mi>x</mi></math></td></tr></table>', "<tr><td>$x^2$</td></tr>"),
    ],
)
def test_tables_in_normal_form(table: str, expected: str) -> None:
    assert inside(table) == expected


def test_what_is_no_table() -> None:
    assert normal_table("plain text") == ""
    with pytest.raises(AnswerError, match="no cells"):
        table_tree(normal_table("<table></table>"))


def test_the_tree_of_a_table() -> None:
    tree = table_tree(
        normal_table('<table><tr><td rowspan="2">a<b>c</b></td><td></td></tr><tr><td>d</td></tr></table>')
    )
    assert [[("".join(map(str, cell.text)), cell.colspan, cell.rowspan) for cell in row] for row in tree.rows] == [
        [("a<b>c</b>", 1, 2), ("", 1, 1)], [("d", 1, 1)]
    ]  # fmt: skip
    # Two rows, three cells and one tag inside a cell.
    assert tree.nodes == 6


@given(st.text('<>/tdr able="2colspan&;', max_size=60))
def test_no_text_breaks_the_reader_of_tables(text: str) -> None:
    with contextlib.suppress(AnswerError):
        table_tree(normal_table(f"<table>{text}</table>"))
