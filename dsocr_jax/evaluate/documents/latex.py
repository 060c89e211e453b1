"""LaTeX mathematics as plain characters, as far as letters and digits are concerned.

What a comparison of words keeps is decided here: letters and digits of any script. Signs of operation are dropped by
it anyway and need no care.
"""

import re
import unicodedata


def _words(text: str) -> list[str]:
    return text.split()


_LETTERS = _words(
    "alpha α beta β gamma γ delta δ epsilon ϵ varepsilon ε zeta ζ eta η theta θ vartheta ϑ iota ι kappa κ lambda λ "
    "mu μ nu ν xi ξ omicron ο pi π varpi ϖ rho ρ varrho ϱ sigma σ varsigma ς tau τ upsilon υ phi ϕ varphi φ chi χ "
    "psi ψ omega ω Gamma Γ Delta Δ Theta Θ Lambda Λ Xi Ξ Pi Π Sigma Σ Upsilon Υ Phi Φ Psi Ψ Omega Ω "
    "ell ℓ hbar ℏ imath ı jmath ȷ Re ℜ Im ℑ aleph ℵ wp ℘ ss ß ae æ oe œ AE Æ OE Œ aa å AA Å o ø O Ø l ł L Ł"
)
#: Functions that are written with their names.
_NAMES = _words(
    "arccos arcsin arctan arg cos cosh cot coth csc deg det dim exp gcd hom inf ker lg lim liminf limsup ln log max "
    "min Pr sec sin sinh sup tan tanh"
)
#: Commands for styles of letters, and what Unicode calls them.
_STYLES = {
    "bf": "BOLD",
    "it": "ITALIC",
    "sf": "SANS-SERIF",
    "tt": "MONOSPACE",
    "bb": "DOUBLE-STRUCK",
    "cal": "SCRIPT",
    "scr": "SCRIPT",
    "frak": "FRAKTUR",
}
_WORDS = {
    **dict(zip(_LETTERS[::2], _LETTERS[1::2], strict=True)),
    **{name: name for name in _NAMES},
    "bmod": "mod",
    "pmod": "mod ",
    "%": "%",
    "_": "_",
    "&": "&",
    "$": "$",
    "#": "#",
    "{": "{",
    "}": "}",
    " ": " ",
    ",": " ",
    ";": " ",
    "!": "",
    "\\": " ",
}
_TOKEN = re.compile(r"\\([A-Za-z]+)\*?|\\(.)|([{}])|([&~])|([^\\{}&~]+)", re.DOTALL)
_STYLED = re.compile(r"\\math(bf|it|sf|tt|bb|cal|scr|frak)(?:\s*\{([^{}\\]*)\}|\s+([A-Za-z]))")
#: Commands whose first argument says how something looks, not what it is.
_HIDDEN_ARGUMENT = re.compile(
    r"\\(?:begin|end|hspace|vspace|label|tag|color|phantom|hphantom|vphantom)\*?\s*\{[^{}]*\}"
)
_ARRAY_COLUMNS = re.compile(r"(\\begin\s*\{(?:array|tabular)\}\s*)\{[^{}]*\}")


def plain_latex(text: str) -> str:
    r"""Return LaTeX mathematics as characters: Greek and styled letters, names of functions, the contents of groups.

    Unknown commands vanish, and their arguments stay.

    >>> plain_latex(r"\frac{\alpha}{x_{12}^2} + \mathrm{const}")
    'αx_12^2 + const'
    """
    text = _STYLED.sub(lambda found: "".join(_styled(sign, found[1]) for sign in found[2] or found[3] or ""), text)
    text = _HIDDEN_ARGUMENT.sub("", _ARRAY_COLUMNS.sub(r"\1", text))
    pieces = []
    after_word = False
    for word, sign, brace, blank, other in _TOKEN.findall(text):
        if other:
            # A blank behind a command only ends its name.
            pieces.append(other.lstrip() if after_word else other)
        elif blank:
            pieces.append(" ")
        elif not brace:
            pieces.append(_WORDS.get(word or sign, ""))
        after_word = bool(word)
    return "".join(pieces)


def _styled(sign: str, style: str) -> str:
    """Return a letter or digit in a style, as Unicode has it; itself where it has none."""
    if not (sign.isascii() and sign.isalnum()):
        return sign
    case = "DIGIT" if sign.isdigit() else "CAPITAL" if sign.isupper() else "SMALL"
    name = unicodedata.name(sign).split()[-1]
    # A few letters were in Unicode before their alphabets were (ℝ, ℬ, ℎ).
    for family in (f"MATHEMATICAL {_STYLES[style]}", _STYLES[style].replace("FRAKTUR", "BLACK-LETTER")):
        try:
            return unicodedata.lookup(f"{family} {case} {name}")
        except KeyError:
            continue
    return sign
