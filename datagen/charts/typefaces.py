"""Which faces a chart of a language can be set in."""

import functools

from datagen import fonts

#: Faces that a theme asks for by name; where they lack the language's letters, its kind decides.
_NAMED = {"dejavu": ("sans", "DejaVuSans"), "stix": ("serif", "STIXGeneral"), "cm": ("serif", "cmr10")}
#: Faces of each kind that look like what office programs and newspapers use: taken so much more often than others.
_USUAL = {"NotoSans": 4, "NotoSansMedium": 1, "DejaVuSans": 1, "DejaVuSerif": 1, "STIXGeneral": 2}


@functools.lru_cache(maxsize=512)
def faces(language: str, kind: str) -> tuple[tuple[str, str], ...]:
    """Return pairs of a plain and a bold face that draw the language's letters; likelier pairs come several times.

    Args:
        language: a BCP 47 tag.
        kind: "sans", "serif" or "mono", or the name of a face that a theme asks for; only a wish.
    """
    generic, wish = _NAMED.get(kind, (kind, ""))
    known = fonts.for_language(language, generic) or fonts.for_language(language)
    if wish in known:
        known = (wish,)
    return tuple((name, fonts.bold_of(name)) for name in known for _ in range(_USUAL.get(name, 1)))
