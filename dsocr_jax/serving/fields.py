"""JSON objects of requests, read strictly: every field has a kind, bounds and a name for messages."""

from collections.abc import Mapping
from typing import Any, NoReturn

from dsocr_jax.serving.errors import ApiError
from dsocr_jax.weights.strict_json import parse_json

#: Most characters of a field that is no picture, and of a name that is repeated in a message.
MAX_TEXT, MAX_SHOWN = 4096, 100


def refuse(param: str, message: str, code: str | None = None) -> NoReturn:
    """Raise the error for a field that is wrong."""
    raise ApiError(400, f"{param}: {message}", param, code)


def parse_body(body: bytes) -> "Fields":
    """The object that a body holds.

    Raises:
        ApiError: it holds none.
    """
    try:
        value = parse_json(body)
    except ValueError as error:
        said = " ".join(str(error).split())[:MAX_SHOWN]
        raise ApiError(400, f"the body is not the JSON that is expected: {said}", code="bad_json") from None
    if not isinstance(value, dict):
        raise ApiError(400, "the body must be a JSON object", code="bad_json")
    return Fields(value)


class Fields:
    """An object's fields; null is the same as nothing.

    Args:
        values: as parsed.
        where: its own name, put before the fields' names.
    """

    def __init__(self, values: Mapping[str, Any], where: str = ""):
        self._values = {name: value for name, value in values.items() if value is not None}
        self._where = where

    def name(self, field: str) -> str:
        """The field's whole name."""
        return f"{self._where}.{field}" if self._where else field

    def allow(self, known: frozenset[str]) -> None:
        """Refuse fields that are not known: a typing error must not pass for an answer."""
        for field in self._values:
            if field not in known:
                shown = self.name(field[:MAX_SHOWN])
                said = f"unknown field {shown} (known: {', '.join(sorted(known))})"
                raise ApiError(400, said, shown, "unknown_field")

    def has(self, field: str) -> bool:
        """Whether it is given."""
        return field in self._values

    def get(self, field: str) -> Any:
        """Whatever is given, or None."""
        return self._values.get(field)

    def text(self, field: str, default: str = "", most: int | None = MAX_TEXT) -> str:
        """A string of at most ``most`` characters."""
        value = self._values.get(field, default)
        if not isinstance(value, str):
            refuse(self.name(field), "must be a string")
        if most is not None and len(value) > most:
            refuse(self.name(field), f"is longer than {most} characters")
        return value

    def flag(self, field: str) -> bool:
        """True or false; false when it is not given."""
        value = self._values.get(field, False)
        if not isinstance(value, bool):
            refuse(self.name(field), "must be true or false")
        return value

    def number(self, field: str, default: float, low: float, high: float) -> float:
        """A number from ``low`` to ``high``."""
        value = self._values.get(field, default)
        if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
            refuse(self.name(field), f"must be a number from {low:g} to {high:g}")
        return float(value)

    def whole(self, field: str, default: int, low: int, high: int) -> int:
        """A whole number from ``low`` to ``high``."""
        value = self._values.get(field, default)
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            refuse(self.name(field), f"must be a whole number from {low} to {high}")
        return value

    def inner(self, field: str) -> "Fields":
        """An object."""
        value = self._values.get(field, {})
        if not isinstance(value, dict):
            refuse(self.name(field), "must be an object")
        return Fields(value, self.name(field))

    def objects(self, field: str) -> list["Fields"]:
        """A list of objects."""
        value = self._values.get(field, [])
        if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
            refuse(self.name(field), "must be a list of objects")
        return [Fields(item, f"{self.name(field)}[{i}]") for i, item in enumerate(value)]
