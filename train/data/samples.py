"""What every source of training data gives: samples whose pictures are not decoded yet."""

import dataclasses
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from dsocr_jax.errors import UserError

if TYPE_CHECKING:
    from PIL import Image


class Unusable(UserError):
    """A sample cannot be used; it is skipped and counted.

    Attributes:
        reason: short and constant: it becomes the key of a table.
        sample: what finds the sample, and what is wrong in detail.
    """

    def __init__(self, reason: str, sample: str) -> None:
        super().__init__(f"{sample}: {reason}")
        self.reason, self.sample = reason, sample


@dataclasses.dataclass(frozen=True)
class Picture:
    """A picture that is read when it is needed.

    Attributes:
        measure: returns (width, height) in pixels without decoding the pixels, where that is possible.
        decode: returns the upright RGB picture.
        detail: font size of its smallest text in pixels, if it is known; degradation keeps it readable.
        finished: nothing is to be done to it any more (it was degraded where it was drawn).

    Both functions raise `dsocr_jax.errors.UserError` or OSError for a picture that cannot be read.
    """

    measure: Callable[[], tuple[int, int]]
    decode: "Callable[[], Image.Image]"
    detail: float | None = None
    finished: bool = False


@dataclasses.dataclass(frozen=True)
class Sample:
    """Pictures and turns, or a text.

    Attributes:
        name: what a user needs to find it, such as "data/easy charts 123".
        turns: pairs of question and answer; the questions hold one ``<image>`` for each picture.
        pictures: in the order of their ``<image>``.
        text: a text that stands alone, instead of turns.
    """

    name: str
    turns: tuple[tuple[str, str], ...] = ()
    pictures: tuple[Picture, ...] = ()
    text: str | None = None


class Source(Protocol):
    """One entry of ``data`` of the configuration. It can be sent to other processes.

    Attributes:
        name: the entry.
        counts: number of samples of each kind; None where there is no end.
        fingerprint: stands for the contents, wherever they lie.
        most_pictures: most pictures of a sample.
    """

    name: str
    counts: dict[str, int | None]
    fingerprint: str
    most_pictures: int

    def read(self, kind: str, index: int) -> Sample:
        """Return sample ``index`` of ``kind``; raises `Unusable`, or UserError where the run cannot go on."""
        ...
