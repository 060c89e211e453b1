"""Labels on contact sheets in every script."""

from typing import Any

import numpy as np
import pytest

from datagen import records, shaped, sheet
from datagen.pages.languages import known
from datagen.pages.prose import Writer
from datagen.pages.typefaces import shipped
from datagen.pages.typeset import compile_pdf
from datagen.pages.words import Dice
from datagen.sample import Sample
from datagen.shaped import draw_lines, needs_shaping

BY_SCRIPT = {known()[tag].script: tag for tag in reversed(shipped())}
INK = (25, 28, 33)


def record(label: str, **meta: Any) -> records.Record:
    sample = Sample(np.zeros((30, 40), np.uint8), "<image>\n", label, "pages", meta, 3, 5)
    return records.decode(records.encode(sample))


@pytest.mark.parametrize("script", sorted(BY_SCRIPT))
def test_every_script_has_its_signs(script: str, monkeypatch: pytest.MonkeyPatch) -> None:
    tag = BY_SCRIPT[script]
    text = Writer(Dice(np.random.default_rng(0)), known()[tag], 0.5, 0.2).paragraph(300)
    # Setting it as an archival PDF fails where a sign has no glyph.
    monkeypatch.setattr(shaped, "draw_text", compile_pdf)
    assert draw_lines(f"{text}\n[^1] 3 <|ref|>text<|/ref|>", 380, 12, 18, INK, tag)


def test_lines_are_whole_and_of_one_height() -> None:
    for count in (1, 4):
        drawn = draw_lines("\n".join(["सभी मनुष्य"] * count), 380, 12, 18, INK)
        assert drawn.shape == (18 * count, 380, 3)
        rows = (drawn < 128).any(axis=(1, 2)).reshape(count, 18)
        assert rows.any(axis=1).all()


def test_text_from_right_to_left_begins_at_the_right() -> None:
    for text, right in (("لكل إنسان", True), ("मनुष्य", False)):
        columns = np.flatnonzero((draw_lines(text, 400, 12, 18, INK) < 128).any(axis=(0, 2)))
        assert (columns.mean() > 200) == right


@pytest.mark.parametrize(
    ("text", "needed"), [("Ground 12, été", False), ("人人生而", False), ("لكل", True), ("हि", True)]
)
def test_what_needs_shaping(text: str, needed: bool) -> None:
    assert needs_shaping(text) == needed


@pytest.mark.parametrize("word", ["word ", "मनुष्य "])
def test_long_labels_end_with_a_note(word: str) -> None:
    long, short = (
        sheet.draw_label(record((word * count).strip(), language="hi"), 380, 9, 12, 18) for count in (400, 3)
    )
    assert long.size == (380, 9 * 18)
    assert short.size == (380, 18)
    assert (np.asarray(long)[-18:] < 128).any()
