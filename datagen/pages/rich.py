"""Text in its three forms at once: as typst sets it, as it is read, as Markdown."""

from collections.abc import Iterable
from dataclasses import dataclass

from datagen.pages.formulas import Formula

_SUPERSCRIPT = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")
_QUOTED = str.maketrans({"\\": "\\\\", '"': '\\"', "\n": "\\n"})


@dataclass(frozen=True)
class Rich:
    """A piece of text; ``typst`` is markup, the others are what the labels say."""

    typst: str
    plain: str
    markdown: str

    def __add__(self, other: "Rich") -> "Rich":
        return Rich(self.typst + other.typst, self.plain + other.plain, self.markdown + other.markdown)


def quote(text: str) -> str:
    """Return ``text`` as a string of typst's language."""
    return f'"{text.translate(_QUOTED)}"'


def plain(text: str) -> Rich:
    """Return text without any form."""
    return Rich(f"#{quote(text)}", text, text)


def strong(text: str) -> Rich:
    """Return bold text."""
    return Rich(f"#strong({quote(text)})", text, f"**{text}**")


def emphasised(text: str) -> Rich:
    """Return italic text."""
    return Rich(f"#emph({quote(text)})", text, f"*{text}*")


def mathematical(formula: Formula) -> Rich:
    r"""Return a formula within a line; LaTeX between ``\(`` and ``\)`` in the labels."""
    latex = rf"\({formula.latex}\)"
    return Rich(f"#box[${formula.typst}$]", latex, latex)


def note_mark(number: int) -> Rich:
    """Return the mark of a footnote."""
    sign = str(number)
    return Rich(f"#super({quote(sign)})", sign.translate(_SUPERSCRIPT), f"[^{number}]")


def broken(lines: Iterable[Rich]) -> Rich:
    """Return lines one below the other."""
    lines = list(lines)
    return Rich(
        " #linebreak() ".join(line.typst for line in lines),
        "\n".join(line.plain for line in lines),
        "\n".join(line.markdown for line in lines),
    )
