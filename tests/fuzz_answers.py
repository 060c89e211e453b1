"""Fuzz every reader of answers with atheris (extra ``fuzz``), guided by which branches a text takes.

    python -m tests.fuzz_answers -max_total_time=60

Options are libFuzzer's. A text that makes anything but `AnswerError` come out, or takes 10 seconds, is written to a
file ``crash-...`` or ``timeout-...`` and ends the run with another status than 0. pytest does not collect this file.
"""

import contextlib
import sys
import tempfile
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["dsocr_jax.answers"]):
    from dsocr_jax.answers import KINDS, AnswerError, check_label
    from dsocr_jax.answers.geometry import parse_figure
    from dsocr_jax.answers.grounding import parse_grounding
    from dsocr_jax.answers.smiles import parse_smiles
    from dsocr_jax.answers.table_forms import to_csv, to_records
    from dsocr_jax.answers.tables import parse_table, write_table
    from dsocr_jax.answers.understand import relinked, understand
    from dsocr_jax.prompts import PROMPTS

from tests.dsocr_jax.answers.hostile import PIECES, VALID

_SIZE = (800, 600)


def read(data: bytes) -> None:
    """Read one text in every way."""
    # Bytes that are no UTF-8 become lone surrogates, which an answer may hold too.
    text = data.decode("utf-8", errors="surrogateescape")
    for name in ("figure", "markdown"):
        result = understand(text, PROMPTS[name], _SIZE)
        relinked(result, "x/").encode()
        for found in result.tables:
            write_table(found.table), to_csv(found.table), to_records(found.table)
    for parse in (parse_table, parse_figure, parse_grounding, parse_smiles):
        with contextlib.suppress(AnswerError):
            parse(text)
    for kind in KINDS:
        with contextlib.suppress(AnswerError):
            check_label(kind, text)


def main() -> None:
    """Start from the valid answers and from what earlier runs kept, with the hostile pieces as words to put in."""
    folder = Path(tempfile.gettempdir(), "dsocr-fuzz-answers")
    corpus, words = folder / "corpus", folder / "words"
    corpus.mkdir(parents=True, exist_ok=True)
    for number, text in enumerate(VALID):
        (corpus / str(number)).write_text(text, encoding="utf-8")
    escaped = ("".join(f"\\x{byte:02x}" for byte in piece.encode("utf-8", "replace")) for piece in PIECES)
    words.write_text("".join(f'"{word}"\n' for word in escaped if len(word) < 200))
    options = ["-timeout=10", "-max_len=8192", f"-dict={words}", *sys.argv[1:], str(corpus)]
    atheris.Setup([sys.argv[0], *options], read)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
