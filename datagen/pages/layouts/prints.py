"""Plain pages, books, reports, papers and newspapers."""

from dataclasses import replace

from datagen.pages.document import Document, Element, Part
from datagen.pages.maker import Maker


def plain(make: Maker, amount: int) -> Document:
    """Paragraphs, perhaps under headings, and nothing else."""
    dice = make.dice
    body: list[Part] = [make.title(make.writer.heading())] if dice.chance(0.4) else []
    headings = dice.chance(0.4)
    while amount > 0:
        if headings and dice.chance(0.35):
            body.append(make.heading(1))
        body.append(_paragraph(make, amount))
        amount -= _length(body[-1])
    return Document("plain", make.writer.language, tuple(body), columns=1 + dice.chance(0.2))


def book(make: Maker, amount: int) -> Document:
    """A page of a novel or a textbook: one column, a running header, a chapter's beginning now and then."""
    dice, writer = make.dice, make.writer
    body: list[Part] = []
    if dice.chance(0.35):
        if dice.chance(0.5):
            body.append(make.line(writer.digits(str(1 + dice.below(30))), "centred"))
        body.append(make.title(writer.heading()))
        if dice.chance(0.25):
            body.append(make.text(60 + dice.below(80), "quoted"))
    textbook = dice.chance(0.35)
    while amount > 0:
        roll = dice.roll()
        before = len(body)
        if textbook and roll < 0.12:
            body.append(make.equation(numbered=dice.chance(0.4)))
        elif textbook and roll < 0.2:
            body.append(make.points(3 + dice.below(3), 50))
        elif textbook and roll < 0.3:
            body += make.figure((0.45, 0.7))
        elif textbook and roll < 0.36:
            body.append(make.heading(1 + dice.below(2)))
        elif roll > 0.95 and before:
            body.append(make.text(100 + dice.below(150), "quoted"))
        else:
            body.append(_paragraph(make, amount, forms=0.35 if textbook else 0.15))
        amount -= sum(_length(part) for part in body[before:]) or 60
    page = make.inline(writer.digits(str(2 + dice.below(600))), "page_number")
    name = make.inline(writer.heading(), "header")
    header: tuple[Element, ...]
    if dice.chance(0.65):
        header = (page, name) if dice.chance(0.5) else (name, page)
        return Document("book", writer.language, (*body, *make.foot()), header)
    header = (name,) if dice.chance(0.4) else ()
    return Document("book", writer.language, (*body, *make.foot()), header, (page,))


def report(make: Maker, amount: int) -> Document:
    """A report: numbered headings, lists, tables, charts, a header and a footer."""
    dice, writer = make.dice, make.writer
    body: list[Part] = []
    if dice.chance(0.5):
        body.append(make.title(writer.heading()))
        if dice.chance(0.5):
            body.append(make.line(f"{writer.name()}, {writer.date()}", "small"))
    columns = 1 + dice.chance(0.15)
    numbered = dice.chance(0.6)
    chapter, section = 1 + dice.below(8), 0
    while amount > 0:
        before = len(body)
        roll = dice.roll()
        if roll < 0.22:
            section += 1
            number = writer.digits(f"{chapter}.{section}") if numbered else ""
            body.append(make.heading(1 if dice.chance(0.6) else 2, number))
            body.append(_paragraph(make, amount))
        elif roll < 0.4:
            body += make.captioned_table(5, 6)
        elif roll < 0.55:
            body.append(make.points(3 + dice.below(4), 60))
        elif roll < 0.72:
            body += make.figure((0.5, 0.8))
        elif roll < 0.77 and columns == 1:
            body.append(make.code())
        else:
            body.append(_paragraph(make, amount, forms=0.3))
        amount -= sum(_length(part) for part in body[before:]) or 60
    page = make.inline(f"{writer.digits(str(1 + dice.below(120)))}", "page_number")
    header: tuple[Element, ...] = ()
    if dice.chance(0.6):
        header = (make.inline(writer.heading(), "header"), make.inline(writer.date(), "header"))
    footer = (page,) if dice.chance(0.5) else (make.inline(writer.phrase(2, 4), "footer"), page)
    return Document("report", writer.language, (*body, *make.foot()), header, footer, columns=columns)


