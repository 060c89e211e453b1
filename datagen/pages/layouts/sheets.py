"""Slides, exams, notes, receipts and forms."""

from datagen.pages import formulas
from datagen.pages.document import Document, Element, Part
from datagen.pages.grids import Cell, Grid
from datagen.pages.maker import Maker
from datagen.pages.rich import Rich, plain, quote

_BOXES = "☐☑☒"
_CURRENCIES = ("$", "€", "£", "¥", "")


def slide(make: Maker, amount: int) -> Document:
    """A slide: a title and a few points, a figure, a table or a formula."""
    dice, writer = make.dice, make.writer
    body: list[Part] = [make.title(writer.heading())]
    if dice.chance(0.2):
        body.append(make.line(writer.phrase(2, 5), "subtitle", "sub_title"))
    roll = dice.roll()
    if roll < 0.25:
        figure = make.figure((0.35, 0.5))
        body += ["#pair[", make.points(2 + dice.below(3), 0), "][", *figure, "]"] if figure else [make.points(4, 30)]
    elif roll < 0.4:
        body.append(make.table(5, 5))
    elif roll < 0.55:
        body += [make.equation(), make.text(amount // 2)]
    elif roll < 0.62:
        body.append(make.code())
    elif roll < 0.72:
        body.append(make.text(amount, "quoted"))
    else:
        body.append(make.points(3 + dice.below(4), min(amount // 4, 80)))
        if dice.chance(0.3):
            body.append(make.text(amount // 4))
    footer: tuple[Element, ...] = ()
    if dice.chance(0.6):
        page = make.inline(writer.digits(str(1 + dice.below(60))), "page_number")
        footer = (make.inline(writer.name(), "footer"), page) if dice.chance(0.5) else (page,)
    return Document("slide", writer.language, tuple(body), (), footer)


def exam(make: Maker, amount: int) -> Document:
    """An exam: questions with points, choices, formulas to work out, figures, lines for answers."""
    dice, writer = make.dice, make.writer
    body: list[Part] = [make.title(writer.heading())]
    name = f"{writer.word()}:"
    if dice.chance(0.6):
        body.append(_field(make, name, "", 45))
    if dice.chance(0.5):
        body.append(make.text(80 + dice.below(150), "flush"))
    number = 1
    style = dice.pick(("{}.", "{})", "({})"))
    choices = dice.pick(("ABCD", "abcd", "1234"))
    while amount > 0:
        before = len(body)
        points = f" ({writer.digits(str(1 + dice.below(9)))})" if dice.chance(0.5) else ""
        text = f"{style.format(number)} {writer.paragraph(50 + dice.below(140))}{points}"
        body.append(make.line(text, "flush"))
        roll = dice.roll()
        if roll < 0.35:
            options = [f"{choices[place]}) {writer.phrase(1, 4)}" for place in range(3 + dice.below(2))]
            body.append(_lines(options))
        elif roll < 0.6:
            body.append(make.equation(formula=formulas.arithmetic(dice) if dice.chance(0.6) else None))
        elif roll < 0.75:
            body += make.figure((0.3, 0.5))
        elif roll < 0.9:
            body.append(f"#answer-lines({1 + dice.below(4)})")
        else:
            body.append(make.table(4, 4))
        number += 1
        amount -= sum(len(part.rich.plain) for part in body[before:] if isinstance(part, Element))
    page = make.inline(writer.digits(str(1 + dice.below(12))), "page_number")
    return Document("exam", writer.language, tuple(body), (), (page,), columns=1 + dice.chance(0.15))


def note(make: Maker, amount: int) -> Document:
    """A note: a few lines to someone, or things to do."""
    dice, writer = make.dice, make.writer
    body: list[Part] = []
    if dice.chance(0.5):
        body.append(make.line(writer.date(), "ending"))
    if dice.chance(0.7):
        body.append(make.title(writer.heading()))
    while amount > 0:
        before = len(body)
        if dice.chance(0.4):
            body.append(make.points(3 + dice.below(5), 20))
        elif dice.chance(0.15):
            ticks = [f"{dice.pick(_BOXES)} {writer.phrase(1, 4)}" for _ in range(3 + dice.below(4))]
            body.append(_lines(ticks))
        else:
            body.append(make.text(60 + dice.below(200), "flush"))
        amount -= sum(len(part.rich.plain) for part in body[before:] if isinstance(part, Element))
    if dice.chance(0.4):
        body.append(make.line(f"— {writer.name()}", "ending"))
    return Document("note", writer.language, tuple(body))


def receipt(make: Maker, amount: int) -> Document:
    """A receipt: a shop, its address, what was bought, sums, thanks."""
    dice, writer = make.dice, make.writer
    body: list[Part] = [make.title(writer.name())]
    for _ in range(1 + dice.below(3)):
        body.append(make.line(f"{writer.phrase(1, 3)} {writer.digits(str(1 + dice.below(300)))}", "centred"))
    body.append("#dashed-line")
    body.append(make.line(f"{writer.date()} #{dice.below(99999):05d}", "flush"))
    sign = dice.pick(_CURRENCIES)
    total = 0
    rows = []
    for _ in range(2 + dice.below(9)):
        cents = 50 + dice.below(5000)
        count = 1 + (dice.below(5) if dice.chance(0.3) else 0)
        total += cents * count
        name = f"{count} × {writer.phrase(1, 2)}" if count > 1 else writer.phrase(1, 3)
        rows.append((Cell(name), Cell(writer.digits(f"{sign}{cents * count / 100:.2f}"))))
    tax = total * dice.pick((5, 7, 10, 19, 20)) // 100
    rows.append((Cell(writer.word()), Cell(writer.digits(f"{sign}{tax / 100:.2f}"))))
    rows.append(
        (Cell(writer.word().upper(), bold=True), Cell(writer.digits(f"{sign}{(total + tax) / 100:.2f}"), bold=True))
    )
    grid = Grid(tuple(rows), 2, 0, "none", (1,)).rich()
    wide = grid.typst.replace("columns: 2", "columns: (1fr, auto)", 1)
    body.append(Element("table", "table", Rich(wide, grid.plain, grid.markdown), height=1.6 * len(rows)))
    body.append("#dashed-line")
    if dice.chance(0.6):
        body.append(make.line(f"{writer.phrase(1, 2)}: {'*' * 4} {dice.below(10000):04d}", "flush"))
    body.append(make.line(writer.phrase(2, 5), "centred"))
    return Document("receipt", writer.language, tuple(body))


def form(make: Maker, amount: int) -> Document:
    """A form: fields, some of them filled in, boxes to tick, frames, small print."""
    dice, writer = make.dice, make.writer
    body: list[Part] = [make.title(writer.heading())]
    if dice.chance(0.5):
        body.append(make.text(80 + dice.below(160), "small"))
    filled = dice.pick((0.0, 0.5, 0.9))
    for _ in range(1 + dice.below(3)):
        framed = dice.chance(0.4)
        body += ["#frame["] if framed else []
        if dice.chance(0.7):
            body.append(make.heading(2))
        for _ in range(2 + dice.below(5)):
            roll = dice.roll()
            if roll < 0.65:
                value = (
                    dice.pick((writer.name, writer.date, writer.number, writer.word))() if dice.chance(filled) else ""
                )
                body.append(_field(make, f"{writer.phrase(1, 2)}:", value, 30 + dice.below(50)))
            elif roll < 0.85:
                ticks = [f"{dice.pick(_BOXES)} {writer.phrase(1, 2)}" for _ in range(2 + dice.below(3))]
                body.append(_spread(ticks))
            else:
                body.append(make.table(4, 3))
        body += ["]"] if framed else []
    if dice.chance(0.5):
        body.append(make.text(min(amount, 120 + dice.below(200)), "small"))
    if dice.chance(0.6):
        body.append(_field(make, f"{writer.word()}:", "", 40))
    code = f"{dice.pick('ABFKX')}-{dice.below(9999):04d}"
    return Document("form", writer.language, tuple(body), (), (make.inline(code, "footer"),))


def _field(make: Maker, name: str, value: str, width: int) -> Element:
    """Return a field with its name; its line is filled in or free."""
    text = f"{name} {value}".strip()
    line = f"#{quote(name)}#h(0.5em)" + (
        f"#underline(offset: 0.25em, {quote(value)})" if value else f"#blank({width}%)"
    )
    return Element("text", "flush", Rich(line, text, text))


def _lines(lines: list[str]) -> Element:
    """Return lines one below the other, as one element."""
    typst = " #linebreak() ".join(plain(line).typst for line in lines)
    text = "\n".join(lines)
    return Element("list", "flush", Rich(typst, text, text))


def _spread(words: list[str]) -> Element:
    """Return some things side by side."""
    typst = " #h(1.5em) ".join(f"#box({quote(word)})" for word in words)
    text = " ".join(words)
    return Element("text", "flush", Rich(typst, text, text))
