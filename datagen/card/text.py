"""The text of a set's card: neither dates nor machine names, so equal sets have equal cards."""

import json
import shlex
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from datagen import families
from datagen.build import balanced
from datagen.card.gather import Numbers
from datagen.card.statistics import META, TOKENS_EVERY, Quantity
from datagen.manifest import ABSENT, Manifest

#: Values of a remark that are listed; the others are summed up.
_LISTED = 24

#: What every picture may hold, whatever its family says of its own sources.
_SOURCES = {
    "matplotlib's fonts: DejaVu, STIX, Computer Modern": "Bitstream Vera, STIX Font License, BaKoMa Fonts Licence",
    "Noto Sans and Noto Sans CJK (manimgx-fonts, manimgx-fonts-cjk)": "SIL Open Font License 1.1",
    "the generators and their word lists (dsocr-jax)": "Apache-2.0",
}

_QUANTITIES = {
    "width": "width, pixels",
    "height": "height, pixels",
    "record bytes": "bytes of a record",
    "label characters": "characters of a label",
    "label tokens": f"tokens of a label (every {TOKENS_EVERY}th sample)",
}


def card_text(manifest: Manifest, numbers: Mapping[str, Numbers], pictures: Sequence[str]) -> str:
    """Return the card as Markdown.

    Args:
        manifest: of the complete set.
        numbers: of every kind.
        pictures: paths of the card's pictures, relative to the set.
    """
    config = manifest.config
    total = sum(config["counts"].values())
    parts = [
        f"# {total:,} samples: {', '.join(config['counts'])}",
        f"Pictures with labels, drawn by dsocr-jax. Split {config['split']}, level {config['level']}, "
        f"degradation {config.get('degradation', 'none')}, seed {config['seed']}. The shards are array_record files of "
        f"up to {config['shard_size']:,} samples; `manifest.json` lists them with their checksums.",
        "Made, and made again anywhere to the same bytes, by",
        f"```\n{command(config)}\n```",
        _overview(numbers),
    ]
    pictures_of = {path.rsplit("/", 1)[-1].removesuffix(".png"): path for path in pictures}
    parts += [f"![{name}]({pictures_of[name]})" for name in ("samples", "sizes") if name in pictures_of]
    for kind, mine in numbers.items():
        title, *tables = _section(kind, mine)
        parts += [title, *([f"![types of {kind}]({pictures_of[kind]})"] if kind in pictures_of else []), *tables]
    parts += ["## Sources and licences", _sources(list(numbers)), "## Versions", _versions(manifest)]
    return "\n\n".join(parts) + "\n"


def command(config: Mapping[str, Any]) -> str:
    """Return the command that makes the set again."""
    counts: dict[str, int] = config["counts"]
    total = sum(counts.values())
    if balanced(tuple(counts), total) != counts:
        return f"datagen.build.build(SetConfig({counts}, ...), ...)  # the kinds have counts of their own"
    every = list(counts) == list(families.MODULES)
    words = ["dsocr-data", "build", "--family", *(["all"] if every else counts), "--count", str(total)]
    for name in ("seed", "split", "level", "degradation", "shard_size"):
        words += [f"--{name.replace('_', '-')}", str(config.get(name, "none"))]
    changes = [
        f"{kind}.{name}={json.dumps(value)}"
        for kind, some in config.get("changes", {}).items()
        for name, value in some.items()
    ]
    return shlex.join([*words, *(["--change", *changes] if changes else []), "--out", "FOLDER"])


def _overview(numbers: Mapping[str, Numbers]) -> str:
    rows = [("kind", "samples", "shards", "MB", "draws rejected", "different contents", "duplicates")]
    for kind, mine in numbers.items():
        samples, rejected = mine.statistics.samples, sum(mine.rejected.values())
        rows.append(
            (
                kind,
                f"{samples:,}",
                f"{mine.shards:,}",
                f"{mine.bytes / 1e6:,.1f}",
                f"{rejected:,} ({_percent(rejected, rejected + samples)})",
                f"{mine.duplicates.distinct:,}",
                f"{mine.duplicates.surplus:,} ({_percent(mine.duplicates.surplus, samples)})",
            )
        )
    return _table(rows) + (
        "\n\nA duplicate is a sample whose content (table, molecule, figure, text) another sample of the set has "
        "already; it is drawn differently. A content belongs to either train or test, in every set."
    )


def _section(kind: str, mine: Numbers) -> list[str]:
    rows: list[tuple[str, ...]] = [("", "mean", "least", "5 %", "median", "95 %", "most")]
    quantities = mine.statistics.quantities
    named = [(title, quantities[name]) for name, title in _QUANTITIES.items() if name in quantities]
    named += [
        (name.removeprefix(f"{META} ").replace("_", " "), quantity)
        for name, quantity in sorted(quantities.items())
        if name.startswith(META)
    ]
    rows += [(title, *_spread(quantity)) for title, quantity in named]
    parts = [f"## {kind.capitalize()}", _table(rows)]
    counts = [(name, values) for name, values in sorted(mine.statistics.values.items()) if values]
    if counts:
        parts.append(_table([("remark", "samples"), *((_words(name), _shares(values)) for name, values in counts)]))
    if mine.rejected:
        most = sorted(mine.rejected.items(), key=lambda item: (-item[1], item[0]))
        parts.append(_table([("rejected because", "draws"), *((reason, f"{count:,}") for reason, count in most)]))
    if mine.duplicates.surplus:
        parts.append(
            f"{mine.duplicates.repeated:,} contents occur more than once, the most frequent one "
            f"{mine.duplicates.most:,} times."
        )
    return parts


def _spread(quantity: Quantity) -> tuple[str, ...]:
    marks = [quantity.low, quantity.quantile(0.05), quantity.quantile(0.5), quantity.quantile(0.95), quantity.high]
    mean = f"{quantity.mean:,.1f}" if quantity.mean < 1000 else f"{quantity.mean:,.0f}"
    return (mean, *(f"{mark:,}" for mark in marks))


def _shares(values: Counter[str]) -> str:
    """Return values with their counts, the most frequent first."""
    most = sorted(values.items(), key=lambda item: (-item[1], item[0]))
    listed = [f"{value or '(none)'} {count:,}" for value, count in most[:_LISTED]]
    if rest := most[_LISTED:]:
        listed.append(f"{len(rest)} others {sum(count for _, count in rest):,}")
    return ", ".join(listed)


def _words(name: str) -> str:
    return name.replace("_", " ")


def _sources(kinds: Sequence[str]) -> str:
    found = dict(_SOURCES)
    for kind in kinds:
        found |= families.load(kind).sources
    return _table([("source", "licence"), *sorted(found.items())])


def _versions(manifest: Manifest) -> str:
    known = {"generator": str(manifest.generator_version), **manifest.versions}
    return ", ".join(f"{name} {version}" for name, version in known.items() if version != ABSENT)


def _percent(part: int, whole: int) -> str:
    return f"{100 * part / max(whole, 1):.1f} %"


def _table(rows: Sequence[Sequence[str]]) -> str:
    """Return a Markdown table; the first row is its head, all columns but the first stand right if they are numbers."""
    escaped = [[cell.replace("|", "\\|").replace("\n", " ") for cell in row] for row in rows]
    right = [all(cell[:1].isdigit() and len(cell) < 30 for cell in column) for column in zip(*escaped[1:], strict=True)]
    rule = ["---:" if place and at_right else "---" for place, at_right in enumerate(right)]
    return "\n".join(f"| {' | '.join(row)} |" for row in (escaped[0], rule, *escaped[1:]))
