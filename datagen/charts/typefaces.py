"""Which faces a chart of a language can be set in."""

import functools

from datagen import fonts

#: Faces that a theme asks for by name; where they lack the language's letters, its kind decides.
_NAMED = {"dejavu": ("sans", "DejaVuSans"), "stix": ("serif", "STIXGeneral"), "cm": ("serif", "cmr10")}
#: Faces of each kind that look like what office programs and newspapers use: taken so much more often than others.
_USUAL = {"NotoSans": 12, "NotoSans-Medium": 2, "DejaVuSans": 4, "DejaVuSerif": 2, "STIXGeneral": 4}


@functools.lru_cache(maxsize=512)
def faces(language: str, kind: str, latin: bool = False) -> tuple[tuple[str, str], ...]:
    """Return pairs of a plain and a bold face that draw the language's letters; likelier pairs come several times.

    Args:
        language: a BCP 47 tag.
        kind: "sans", "serif" or "mono", or the name of a face that a theme asks for; only a wish.
        latin: no faces that are made for Chinese, Japanese or Korean, too.
    """
    generic, wish = _NAMED.get(kind, (kind, ""))
    known = fonts.for_language(language, generic, latin=latin) or fonts.for_language(language, latin=latin)
    if wish in known:
        known = (wish,)
    # Every face has its own thousands of Chinese glyphs to be drawn: few faces, so that most are drawn already.
    known = tuple(name for name in known if not (name.startswith("NotoSansCJK") and name.endswith("-Medium")))
    return tuple((name, fonts.bold_of(name)) for name in known for _ in range(_weight(name)))


def _weight(name: str) -> int:
    """Return how often a face is taken, compared with others."""
    if name.startswith("NotoSansCJK"):
        return 1 if name.endswith("-Light") else 3
    return _USUAL.get(name, 1)
