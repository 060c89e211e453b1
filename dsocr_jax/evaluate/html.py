"""The report for people: one HTML file with everything inside, pictures made small."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from dsocr_jax.evaluate.result import Evaluation, write_file
from dsocr_jax.evaluate.tables import Grid, counts_line
from dsocr_jax.evaluate.text import split_words

#: Words of a text that an example shows, and of which differences are sought.
MAX_WORDS = 600
#: Characters of an answer that is no text of words (a table, a figure) that an example shows.
MAX_CHARS = 4000


@dataclass(frozen=True)
class Example:
    """One page of a report.

    Attributes:
        title: what it is.
        facts: its numbers.
        picture: ``data:`` address, or empty.
        truth, answer: texts.
        words: whether differences are shown word by word.
        drawing: ``data:`` address of the answer drawn again, or empty.
    """

    title: str
    facts: str
    picture: str
    truth: str
    answer: str
    words: bool = True
    drawing: str = ""

    def parts(self) -> list[tuple[str, str]]:
        """Return what is shown of the truth and the answer: (text, kind), kinds as in `marked`."""
        if self.words:
            return marked(self.answer, self.truth)
        return [(_cut(self.truth), "truth"), (_cut(self.answer), "answer")]


def marked(answer: str, truth: str) -> list[tuple[str, str]]:
    """Return pieces of text with their kinds: ``same``, ``gone`` (in the truth alone) or ``new`` (in the answer alone).

    >>> marked("a big cat", "a cat sat")
    [('a', 'same'), ('big', 'new'), ('cat', 'same'), ('sat', 'gone')]
    """
    from rapidfuzz.distance import Levenshtein

    all_read, all_true = split_words(answer, truth)
    true, read = all_true[:MAX_WORDS], all_read[:MAX_WORDS]
    pieces: list[tuple[str, str]] = []
    for code in Levenshtein.opcodes(true, read):
        gone, new = " ".join(true[code.src_start : code.src_end]), " ".join(read[code.dest_start : code.dest_end])
        if code.tag == "equal":
            pieces.append((gone, "same"))
            continue
        pieces += [(gone, "gone")] if gone else []
        pieces += [(new, "new")] if new else []
    if max(len(all_true), len(all_read)) > MAX_WORDS:
        pieces.append((f"(the first {MAX_WORDS} words are shown)", "note"))
    return pieces


def write_html(
    evaluation: Evaluation,
    grids: Sequence[Grid],
    folder: Path,
    plots: Sequence[tuple[str, str]] = (),
    examples: Sequence[Example] = (),
    remarks: Sequence[str] = (),
) -> Path:
    """Write ``report.html``.

    Args:
        evaluation: the result.
        grids: tables, the first of them the result's own.
        folder: takes the file.
        plots: (title, ``data:`` address).
        examples: pages to show.
        remarks: lines at the end.

    Raises:
        UserError: it cannot be written.
    """
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("dsocr_jax.evaluate", "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    page = environment.get_template("evaluation.html.jinja").render(
        evaluation=evaluation,
        counts=counts_line(evaluation.counts),
        grids=grids,
        plots=plots,
        examples=examples,
        remarks=remarks,
    )
    return write_file(folder / "report.html", page)


def _cut(text: str) -> str:
    return text if len(text) <= MAX_CHARS else f"{text[:MAX_CHARS]} ... ({len(text)} characters)"
