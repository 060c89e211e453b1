"""The few words that a label adds to what is drawn, and how percentages are written, by language."""

#: Put behind the name of a series that is drawn against the second axis.
_RIGHT_AXIS = {
    "en": " (right axis)", "zh": "(右轴)", "zh-Hant": "(右軸)", "ja": "(右軸)", "ko": " (오른쪽 축)",
    "de": " (rechte Achse)",
    "fr": " (axe de droite)", "es": " (eje derecho)", "pt": " (eixo direito)", "it": " (asse destro)",
    "nl": " (rechteras)", "pl": " (prawa oś)", "cs": " (pravá osa)", "sk": " (pravá os)", "sv": " (höger axel)",
    "da": " (højre akse)",
    "nb": " (høyre akse)", "no": " (høyre akse)", "fi": " (oikea akseli)", "hu": " (jobb tengely)",
    "ro": " (axa dreaptă)",
    "ru": " (правая ось)", "uk": " (права вісь)", "bg": " (дясна ос)", "sr": " (десна оса)",
    "el": " (δεξιός άξονας)", "tr": " (sağ eksen)",
    "vi": " (trục phải)", "id": " (sumbu kanan)", "ms": " (paksi kanan)", "th": " (แกนขวา)",
    "hi": " (दायाँ अक्ष)",
    "bn": " (ডান অক্ষ)", "ar": " (المحور الأيمن)", "fa": " (محور راست)", "he": " (ציר ימני)",
    "ca": " (eix dret)",
    "hr": " (desna os)", "sl": " (desna os)", "lt": " (dešinioji ašis)", "lv": " (labā ass)",
    "et": " (parem telg)",
    "ka": " (მარჯვენა ღერძი)", "hy": " (աջ առանցք)", "sw": " (mhimili wa kulia)",
}  # fmt: skip
#: The header of values that nothing drawn gives a name to.
_VALUE = {
    "en": "value", "zh": "数值", "zh-Hant": "數值", "ja": "値", "ko": "값", "de": "Wert", "fr": "valeur",
    "es": "valor", "pt": "valor",
    "it": "valore", "nl": "waarde", "pl": "wartość", "cs": "hodnota", "sk": "hodnota", "sv": "värde",
    "da": "værdi", "nb": "verdi",
    "no": "verdi", "fi": "arvo", "hu": "érték", "ro": "valoare", "ru": "значение", "uk": "значення",
    "bg": "стойност", "sr": "вредност",
    "el": "τιμή", "tr": "değer", "vi": "giá trị", "id": "nilai", "ms": "nilai", "th": "ค่า", "hi": "मान",
    "bn": "মান", "ar": "القيمة",
    "fa": "مقدار", "he": "ערך", "ca": "valor", "hr": "vrijednost", "sl": "vrednost", "lt": "vertė",
    "lv": "vērtība", "et": "väärtus",
    "ka": "მნიშვნელობა", "hy": "արժեք", "sw": "thamani",
}  # fmt: skip
#: What stands between a number and its percent sign; nothing in the others.
_PERCENT_SPACE = frozenset(
    ("de", "fr", "es", "cs", "sk", "sv", "da", "nb", "no", "fi", "ru", "uk", "bg", "pl", "hu", "ro", "lt", "lv", "et")
)


def _of(table: dict[str, str], language: str) -> str:
    parts = language.split("-")
    while parts:
        if (text := table.get("-".join(parts))) is not None:
            return text
        parts.pop()
    return table["en"]


def right_axis(language: str) -> str:
    """Return what is put behind the name of a series on the right axis, with its space."""
    return _of(_RIGHT_AXIS, language)


def value_word(language: str) -> str:
    """Return the header of a column that nothing drawn gives a name to."""
    return _of(_VALUE, language)


def percent_suffix(language: str) -> str:
    """Return the percent sign with the space that stands before it in the language."""
    return " %" if language.partition("-")[0] in _PERCENT_SPACE else "%"
