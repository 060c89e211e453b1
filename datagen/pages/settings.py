"""Settings of the pages family."""

from dataclasses import dataclass

from datagen import fonts
from datagen.pages import typefaces
from datagen.pages.languages import find, known
from datagen.pages.mixture import Mixture, read_mixture
from dsocr_jax.errors import UserError


@dataclass(frozen=True)
class Settings:
    """What cards and plain pages of the quick engine look like. Ranges are (lowest, highest).

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
        skewed: few words are as likely as many: their number is drawn by its logarithm (prose only).
        scattered: share of pages whose words stand in no order: common and made-up ones, numbers, codes (prose only).
        letters: share of pages on which every letter and digit is a random one of its kind (prose only).
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
    skewed: bool = False
    scattered: float = 0.0
    letters: float = 0.0


#: Kinds of pages.
LAYOUTS = ("plain", "book", "report", "paper", "slide", "exam", "note", "newspaper", "receipt", "form")
#: Kinds of labels: text in reading order, Markdown, and Markdown with kinds and boxes.
LABELS = ("free", "markdown", "grounded")
#: Layouts that may hold any number of tokens.
DENSE = ("plain", "book", "report", "paper", "newspaper", "exam", "note")

#: Page text of a sample asked for, in tokens.
MAX_TOKENS = 8_000


@dataclass(frozen=True)
class PageSettings:
    """What typeset pages are like. Mixtures are ``NAME`` or ``NAME:WEIGHT``; ranges are (lowest, highest).

    Attributes:
        languages: a mixture of language tags, scripts (ISO 15924, "Arab"), and "all": every language whose fonts come
            with packages.
        layouts: a mixture of `LAYOUTS`; with ``tokens`` only those of `DENSE` are used.
        labels: a mixture of `LABELS`.
        tokens: text tokens of the label in plain text, or None: as it comes.
        tokenizer: the ``tokenizer.json`` that counts them, or None: the small one of the package.
        corpus: a file or folder of the user's own texts (``.txt``, or ``.jsonl`` with a field "text"), or None.
        corpus_language: the language tag of the corpus.
        corpus_share: share of pages whose prose is from the corpus.
        recombined: share of sentences that are walks through a language's text.
        made_up: share of sentences with words that are in no text, numbers or dates.
        width: of the picture, in pixels.
        size: of body type, in pixels per em.
        figures: how likely a place for a figure has one.
        tinted: share of pages with coloured paper or ink.
        columns: the most columns of plain pages; other layouts have their own.
        faces: typefaces to choose from, by family ("Noto Sans Arabic"); none named: all that a language has.
    """

    languages: tuple[str, ...] = ("en:30", "zh-Hans:8", "all:62")
    layouts: tuple[str, ...] = (
        *("plain:20", "book:12", "report:12", "paper:14", "slide:8", "exam:8", "note:6", "newspaper:8"),
        *("receipt:6", "form:6"),
    )
    labels: tuple[str, ...] = ("free:2", "markdown", "grounded")
    tokens: tuple[int, int] | None = None
    tokenizer: str | None = None
    corpus: str | None = None
    corpus_language: str = "en"
    corpus_share: float = 1.0
    recombined: float = 0.6
    made_up: float = 0.25
    width: tuple[int, int] = (680, 1100)
    size: tuple[int, int] = (11, 24)
    figures: float = 0.7
    tinted: float = 0.25
    columns: int = 2
    faces: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        self.language_mixture()
        layouts = self.layout_mixture().names
        if self.tokens and not set(layouts) & set(DENSE):
            raise UserError(f"pages.tokens needs a layout that holds any amount of text: {', '.join(DENSE)}.")
        self.label_mixture()
        if self.corpus_language not in known():
            raise UserError(f"pages.corpus_language is {self.corpus_language!r}; docs/languages.md lists the tags.")
        for name in ("corpus_share", "recombined", "made_up", "figures", "tinted"):
            if not 0 <= getattr(self, name) <= 1:
                raise UserError(f"pages.{name} is a share of 0 to 1, not {getattr(self, name)}.")
        for name, least, most in (("tokens", 1, MAX_TOKENS), ("width", 200, 4000), ("size", 6, 100)):
            value = getattr(self, name)
            if value is None:
                continue
            whole = isinstance(value, tuple) and len(value) == 2 and all(type(side) is int for side in value)
            if not whole or not least <= value[0] <= value[1] <= most:
                raise UserError(f"pages.{name} is a pair of whole numbers from {least} to {most}, not {value}.")

    def language_mixture(self) -> Mixture:
        """Return the mixture of language tags."""
        groups: dict[str, tuple[str, ...]] = {"all": typefaces.shipped()}
        for tag, language in known().items():
            groups[tag] = (tag,)
            if tag in groups["all"]:
                groups[language.script] = (*groups.get(language.script, ()), tag)
        for word in self.languages:
            if (name := str(word).partition(":")[0]) not in groups:
                find(name)  # says which tags are meant
        return read_mixture("languages", self.languages, groups)

    def layout_mixture(self) -> Mixture:
        """Return the mixture of layouts."""
        mixture = read_mixture("layouts", self.layouts, {name: (name,) for name in LAYOUTS})
        return mixture.only(DENSE) if self.tokens and set(mixture.names) & set(DENSE) else mixture

    def label_mixture(self) -> Mixture:
        """Return the mixture of labels."""
        return read_mixture("labels", self.labels, {name: (name,) for name in LABELS})


EASY = Settings(
    # At 33 pixels per em the capitals of these faces are 24 pixels high: an eighth of the picture.
    prose=False,
    words=(1, 2),
    width=(192, 192),
    aspect=(1.0, 1.0),
    size=(33, 64),
    faces=tuple(name for name in fonts.names(italic=False) if name.startswith("DejaVu")),
    # Ten digits are learnt sooner than thousands of words.
    numbers=0.5,
)

#: Plain pages, as the quick engine sets them.
PLAIN = Settings(
    prose=True,
    words=(50, 600),
    width=(560, 1120),
    aspect=(0.7, 1.45),
    size=(12, 30),
    faces=fonts.names(),
)

#: Clean square pages in gray whose type is as large as the text lets it be; a third of them leave nothing to guess.
MIDDLE = Settings(
    prose=True,
    words=(2, 240),
    width=(640, 640),
    aspect=(1.0, 1.0),
    size=(12, 44),
    faces=fonts.names(),
    columns=1,
    tinted=0.0,
    skewed=True,
    scattered=0.4,
    letters=0.35,
)

STANDARD = PageSettings()

SETTINGS: dict[str, Settings | PageSettings] = {"easy": EASY, "middle": MIDDLE, "standard": STANDARD}
