"""Answers that were recorded before, by this program or by any other, as JSON lines.

A line has ``id`` and ``prediction`` (or ``text``), and perhaps ``truth`` (or ``label``), ``set``, ``mode``,
``token_count`` (text tokens of the truth), ``finish_reason``, ``answer_tokens``, ``vision_tokens``. Other entries are
passed over.
"""

from collections.abc import Sequence
from pathlib import Path

from dsocr_jax.errors import UserError
from dsocr_jax.evaluate.items import PLAIN, Item, Reply, Source
from dsocr_jax.evaluate.lines import read_lines, text_of, whole_of

#: Ids that a message lists.
LISTED = 3


def read_recorded(file: Path) -> tuple[Source, list[Reply]]:
    """Read truths and answers from one file; a line without a prediction is a page without answer.

    Raises:
        UserError: the file cannot be read, a line is malformed or lacks its truth, or there are none.
    """
    items: dict[tuple[str, str], Item] = {}
    replies = []
    for number, data in read_lines(file):
        where = f"{file}, line {number}"
        truth = text_of(data, ("truth", "label"), where)
        name, variant = text_of(data, ("id",), where), str(data.get("set", PLAIN))
        item = Item(name, truth, variant, whole_of(data, "token_count", where))
        if items.setdefault((variant, name), item) != item:
            raise UserError(f"{where}: the page {name!r} has been there before with another truth; make the ids unique")
        if data.get("prediction", data.get("text")) is not None:
            replies.append(_reply(data, where))
    if not items:
        raise UserError(f"{file}: holds no recorded answers; each line needs 'id', 'truth' and 'prediction'")
    _check_unique(replies, file)
    return Source(list(items.values()), name=str(file)), replies


def read_replies(file: Path, torn: bool = False) -> list[Reply]:
    """Read answers alone; lines that tell of an error are passed over.

    Raises:
        UserError: the file cannot be read, a line is malformed, or two lines answer the same page.
    """
    replies = [_reply(data, f"{file}, line {number}") for number, data in read_lines(file, torn) if "error" not in data]
    _check_unique(replies, file)
    return replies


def _reply(data: dict[str, object], where: str) -> Reply:
    return Reply(
        text_of(data, ("id",), where),
        text_of(data, ("prediction", "text"), where),
        str(data.get("set", PLAIN)),
        str(data.get("mode", "")),
        str(data.get("finish_reason", "")),
        whole_of(data, "answer_tokens", where),
        whole_of(data, "vision_tokens", where),
    )


def _check_unique(replies: Sequence[Reply], file: Path) -> None:
    seen: set[tuple[str, str, str]] = set()
    for reply in replies:
        key = (reply.set, reply.mode, reply.id)
        if key in seen:
            raise UserError(f"{file}: two answers for the page {reply.id!r}; keep one")
        seen.add(key)


def check_belong(replies: Sequence[Reply], items: Sequence[Item], where: str) -> None:
    """Refuse answers for pages that are not among the truths.

    Raises:
        UserError: with counts, and the first ids on both sides.
    """
    known = {(item.set, item.id) for item in items}
    strangers = sorted({reply.id for reply in replies if (reply.set, reply.id) not in known})
    if strangers:
        met = sum((reply.set, reply.id) in known for reply in replies)
        raise UserError(
            f"{where}: {len(strangers)} answers are for pages that are not among the {len(items)} truths "
            f"({_some(strangers)}), {met} are for pages that are; the truths have {_some([i.id for i in items])}. "
            "Give the answers of these pages"
        )


def _some(ids: Sequence[str]) -> str:
    return ", ".join(map(repr, ids[:LISTED])) + (" ..." if len(ids) > LISTED else "")
