"""Settings of the pages family."""

from dataclasses import dataclass

from datagen import fonts


@dataclass(frozen=True)
class Settings:
    """What pages look like. Ranges are (lowest, highest).

    Attributes:
        prose: sentences in paragraphs under headings; otherwise single words on a card.
        words: how many words are composed; what does not fit is neither drawn nor in the label.
        width: of the picture, in pixels.
        aspect: height / width.
        size: of the type, in pixels per em.
        faces: names of `fonts.names`.
        numbers: share of plain whole numbers among the words of a card.
        made_up: share of content words that are made up (prose only).
        columns: the most columns (prose only).
        tinted: share of pages on coloured paper (prose only).
    """

    prose: bool
    words: tuple[int, int]
    width: tuple[int, int]
    aspect: tuple[float, float]
    size: tuple[int, int]
    faces: tuple[str, ...]
    numbers: float = 0.0
    made_up: tuple[float, float] = (0.05, 0.5)
    columns: int = 2
    tinted: float = 0.25


SETTINGS = {
    # At 33 pixels per em the capitals of these faces are 24 pixels high: an eighth of the picture.
    "easy": Settings(
        prose=False,
        words=(1, 2),
        width=(192, 192),
        aspect=(1.0, 1.0),
        size=(33, 64),
        faces=tuple(name for name in fonts.names(italic=False) if name.startswith("DejaVu")),
        # Ten digits are learnt sooner than thousands of words.
        numbers=0.5,
    ),
    "standard": Settings(
        prose=True,
        words=(50, 600),
        width=(560, 1120),
        aspect=(0.7, 1.45),
        size=(12, 30),
        faces=fonts.names(),
    ),
}
