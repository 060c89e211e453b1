"""Every language has all the words, and numbers as its readers write them."""

import json
import string
from pathlib import Path
from typing import Any

import pytest

from datagen import fonts
from datagen.charts import content
from datagen.charts.content import LANGUAGES, STANDARD, phrases, tags
from datagen.charts.content.language import Language, language
from datagen.charts.content.topics import catalogue
from datagen.charts.data import NumberFormat
from dsocr_jax.errors import UserError

FOLDER = Path(content.__file__).with_name("languages")
ENGLISH = json.loads((FOLDER / "en.json").read_text("utf-8"))
every_language = pytest.mark.parametrize("tag", tags())

#: Names that charts need so many of, at least; others are parts of a whole, or pairs.
PLENTY = {"cities": 12, "countries": 15, "regions": 7, "companies": 9, "products": 10, "teams": 9, "divisions": 7}


def _stored(tag: str) -> dict[str, Any]:
    stored: dict[str, Any] = json.loads((FOLDER / f"{tag}.json").read_text("utf-8"))
    return stored


def _patterns(words: Language) -> list[tuple[str, set[str]]]:
    """Return every pattern of a language with the fields it may have."""
    dates = {"y", "yy", "y0", "yy0", "q", "h", "hh", "roman", "mon", "month", "m", "mm", "d", "dd", "w"}
    return [
        *((pattern, {"topic", "by", "when", "place"}) for pattern in words.titles),
        *((pattern, {"name", "unit"}) for pattern in words.y_titles),
        *((pattern, {"unit"}) for pattern in (*words.unit_only, *words.per.values())),
        *((pattern, dates) for patterns in words.dates.values() for pattern in patterns),
        (words.scaled, {"scale", "unit"}),
        (words.span, {"a", "b"}),
        (words.in_year, {"y"}),
        (words.source, {"org"}),
        (words.note, {"text"}),
        (words.age, {"a", "b"}),
        (words.age_top, {"a"}),
        (words.phrases["pair"], {"a", "b"}),
    ]


def test_english_chinese_and_more_than_ten_others() -> None:
    assert {"en", "zh"} < set(tags()) and len(tags()) >= 12


def test_shares_are_of_the_languages_there_are() -> None:
    shares = dict(LANGUAGES)
    assert STANDARD.languages == LANGUAGES and set(shares) == set(tags())
    others = {share for tag, share in shares.items() if tag not in ("en", "zh")}
    assert len(others) == 1 and shares["en"] > shares["zh"] > max(others)


@every_language
@pytest.mark.parametrize("part", ["", "topics", "pools", "phrases", "dates", "notes", "orgs", "per"])
def test_keys_are_those_of_english(tag: str, part: str) -> None:
    stored = _stored(tag)
    assert set(stored[part] if part else stored) == set(ENGLISH[part] if part else ENGLISH)


@every_language
def test_units_of_english_are_known(tag: str) -> None:
    assert set(ENGLISH["units"]) <= set(_stored(tag)["units"])


@every_language
def test_every_topic_and_organisation_of_the_catalogue_has_words(tag: str) -> None:
    words, topics = language(tag), catalogue().topics.values()
    assert {topic.key for topic in topics} | {"growth"} == set(words.topics)
    assert {topic.field for topic in topics} <= set(words.orgs)
    pools = {pool for topic in topics for pool in (*topic.by, *topic.series) if pool != "years"}
    assert pools <= set(words.pools)


@every_language
def test_names_are_enough_and_differ(tag: str) -> None:
    for key, pool in language(tag).pools.items():
        english = language("en").pools[key].names
        assert len(set(pool.names)) == len(pool.names) and all(pool.names), key
        assert len(pool.names) >= PLENTY.get(key, min(len(english), 5)), key


@every_language
def test_topics_differ(tag: str) -> None:
    names = list(language(tag).topics.values())
    assert len(set(names)) == len(names) and all(names)


@every_language
def test_calendars_are_whole(tag: str) -> None:
    words = language(tag)
    calendars = (words.months, words.months_short, words.weekdays, words.weekdays_short, words.quarters)
    assert [len(set(names)) for names in calendars] == [12, 12, 7, 7, 4]


@every_language
def test_patterns_have_no_other_fields_than_they_get(tag: str) -> None:
    for pattern, fields in _patterns(language(tag)):
        used = {name for _, name, _, _ in string.Formatter().parse(pattern) if name is not None}
        assert used <= fields and (used or not fields), pattern


@every_language
def test_each_way_to_write_a_date_tells_neighbours_apart(tag: str) -> None:
    needed = {"half_year": "h roman", "quarter": "q roman", "month": "m mm mon month", "week": "w", "hour": "h hh"}
    for kind, patterns in language(tag).dates.items():
        for pattern in patterns:
            used = {name for _, name, _, _ in string.Formatter().parse(pattern) if name}
            assert used & set(needed.get(kind, "y yy d dd").split()), pattern


@every_language
def test_every_face_of_the_language_draws_every_word(tag: str) -> None:
    text = (FOLDER / f"{tag}.json").read_text("utf-8").replace("\n", "")
    faces = {face for name in fonts.for_language(tag) for face in (name, fonts.bold_of(name))}
    assert faces and not [face for face in faces if not fonts.covers(face, text)]


@every_language
def test_scales_rise_and_have_words(tag: str) -> None:
    factors = [scale.factor for scale in language(tag).scales]
    assert factors == sorted(set(factors)) and all(s.word and s.short and s.alone for s in language(tag).scales)


@every_language
def test_phrases_are_those_of_the_file(tag: str) -> None:
    words = phrases(tag)
    assert words.value and words.right_axis.strip() == words.right_axis.lstrip()


@pytest.mark.parametrize(
    ("tag", "number", "percentage"),
    [
        ("en", "1,234,567.5", "12.5%"),
        ("zh", "1,234,567.5", "12.5%"),
        ("de", "1.234.567,5", "12,5 %"),
        ("fr", "1 234 567,5", "12,5 %"),
        ("pl", "1 234 567,5", "12,5%"),
        ("ru", "1 234 567,5", "12,5 %"),
        ("pt-BR", "1.234.567,5", "12,5%"),
        ("tr", "1.234.567,5", "%12,5"),
        ("ja", "1,234,567.5", "12.5%"),
    ],
)
def test_numbers_are_written_as_is_the_custom(tag: str, number: str, percentage: str) -> None:
    words = language(tag)
    assert NumberFormat(1, words.decimal, words.groups[0], least=words.least).text(1234567.5) == number
    before, behind = words.percent
    assert NumberFormat(1, words.decimal, prefix=before, suffix=behind).text(12.5) == percentage


@pytest.mark.parametrize(("tag", "text"), [("es", "1234"), ("pl", "1234"), ("de", "1.234"), ("en", "1,234")])
def test_four_digits_are_in_groups_where_that_is_the_custom(tag: str, text: str) -> None:
    words = language(tag)
    assert NumberFormat(0, words.decimal, words.groups[0], least=words.least).text(1234) == text


def test_a_language_without_words_is_refused() -> None:
    with pytest.raises(UserError, match="no words for charts in the language 'xx'"):
        language("xx")
