"""The grammar of every answer: each label form is written and parsed here and nowhere else.

`tables` (charts), `smiles` (molecules), `geometry` (figures), `grounding` and `text` (pages). Parsers take text from
anywhere: their limits are named constants, their time is linear, and `AnswerError` is all they raise.
"""

from dsocr_jax.answers.errors import AnswerError
from dsocr_jax.answers.labels import KINDS, check_label

__all__ = ["KINDS", "AnswerError", "check_label"]
