r"""Formulas from a small grammar that writes each of them twice: as typst sets it, and as LaTeX for the label.

The grammar knows what textbooks print: sums, integrals, limits, fractions, roots, indices, matrices, cases, sets,
vectors. What it says need not be true, only well-formed.
"""

from collections.abc import Callable
from dataclasses import dataclass

from datagen.pages.words import Dice


@dataclass(frozen=True)
class Formula:
    """A formula in both forms, and about how wide it is, in em."""

    typst: str
    latex: str
    width: float


_LETTERS = "abcdfghknmpqrstuvwxyzABCDEFGHKLMNPQRSTVXYZ"
_GREEK = (
    ("alpha", r"\alpha"),
    ("beta", r"\beta"),
    ("gamma", r"\gamma"),
    ("delta", r"\delta"),
    ("lambda", r"\lambda"),
    ("mu", r"\mu"),
    ("pi", r"\pi"),
    ("rho", r"\rho"),
    ("sigma", r"\sigma"),
    ("tau", r"\tau"),
    ("omega", r"\omega"),
    ("theta", r"\theta"),
    ("Gamma", r"\Gamma"),
    ("Delta", r"\Delta"),
    ("Omega", r"\Omega"),
    ("phi.alt", r"\phi"),
    ("epsilon.alt", r"\epsilon"),
)
_RELATIONS = (
    ("=", "="),
    ("=", "="),
    ("=", "="),
    ("<=", r"\leq"),
    (">=", r"\geq"),
    ("<", "<"),
    ("approx", r"\approx"),
    ("!=", r"\neq"),
    ("equiv", r"\equiv"),
    ("->", r"\to"),
    ("in", r"\in"),
    ("subset", r"\subset"),
)
_OPERATORS = (("+", "+"), ("+", "+"), ("-", "-"), ("-", "-"), ("dot", r"\cdot"), ("times", r"\times"))
_FUNCTIONS = ("sin", "cos", "tan", "ln", "log", "exp", "max", "min", "det", "dim")
_NUMBER_SETS = (("RR", r"\mathbb{R}"), ("NN", r"\mathbb{N}"), ("ZZ", r"\mathbb{Z}"), ("CC", r"\mathbb{C}"))


def inline(dice: Dice) -> Formula:
    """Return a short formula for a line of text: nothing in it is much taller than the line."""
    roll = dice.roll()
    if roll < 0.25:
        return _indexed(dice)
    if roll < 0.45:
        one, two = _symbol(dice), dice.pick(_NUMBER_SETS)
        return _row(one, Formula("in", r"\in", 1.0), Formula(*two, 0.8))
    if roll < 0.6:
        return _call(dice, _symbol(dice))
    return _row(_indexed(dice), _relation(dice), _linear(dice))


def display(dice: Dice) -> Formula:
    """Return a formula that stands on a line of its own."""
    left = _call(dice, _symbol(dice)) if dice.chance(0.4) else _indexed(dice)
    right = dice.pick(_SHAPES)(dice)
    parts = [left, _relation(dice), right]
    if dice.chance(0.35):
        parts += [_operator(dice), _term(dice, 1)]
    if dice.chance(0.12):
        parts += [Formula("=", "=", 1.2), _linear(dice)]
    return _row(*parts)


def arithmetic(dice: Dice) -> Formula:
    """Return something to work out, as an exam asks for it."""
    one, two, three = (Formula(str(number), str(number), 1.0) for number in (_digits(dice) for _ in range(3)))
    roll = dice.roll()
    if roll < 0.35:
        return _row(_fraction(one, two), _operator(dice), _fraction(three, two), Formula("= ?", "= ?", 1.8))
    if roll < 0.65:
        x = Formula("x", "x", 0.6)
        square = Formula("x^2", "x^{2}", 1.0)
        return _row(
            one, square, Formula("+", "+", 1.2), two, x, Formula("-", "-", 1.2), three, Formula("= 0", "= 0", 2)
        )
    return _row(_root(one), _operator(dice), two, Formula("= ?", "= ?", 1.8))


