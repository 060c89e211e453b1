"""One check for every label: it is in its kind's form, to the character."""

from collections.abc import Callable

from dsocr_jax.answers import geometry, grounding, smiles, tables, text
from dsocr_jax.answers.errors import AnswerError, excerpt


def _page(label: str) -> str:
    grounding.parse_grounding(label)
    return text.write_page(text.parse_page(label))


#: Kind → what reads a label of that kind and writes it again.
_REWRITE: dict[str, Callable[[str], str]] = {
    "charts": lambda label: tables.write_table(tables.parse_table(label)),
    "molecules": lambda label: smiles.write_smiles(smiles.parse_smiles(label)),
    "geometry": lambda label: geometry.write_figure(geometry.parse_figure(label)),
    "pages": _page,
}
KINDS = tuple(_REWRITE)


def check_label(kind: str, label: str) -> None:
    """Check that ``label`` is in the form of ``kind`` and that reading and writing it gives the same text.

    Args:
        kind: one of `KINDS`.
        label: the answer, without the prompt.

    Raises:
        AnswerError: the kind is unknown, the label cannot be read, or it reads but is not written in the one way that
            the form allows (numbers, order, escapes, canonical SMILES).
    """
    if kind not in _REWRITE:
        raise AnswerError(f"there is no kind {kind!r}; kinds are {', '.join(KINDS)}")
    rewritten = _REWRITE[kind](label)
    if rewritten != label:
        at = next((i for i, (a, b) in enumerate(zip(label, rewritten, strict=False)) if a != b), None)
        at = min(len(label), len(rewritten)) if at is None else at
        raise AnswerError(
            f"{kind}: at character {at} the label has {excerpt(label, at)}, rewritten it has {excerpt(rewritten, at)}"
        )
