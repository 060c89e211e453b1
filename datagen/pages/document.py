"""What a page says, before it has a look: elements in reading order, each with its kind and its three forms."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from datagen.pages.languages import Language
from datagen.pages.rich import Rich


@dataclass(frozen=True)
class Figure:
    """A picture of another family, chosen but not drawn yet.

    Attributes:
        family: "charts", "molecules" or "geometry".
        content: what that family composed.
        share: of the column's width that the picture takes.
    """

    family: str
    content: Any
    share: float


@dataclass(frozen=True)
class Element:
    """A part of a page that has a place of its own.

    Attributes:
        kind: what grounded labels call it: "title", "sub_title", "text", "list", "table", "table_caption", "equation",
            "code", "image", "image_caption", "header", "footer", "page_number", "footnote", "aside_text".
        style: which function of the template sets it; see `datagen.pages.template`.
        rich: its text in three forms.
        figure: the picture, if it is one.
        height: about how many lines it takes, where that does not follow from its text.
    """

    kind: str
    style: str
    rich: Rich
    figure: Figure | None = None
    height: float = 0.0

    @property
    def inline(self) -> bool:
        """Whether it stands within a line, as the parts of a running header do."""
        return self.style == "i"


#: An element, or markup of typst between elements (a column break, the start of a frame and its end).
Part = Element | str


@dataclass(frozen=True)
class Document:
    """A page's content.

    Attributes:
        layout: its kind: "book", "paper" and so on.
        language: what it is written in.
        body: elements and markup in reading order.
        header: what stands above the body on a line, its parts pushed apart.
        footer: likewise below.
        columns: of text.
        plain: a writer's text without any form but paragraphs and headings (the quick engine may set it).
    """

    layout: str
    language: Language
    body: tuple[Part, ...]
    header: tuple[Element, ...] = ()
    footer: tuple[Element, ...] = ()
    columns: int = 1

    def elements(self) -> Iterator[Element]:
        """Yield all elements in reading order; their numbers, from 1, are places in this order."""
        yield from self.header
        yield from elements_of(self.body)
        yield from self.footer

    @property
    def key(self) -> str:
        """The whole text without regard to case, and the pictures' contents."""
        texts = (
            str(element.figure.content.key) if element.figure else element.rich.plain for element in self.elements()
        )
        return "\n".join(texts).casefold()


def elements_of(parts: Iterable[Part]) -> Iterator[Element]:
    """Yield the elements among ``parts``."""
    return (part for part in parts if isinstance(part, Element))