def _row(*parts: Formula) -> Formula:
    return Formula(
        " ".join(part.typst for part in parts),
        " ".join(part.latex for part in parts),
        sum(part.width for part in parts),
    )


def _digits(dice: Dice) -> int:
    return 1 + dice.below(dice.pick((9, 20, 100)))


def _symbol(dice: Dice) -> Formula:
    if dice.chance(0.3):
        return Formula(*dice.pick(_GREEK), 0.7)
    letter = dice.pick(_LETTERS)
    return Formula(letter, letter, 0.65)


def _relation(dice: Dice) -> Formula:
    return Formula(*dice.pick(_RELATIONS), 1.5)


def _operator(dice: Dice) -> Formula:
    return Formula(*dice.pick(_OPERATORS), 1.2)


def _indexed(dice: Dice) -> Formula:
    base = _symbol(dice)
    roll = dice.roll()
    index = dice.pick(("i", "j", "k", "n", "0", "1", "2"))
    power = dice.pick(("2", "3", "n", "2", "k"))
    if roll < 0.35:
        return Formula(f"{base.typst}_{index}", f"{base.latex}_{{{index}}}", base.width + 0.4)
    if roll < 0.65:
        return Formula(f"{base.typst}^{power}", f"{base.latex}^{{{power}}}", base.width + 0.4)
    if roll < 0.75:
        both = f"{base.latex}_{{{index}}}^{{{power}}}"
        return Formula(f"{base.typst}_{index}^{power}", both, base.width + 0.4)
    if roll < 0.85:
        typst, latex = dice.pick((("hat", r"\hat"), ("overline", r"\overline"), ("arrow", r"\vec")))
        return Formula(f"{typst}({base.typst})", f"{latex}{{{base.latex}}}", base.width)
    return base


def _linear(dice: Dice) -> Formula:
    number = _digits(dice)
    return _row(Formula(str(number), str(number), 1.0), _indexed(dice), _operator(dice), _indexed(dice))


def _call(dice: Dice, argument: Formula) -> Formula:
    if dice.chance(0.5):
        name = dice.pick("fgFGPH")
        return Formula(f"{name}({argument.typst})", f"{name}({argument.latex})", argument.width + 1.6)
    name = dice.pick(_FUNCTIONS)
    return Formula(f"{name} ({argument.typst})", f"\\{name} ({argument.latex})", argument.width + 2.6)


def _term(dice: Dice, depth: int) -> Formula:
    roll = dice.roll()
    if depth and roll < 0.3:
        return _fraction(_sum_of(dice, depth - 1), _sum_of(dice, depth - 1))
    if depth and roll < 0.42:
        return _root(_sum_of(dice, depth - 1))
    if depth and roll < 0.52:
        return _call(dice, _sum_of(dice, depth - 1))
    if depth and roll < 0.62:
        inner = _sum_of(dice, depth - 1)
        return Formula(f"({inner.typst})^2", f"({inner.latex})^{{2}}", inner.width + 1.2)
    return _indexed(dice)


def _sum_of(dice: Dice, depth: int) -> Formula:
    parts = [_term(dice, depth)]
    for _ in range(dice.below(3)):
        parts += [_operator(dice), _term(dice, depth)]
    return _row(*parts)


def _fraction(top: Formula, bottom: Formula) -> Formula:
    width = max(top.width, bottom.width) + 0.3
    return Formula(f"frac({top.typst}, {bottom.typst})", rf"\frac{{{top.latex}}}{{{bottom.latex}}}", width)


def _root(inner: Formula) -> Formula:
    return Formula(f"sqrt({inner.typst})", rf"\sqrt{{{inner.latex}}}", inner.width + 0.8)


def _big(dice: Dice) -> Formula:
    typst, latex = dice.pick((("sum", r"\sum"), ("product", r"\prod"), ("sum", r"\sum")))
    index, first = dice.pick("ijkn"), dice.pick("01")
    last_typst, last_latex = dice.pick((("n", "n"), ("N", "N"), ("oo", r"\infty"), ("m", "m")))
    head = Formula(f"{typst}_({index} = {first})^{last_typst}", f"{latex}_{{{index} = {first}}}^{{{last_latex}}}", 1.6)
    return _row(head, _term(dice, 1))


