"""Which faces a chart of a language can be set in."""

import functools

#: Pairs of a plain and a bold face.
_LATIN = {
    "sans": (("DejaVuSans", "DejaVuSans-Bold"),),
    "serif": (("STIXGeneral", "STIXGeneralBol"), ("DejaVuSerif", "DejaVuSerif-Bold")),
    "mono": (("DejaVuSansMono", "DejaVuSansMono-Bold"),),
}


@functools.lru_cache(maxsize=256)
def faces(language: str, kind: str) -> tuple[tuple[str, str], ...]:
    """Return pairs of a plain and a bold face that draw the language's script: of ``kind`` if there are any."""
    return _LATIN.get(kind, _LATIN["sans"])