def paper(make: Maker, amount: int) -> Document:
    """A paper in one to three columns: title, authors, abstract, sections, equations, figures, notes, references."""
    dice, writer = make.dice, make.writer
    columns = 1 + (dice.roll() > 0.35) + dice.chance(0.12)
    body: list[Part] = []
    if dice.chance(0.6):
        top: list[Part] = [make.title(writer.heading())]
        authors = ", ".join(writer.name() for _ in range(1 + dice.below(4)))
        top.append(make.line(authors, "centred"))
        if dice.chance(0.75):
            top.append(make.text(250 + dice.below(300), "abstract", "abstract"))
        body += ["#wide[", *top, "]"] if columns > 1 else top
        amount -= sum(_length(part) for part in top)
    section = 1 + (0 if body else dice.below(5))
    started = False
    while amount > 0:
        before = len(body)
        roll = dice.roll()
        if not started or roll < 0.12:
            body.append(make.heading(1, writer.digits(f"{section}")))
            body.append(_paragraph(make, amount, forms=0.5))
            section, started = section + 1, True
        elif roll < 0.3:
            body.append(make.equation(numbered=dice.chance(0.7)))
            body.append(_paragraph(make, amount, forms=0.6))
        elif roll < 0.4:
            body += make.figure((0.7, 1.0) if columns > 1 else (0.45, 0.7))
        elif roll < 0.48:
            body += make.captioned_table(4 if columns > 1 else 6, 6)
        elif roll < 0.53:
            body.append(make.points(2 + dice.below(3), 70))
        elif roll < 0.58 and columns == 1:
            body.append(make.code())
        else:
            body.append(_paragraph(make, amount, forms=0.6))
        amount -= sum(_length(part) for part in body[before:]) or 60
    if dice.chance(0.25):
        body.append(make.heading(1))
        body += [_reference(make, number) for number in range(1, 4 + dice.below(5))]
    page = make.inline(writer.digits(str(1 + dice.below(40))), "page_number")
    header = (make.inline(writer.heading(), "header"),) if dice.chance(0.4) else ()
    return Document("paper", writer.language, (*body, *make.foot()), header, (page,), columns=columns)


def newspaper(make: Maker, amount: int) -> Document:
    """A page of a newspaper: a masthead, articles in three or more columns with headlines, authors and pictures."""
    dice, writer = make.dice, make.writer
    body: list[Part] = []
    if dice.chance(0.6):
        day = f"{writer.date()} · {writer.phrase(1, 2)} · {writer.number()}"
        body += [
            "#wide[",
            make.title(writer.heading(), "masthead"),
            "#thick-line",
            make.line(day, "centred"),
            "#rule-line",
            "]",
        ]
    while amount > 0:
        before = len(body)
        headline = make.heading(1)
        body.append(replace(headline, style="headline"))
        if dice.chance(0.5):
            body.append(make.line(writer.name(), "small"))
        if dice.chance(0.45):
            body += make.figure((0.85, 1.0))
        for _ in range(2 + dice.below(4)):
            body.append(make.text(120 + dice.below(300)))
        amount -= sum(_length(part) for part in body[before:])
        if amount > 0 and dice.chance(0.5):
            body.append("#rule-line")
    page = make.inline(writer.digits(str(1 + dice.below(48))), "page_number")
    header = (make.inline(writer.phrase(1, 3), "header"), page) if dice.chance(0.5) else ()
    return Document("newspaper", writer.language, tuple(body), header, columns=3 + dice.chance(0.35))


def _paragraph(make: Maker, left: int, forms: float = 0.0) -> Element:
    """Return a paragraph of some length, not much longer than what is left to say."""
    return make.text(min(max(left, 40), 90 + make.dice.below(550)), forms=forms)


def _reference(make: Maker, number: int) -> Element:
    writer = make.writer
    text = f"[{number}] {writer.name()}. {writer.phrase(3, 8)}. {writer.phrase(1, 3)}, {writer.date()}."
    return make.line(text, "small", "references")


def _length(part: Part) -> int:
    return len(part.rich.plain) if isinstance(part, Element) else 0
