"""``dsocr memory``: a history as it would be remembered."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro

from dsocr_jax.console import console, progress
from dsocr_jax.errors import UserError
from dsocr_jax.memory.options import MemoryOptions, fading_modes

if TYPE_CHECKING:
    from dsocr_jax.memory.figure import Row
    from dsocr_jax.memory.history import Turn
    from dsocr_jax.memory.rendered import Rendered
    from dsocr_jax.modes import Mode

#: Pages that are written; the picture of one takes up to a megabyte.
MAX_PAGES = 10_000


def memory(
    sources: Annotated[list[Path], tyro.conf.Positional],
    /,
    out: Path,
    budget: int = 1000,
    checkpoint: Path | None = None,
    modes: Annotated[list[str], tyro.conf.UseAppendAction] = [],  # noqa: B006 (tyro's way to say "none given")
    font: str = MemoryOptions.font,
    font_size: int = MemoryOptions.font_size,
    half_life: float = MemoryOptions.half_life,
) -> None:
    """Draw a conversation or documents as pages that fade with age, under a budget of vision tokens.

    Writes every page as the model would see it, index.html with all of them, forgetting.png (cost and legibility
    against age) and memory.jsonl (the turns, to load again); prints a table.

    Args:
        sources: text files, whose paragraphs are the turns, or .jsonl files with {"text": ..., "role": ...} on each
            line; the oldest first.
        out: a new or empty folder.
        budget: most vision tokens of all pages together.
        checkpoint: a model whose modes are taken; by default the released model's.
        modes: a mode to use; may be given several times. By default all modes without tiles.
        font: DejaVuSans, DejaVuSerif or DejaVuSansMono.
        font_size: pixels per em in the largest mode.
        half_life: age in pages at which a page is worth half; smaller numbers fade faster.
    """
    from dsocr_jax.memory.figure import measure, plot
    from dsocr_jax.memory.history import Memory
    from dsocr_jax.memory.store import save

    chosen, stride = _modes(checkpoint, modes)
    options = MemoryOptions(modes=chosen, stride=stride, font=font, font_size=font_size, half_life=half_life)
    if not sources:
        raise UserError("nothing to remember: name text files or .jsonl files")
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise UserError(f"{out} is not an empty folder; name a new one")
    history = Memory(options, [turn for source in sources for turn in _turns(source)])
    if not history.pages:
        raise UserError("nothing to remember: the files are empty")
    if len(history.plan(budget)) > MAX_PAGES:
        raise UserError(f"the budget shows more than {MAX_PAGES} pages; take a smaller one")
    rendered = history.render(budget)
    rows = measure(rendered, options)
    try:
        out.mkdir(parents=True, exist_ok=True)
        with progress("writing pages", len(rows), "pages") as advance:
            for row in rows:
                row.page.seen().save(out / _name(row))
                advance(1, "")
        (out / "forgetting.png").write_bytes(plot(rows, len(rendered.gone), options))
        (out / "index.html").write_text(_html(rows, rendered, budget), encoding="utf-8")
    except OSError as error:
        raise UserError(f"{out}: cannot be written ({error.strerror or error}); check the path") from None
    save(history, out / "memory.jsonl")
    _print(rows, rendered, budget)
    console.print(f"written {out / 'index.html'}", markup=False)


def _modes(checkpoint: Path | None, names: Sequence[str]) -> "tuple[tuple[Mode, ...], int]":
    from dsocr_jax.config import ModelConfig
    from dsocr_jax.modes import find_mode

    if checkpoint is None:
        config = ModelConfig()
    else:
        from dsocr_jax.weights.checkpoint import read_config

        config = read_config(checkpoint)
    if not names:
        return fading_modes(config.modes), config.stride
    known = {mode.name: mode for mode in config.modes}
    found = [find_mode(name, known) for name in names]
    return tuple(sorted(dict.fromkeys(found), key=lambda mode: -mode.base_size)), config.stride


def _turns(source: Path) -> "list[Turn]":
    from dsocr_jax.memory.history import Turn
    from dsocr_jax.memory.store import read_bytes, read_turns

    if source.suffix == ".jsonl":
        return read_turns(source)
    try:
        text = read_bytes(source).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UserError(f"{source}: not UTF-8 (byte {error.start}); convert it first") from None
    paragraphs = text.replace("\r\n", "\n").split("\n\n")
    return [Turn(kept) for paragraph in paragraphs if (kept := paragraph.strip("\n")).strip()]


def _name(row: "Row") -> str:
    return f"page-{row.page.number + 1:05}-{row.page.mode.name}.png"


_HEAD = ("age", "page", "mode", "pixels", "tokens", "characters", "per token", "x-height", "correlation", "letters")


def _cells(row: "Row") -> tuple[str, ...]:
    page = row.page
    numbers = (f"{row.characters_per_token:.1f}", f"{row.x_height:.1f}", f"{row.correlation:.3f}", f"{row.letters:.3f}")
    size = str(page.mode.base_size)
    return (str(page.age), str(page.number + 1), page.mode.name, size, str(page.tokens), str(row.characters), *numbers)


def _summary(rows: "Sequence[Row]", rendered: "Rendered", budget: int) -> list[str]:
    characters = sum(row.characters for row in rows)
    lines = [
        f"{rendered.tokens} of {budget} vision tokens for {len(rows)} pages with {characters} characters "
        f"({characters / rendered.tokens:.1f} a token)",
        f"gone: {len(rendered.gone)} pages; {len(rendered.gone_turns)} turns wholly, {len(rendered.cut_turns)} in part",
    ]
    if rendered.unknown:
        lines.append(f"{rendered.unknown} characters cannot be drawn; a replacement character stands for each")
    return lines


def _print(rows: "Sequence[Row]", rendered: "Rendered", budget: int) -> None:
    from rich.box import SIMPLE
    from rich.console import Console
    from rich.table import Table

    table = Table(box=SIMPLE, caption="x-height (pixels), correlation and letters told apart stand in for legibility")
    for name in _HEAD:
        table.add_column(name, justify="left" if name == "mode" else "right", no_wrap=True)
    for row in rows:
        table.add_row(*_cells(row))
    results = Console(highlight=False, soft_wrap=True, width=100)
    results.print(table)
    for line in _summary(rows, rendered, budget):
        results.print(line, markup=False)


def _html(rows: "Sequence[Row]", rendered: "Rendered", budget: int) -> str:
    from html import escape

    head = "".join(f"<th>{escape(name)}</th>" for name in _HEAD)
    body = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in _cells(row)) + "</tr>" for row in rows)
    pictures = "".join(
        f"<figure><figcaption>age {row.page.age}: {escape(row.page.mode.name)}, {row.page.tokens} tokens</figcaption>"
        f'<img src="{escape(_name(row))}" width="{row.page.mode.base_size}" alt=""></figure>\n'
        for row in rows
    )
    summary = "".join(f"<p>{escape(line)}</p>" for line in _summary(rows, rendered, budget))
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8"><title>Optical memory</title><style>'
        "body{font-family:sans-serif;margin:2em;background:#eee}table{border-collapse:collapse;background:#fff}"
        "td,th{padding:.2em .7em;text-align:right;border:1px solid #ccc}figure{display:inline-block;margin:1em 1em 0 0;"
        "vertical-align:top}img{border:1px solid #999;max-width:none}</style><h1>Optical memory</h1>"
        f'{summary}<p><img src="forgetting.png" alt="vision tokens and legibility against age"></p>'
        f"<table><tr>{head}</tr>{body}</table>\n{pictures}</html>\n"
    )