def _integral(dice: Dice) -> Formula:
    variable = dice.pick("xtsu")
    low, high = (
        dice.pick((("0", "0"), ("a", "a"), ("-oo", r"-\infty"))),
        dice.pick((("1", "1"), ("b", "b"), ("oo", r"\infty"))),
    )
    head = Formula(f"integral_({low[0]})^({high[0]})", f"\\int_{{{low[1]}}}^{{{high[1]}}}", 1.4)
    return _row(head, _term(dice, 1), Formula(f"dif {variable}", rf"\, d{variable}", 1.2))


def _limit(dice: Dice) -> Formula:
    variable = dice.pick("nxkh")
    typst, latex = dice.pick((("oo", r"\infty"), ("0", "0"), ("a", "a")))
    head = Formula(f"lim_({variable} -> {typst})", rf"\lim_{{{variable} \to {latex}}}", 2.2)
    return _row(head, _fraction(_sum_of(dice, 0), _term(dice, 0)))


def _derivative(dice: Dice) -> Formula:
    of, by = dice.pick("fuyF"), dice.pick("xtz")
    if dice.chance(0.5):
        top, bottom = Formula(f"partial {of}", rf"\partial {of}", 1.2), Formula(f"partial {by}", rf"\partial {by}", 1.2)
    else:
        top, bottom = Formula(f"dif {of}", f"d{of}", 1.2), Formula(f"dif {by}", f"d{by}", 1.2)
    return _row(_fraction(top, bottom), _operator(dice), _term(dice, 1))


def _matrix(dice: Dice) -> Formula:
    rows, columns = 2 + dice.below(2), 2 + dice.below(2)
    cells = [[_cell(dice) for _ in range(columns)] for _ in range(rows)]
    typst = "; ".join(", ".join(cell.typst for cell in row) for row in cells)
    latex = r" \\ ".join(" & ".join(cell.latex for cell in row) for row in cells)
    if dice.chance(0.5):
        return Formula(f"mat({typst})", rf"\begin{{pmatrix}} {latex} \end{{pmatrix}}", columns * 1.8 + 1)
    return Formula(f'mat(delim: "[", {typst})', rf"\begin{{bmatrix}} {latex} \end{{bmatrix}}", columns * 1.8 + 1)


def _cell(dice: Dice) -> Formula:
    if dice.chance(0.5):
        return _indexed(dice)
    number = str(dice.below(20) - 5)
    return Formula(number, number, 1.0)


def _cases(dice: Dice) -> Formula:
    variable = dice.pick("xnt")
    one, two = _linear(dice), _indexed(dice)
    typst = f'cases({one.typst} & "if" {variable} > 0, {two.typst} & "if" {variable} <= 0)'
    latex = (
        rf"\begin{{cases}} {one.latex} & \text{{if }} {variable} > 0 \\ "
        rf"{two.latex} & \text{{if }} {variable} \leq 0 \end{{cases}}"
    )
    return Formula(typst, latex, one.width + 6)


def _norm(dice: Dice) -> Formula:
    inner = _sum_of(dice, 0)
    if dice.chance(0.5):
        return Formula(f"norm({inner.typst})^2", rf"\| {inner.latex} \|^{{2}}", inner.width + 1.8)
    return Formula(f"abs({inner.typst})", f"| {inner.latex} |", inner.width + 1)


def _binomial(dice: Dice) -> Formula:
    top, bottom = dice.pick("nmN"), dice.pick("kjr")
    return _row(Formula(f"binom({top}, {bottom})", rf"\binom{{{top}}}{{{bottom}}}", 1.6), _term(dice, 0))


def _plain(dice: Dice) -> Formula:
    return _sum_of(dice, 2)


_SHAPES: tuple[Callable[[Dice], Formula], ...] = (
    *(_big, _integral, _plain) * 2,
    *(_limit, _derivative, _matrix, _cases, _norm, _binomial),
)
