"""Settings of families as users change them: ``molecules.source=pubchem``, ``charts.matplotlib=0.1``."""

import dataclasses
import difflib
import json
from collections.abc import Mapping, Sequence
from typing import Any

from datagen import families
from dsocr_jax.errors import UserError


def read_changes(words: Sequence[str], level: str, kinds: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Return settings by kind and name from words of the form ``KIND.NAME=VALUE``; values are JSON, or plain text.

    Raises:
        UserError: a word has another form, or names a kind or a setting that is not there, or another type of value.
    """
    found: dict[str, dict[str, Any]] = {}
    for word in words:
        path, equals, value = word.partition("=")
        kind, dot, name = path.partition(".")
        if not (equals and dot and name):
            raise UserError(f"--change takes KIND.SETTING=VALUE, not {word!r}.")
        if kind not in kinds:
            raise UserError(f"--change {word}: the set has no {kind!r}; it has {', '.join(kinds)}.")
        try:
            found.setdefault(kind, {})[name] = json.loads(value)
        except ValueError:
            found.setdefault(kind, {})[name] = value
    return {kind: parsed(kind, level, changes) for kind, changes in found.items()}


def parsed(kind: str, level: str, changes: Mapping[str, Any]) -> dict[str, Any]:
    """Return changes of a kind's settings with the types that the settings have (tuples for lists).

    Raises:
        UserError: there is no such setting, or its value has another type.
    """
    before = families.load(kind).settings[level]
    found = {}
    for path, value in changes.items():
        usual = _usual(before, kind, path)
        found[path] = _as_tuple(value)
        if usual is not None and value is not None and not _alike(usual, found[path]):
            raise UserError(
                f"{kind}.{path} is {json.dumps(usual, default=str)} at the level {level}; {json.dumps(value)} is not "
                "like it."
            )
    return found


def changed(settings: Any, changes: Mapping[str, Any]) -> Any:
    """Return a family's settings with `parsed` changes; a name may lead into settings within (``content.made_up``)."""
    whole = {path: value for path, value in changes.items() if "." not in path}
    within: dict[str, dict[str, Any]] = {}
    for path, value in changes.items():
        if "." in path:
            name, _, rest = path.partition(".")
            within.setdefault(name, {})[rest] = value
    whole |= {name: changed(whole.get(name, getattr(settings, name)), some) for name, some in within.items()}
    # All at once: settings are checked together.
    return dataclasses.replace(settings, **whole) if whole else settings


def _usual(settings: Any, kind: str, path: str) -> Any:
    """Return what a setting is; UserError if there is none of that name."""
    for place, name in enumerate(path.split(".")):
        names = [each.name for each in dataclasses.fields(settings)] if dataclasses.is_dataclass(settings) else []
        if name not in names:
            near = difflib.get_close_matches(name, names, n=1)
            before = ".".join([kind, *path.split(".")[:place]])
            hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(names) or 'none'}."
            raise UserError(f"{before} has no setting {name!r}; {hint}")
        settings = getattr(settings, name)
    return settings


def _as_tuple(value: Any) -> Any:
    return tuple(map(_as_tuple, value)) if isinstance(value, list) else value


def _alike(usual: Any, value: Any) -> bool:
    if isinstance(usual, float):
        return type(value) in (int, float)
    return type(value) is type(usual)
