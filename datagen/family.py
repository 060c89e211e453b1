"""What a family of samples is: the contract between the engine and charts, molecules, geometry and pages.

A family makes a sample in two steps. ``compose`` decides the content (cheap, nothing is drawn), ``render`` draws it.
The engine asks for the content first because the content alone decides whether the sample belongs to the training
or to the test split: half of all drawing would otherwise be thrown away when a test set is built.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

#: The levels of difficulty that every family offers.
LEVELS = ("easy", "middle", "standard")


class Rejected(Exception):
    """The draw cannot be used (does not fit, is not readable): the engine tries again and counts the reason.

    Keep reasons few and constant ("labels overlap", not "labels 3 and 4 overlap"): they become keys of a table.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True)
class Drawn:
    """A picture and what is to be read from it.

    Attributes:
        image: uint8, ``[height, width]`` gray or ``[height, width, 3]`` RGB; 0 is black.
        label: the answer, in the form of the family's kind (`dsocr_jax.answers.check_label`).
        meta: whatever else is known about the picture; must survive JSON unchanged (string keys, no tuples,
            no NumPy scalars, no NaN). ``smallest_text``, if it is there, is the font size in pixels of the smallest
            text that must be read: degradation keeps it readable. ``prompt``, if it is there, is the prompt (a key
            of `dsocr_jax.prompts.PROMPTS`, or the user's turn itself) that this label answers.
    """

    image: np.ndarray
    label: str
    meta: dict[str, Any] = field(default_factory=dict)


class Content(Protocol):
    """What a sample says, before it is drawn."""

    @property
    def key(self) -> str:
        """Text that identifies the content (the table, the canonical SMILES, the figure, the page's text).

        Equal contents must have equal keys however they are drawn, since the key decides train or test.
        """
        ...


@dataclass(frozen=True)
class Family:
    """One kind of samples.

    Attributes:
        name: the kind, as in shard names and records: "charts", "molecules", "geometry" or "pages".
        prompt: a key of `dsocr_jax.prompts.PROMPTS`.
        compose: ``compose(rng, settings) -> Content``; may raise `Rejected`.
        render: ``render(content, rng, settings) -> Drawn``; may raise `Rejected`.
        settings: the family's settings (a frozen dataclass of JSON-compatible values) for each of `LEVELS`.
        verify: ``verify(image, label, meta) -> problems``: repeats the family's own checks on a picture as ``render``
            returned it (not degraded); no problem, no line. `dsocr-data check` asks it.
        fingerprint: ``fingerprint(settings) -> {name: checksum}`` of files outside the package that the settings name
            and that decide what is drawn; a set is only continued with the same ones.
        sources: what the contents and drawings are taken from (word lists, data sets, fonts) → its licence.

    ``compose`` and ``render`` take their randomness from ``rng`` alone: the same state gives the same bytes.
    """

    name: str
    prompt: str
    compose: Callable[[np.random.Generator, Any], Content]
    render: Callable[[Any, np.random.Generator, Any], Drawn]
    settings: Mapping[str, Any]
    verify: Callable[[np.ndarray, str, dict[str, Any]], list[str]] | None = None
    sources: Mapping[str, str] = field(default_factory=dict)
    fingerprint: Callable[[Any], Mapping[str, str]] | None = None
