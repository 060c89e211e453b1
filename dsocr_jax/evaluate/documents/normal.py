"""Texts and formulas brought to the form in which they are compared."""

import re
from collections.abc import Callable

from dsocr_jax.evaluate.documents.latex import plain_latex

#: A formula inside a line.
INLINE = re.compile(r"\$(.*?)\$|\\\(((?:(?!\\\().)*?)\\\)")
_ESCAPES = re.compile(r"\\[tn]|/[tn]|[\t\n]")
_NO_WORD = re.compile(r"[^\w\u4e00-\u9fff]")
_ESCAPED_SIGN = re.compile(r"\\([\\_&%^])")

_DISPLAY = re.compile(r"\\\[((?:(?!\\\[).)+?)(?<!\\)\\\]")
#: What is taken out of formulas with its argument: numbers, spaces, the names of environments.
_WITH_ARGUMENT = tuple(
    re.compile(pattern) for pattern in (r"\\(?:tag|hspace|begin|end)\{[^}\n]{0,200}\}", r"\\arraycolsep[^}\n]{0,200}\}")
)
#: What is taken out wherever it stands: fonts, spaces, sizes. The order counts, since it is done one after the other.
_TAKEN_OUT = (
    *(rf"\math{font}" for font in ("bf", "rm", "normal", "it", "bb", "cal", "scr", "frak", "sf", "tt")),
    *(r"\textbf", r"\text", r"\boldmath", r"\boldsymbol", r"\operatorname", r"\bm", r"\symbfit", r"\mathbfcal"),
    *(r"\symbf", r"\scriptscriptstyle", r"\notag", r"\setlength", r"\coloneqq", r"\space", r"\thickspace"),
    *(r"\thinspace", r"\medspace", r"\nobreakspace", r"\negmedspace", r"\quad", r"\qquad", r"\enspace", r"\substackw"),
    *(" ", "$$", r"\left", r"\right", r"\displaystyle"),
)


def normal_text(text: str) -> str:
    """Return a text as it is compared: formulas as plain characters, then letters, digits and underscores alone.

    >>> normal_text("Area: $a^2$, of *two* sides.")
    'Areaa2oftwosides'
    """
    return words_alone(_inline_formulas(text, plain_latex))


def words_alone(text: str) -> str:
    """Take everything out of a text but letters, digits and underscores."""
    return _NO_WORD.sub("", _ESCAPES.sub("", text))


def normal_formula(text: str) -> str:
    r"""Return a displayed formula as it is compared: without delimiters, fonts, spaces, sizes and numbers; lower case.

    >>> normal_formula("\\[ \\mathbf{X} = \\left( 1 \\right) \\tag{3} \\]")
    '{x}=(1)'
    """
    text = text.strip().strip("$").strip("\n")
    if found := _DISPLAY.search(text):
        text = found[1].strip()
    for pattern in _WITH_ARGUMENT:
        text = pattern.sub("", text)
    text = text.strip(".")
    for piece in _TAKEN_OUT:
        text = text.replace(piece, "")
    return text.lower()


def _inline_formulas(text: str, plain: Callable[[str], str]) -> str:
    """Replace the formulas of a line that need it (commands, indices, powers); others keep their dollar signs."""

    def replace(found: re.Match[str]) -> str:
        content = _ESCAPED_SIGN.sub("", found[1] if found[1] is not None else found[2])
        return plain(content).strip() if any(sign in content for sign in r"\^_") else found[0]

    return INLINE.sub(replace, text)
