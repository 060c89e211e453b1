"""Program listings. They are of languages that need no indentation: a page's label keeps no blanks at line starts."""

from datagen.pages.words import ADJECTIVES, NOUNS, Dice, code, made_up

#: Lines of one listing, fewest and most.
_LINES = (3, 12)


def listing(dice: Dice) -> tuple[str, str]:
    """Return the name of a language and some lines of it; no line is blank or starts or ends with one."""
    name = dice.pick(tuple(_LANGUAGES))
    count = _LINES[0] + dice.below(_LINES[1] - _LINES[0] + 1)
    write = _LANGUAGES[name]
    return name, "\n".join(write(dice) for _ in range(count))


def _name(dice: Dice) -> str:
    one = dice.pick(NOUNS) if dice.chance(0.7) else made_up(dice, 8)
    return f"{dice.pick(ADJECTIVES)}_{one}" if dice.chance(0.3) else one


def _value(dice: Dice) -> str:
    roll = dice.roll()
    if roll < 0.5:
        return str(dice.below(1000))
    if roll < 0.75:
        return f"{dice.between(0, 10):.2f}"
    return f'"{dice.pick(NOUNS)}"'


def _sql(dice: Dice) -> str:
    roll = dice.roll()
    if roll < 0.4:
        return f"SELECT {_name(dice)}, {_name(dice)} FROM {_name(dice)} WHERE {_name(dice)} > {dice.below(500)};"
    if roll < 0.6:
        return f"UPDATE {_name(dice)} SET {_name(dice)} = {dice.below(99)} WHERE id = {dice.below(9999)};"
    if roll < 0.8:
        return f"INSERT INTO {_name(dice)} VALUES ({dice.below(99)}, '{dice.pick(NOUNS)}');"
    return f"DROP TABLE IF EXISTS {_name(dice)};"


def _shell(dice: Dice) -> str:
    roll = dice.roll()
    if roll < 0.3:
        return f"cp -r {_name(dice)}/{_name(dice)}.txt /var/{_name(dice)}/"
    if roll < 0.55:
        return f"grep -n '{dice.pick(NOUNS)}' {_name(dice)}.log | sort | head -{1 + dice.below(40)}"
    if roll < 0.8:
        return f"export {_name(dice).upper()}={dice.below(9000)}"
    return f"# {dice.pick(ADJECTIVES)} {dice.pick(NOUNS)}"


def _toml(dice: Dice) -> str:
    if dice.chance(0.2):
        return f"[{_name(dice)}.{_name(dice)}]"
    return f"{_name(dice)} = {_value(dice)}"


def _python(dice: Dice) -> str:
    roll = dice.roll()
    if roll < 0.25:
        return f"from {_name(dice)} import {_name(dice)}"
    if roll < 0.6:
        return f"{_name(dice)} = {_name(dice)}({_value(dice)}, {_name(dice)}={_value(dice)})"
    if roll < 0.85:
        return f"{_name(dice)}[{dice.below(20)}] += {_name(dice)} * {dice.below(100)}"
    return f"print({_name(dice)}, {_value(dice)}) # {dice.pick(ADJECTIVES)}"


def _c(dice: Dice) -> str:
    roll = dice.roll()
    if roll < 0.3:
        return f"#include <{_name(dice)}.h>"
    if roll < 0.7:
        return f"{dice.pick(('int', 'double', 'char *', 'size_t'))} {_name(dice)} = {_value(dice)};"
    return f"{_name(dice)}(&{_name(dice)}, {dice.below(64)}); /* {dice.pick(NOUNS)} */"


def _log(dice: Dice) -> str:
    time = f"{dice.below(24):02d}:{dice.below(60):02d}:{dice.below(60):02d}"
    return f"{time} {dice.pick(('INFO', 'WARN', 'ERROR', 'DEBUG'))} {_name(dice)}: {code(dice, 6)} {_value(dice)}"


_LANGUAGES = {"sql": _sql, "bash": _shell, "toml": _toml, "python": _python, "c": _c, "": _log}
