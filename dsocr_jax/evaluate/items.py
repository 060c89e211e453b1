"""What is evaluated: pages with their truths, wherever they come from, and the answers to them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL import Image

#: The set that is no prior-free variant of another.
PLAIN = "plain"


@dataclass(frozen=True)
class Item:
    """One page or picture with its truth.

    Attributes:
        id: names it within its set.
        truth: the label.
        set: ``plain``, or the name of a prior-free variant.
        tokens: text tokens of the truth where the source says so.
        picture: opens the picture; None where there is none to open.
        prompt: what is to be asked; empty leaves it to the command.
        labels: what it can be grouped by.
    """

    id: str
    truth: str
    set: str = PLAIN
    tokens: int | None = None
    picture: "Callable[[], Image.Image] | None" = field(default=None, repr=False, compare=False)
    prompt: str = ""
    labels: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Source:
    """A set of items, and what of it cannot be evaluated.

    Attributes:
        items: in order.
        counts: what was left out and why, for the report; nothing is left out silently.
        name: for messages.
    """

    items: Sequence[Item]
    counts: dict[str, int] = field(default_factory=dict)
    name: str = ""


@dataclass(frozen=True)
class Reply:
    """An answer to one item.

    Attributes:
        id, set: of the item.
        text: the answer.
        mode: of the model; empty where it is not known.
        finish_reason: ``stop``, ``length`` or ``repetition``; empty where it is not known.
        answer_tokens, vision_tokens: None where they are not known.
    """

    id: str
    text: str
    set: str = PLAIN
    mode: str = ""
    finish_reason: str = ""
    answer_tokens: int | None = None
    vision_tokens: int | None = None
