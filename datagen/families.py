"""The families by name; a family's package (and its drawing library) is imported when it is first asked for."""

import difflib
import functools
import importlib
from collections.abc import Sequence

from datagen.family import Family
from dsocr_jax.errors import UserError

#: Kind → module that exports ``FAMILY``, in the order in which sets list them.
MODULES: dict[str, str] = {
    "charts": "datagen.charts",
    "molecules": "datagen.molecules",
    "geometry": "datagen.geometry",
    "pages": "datagen.pages",
}

#: Kind → setting → libraries, mostly of optional extras, that are used where the setting is neither zero nor empty.
#: (What is merely installed must not matter: the same settings give the same bytes everywhere, or fail.)
OPTIONAL_LIBRARIES: dict[str, dict[str, tuple[str, ...]]] = {
    "charts": {"echarts": ("mini-racer", "pyecharts", "resvg-py", "vizly")},
    "pages": {"tokens": ("tokenizers",)},
}


def expand(names: Sequence[str]) -> tuple[str, ...]:
    """Return the kinds that ``names`` mean, in the order of `MODULES` and each once; ``all`` means every kind.

    Raises:
        UserError: a name is unknown (with the nearest known name), or there is none.
    """
    known = [*MODULES, "all"]
    for name in names:
        if name not in known:
            near = difflib.get_close_matches(name.lower(), known, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"known are {', '.join(known)}."
            raise UserError(f"there is no family {name!r}; {hint}")
    if not names:
        raise UserError(f"name at least one family: {', '.join(known)}.")
    return tuple(name for name in MODULES if name in names or "all" in names)


@functools.cache
def load(name: str) -> Family:
    """Import and return the family called ``name``."""
    (kind,) = expand([name])
    family = importlib.import_module(MODULES[kind]).FAMILY
    if not isinstance(family, Family) or family.name != kind:
        raise TypeError(f"{MODULES[kind]}.FAMILY is not the family {kind!r}")
    return family
