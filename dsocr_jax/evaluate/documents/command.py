"""``dsocr evaluate documents``."""

import dataclasses
from collections import Counter
from pathlib import Path

from dsocr_jax.answers import AnswerError
from dsocr_jax.answers.grounding import scan_grounding
from dsocr_jax.answers.markdown import to_markdown
from dsocr_jax.errors import UserError
from dsocr_jax.evaluate.asking import answer
from dsocr_jax.evaluate.bootstrap import Bootstrap
from dsocr_jax.evaluate.command import finish, settings_of
from dsocr_jax.evaluate.documents.score import score_document
from dsocr_jax.evaluate.documents.truth import ATTRIBUTES, read_benchmark
from dsocr_jax.evaluate.gather import asking_of
from dsocr_jax.evaluate.items import Item, Reply
from dsocr_jax.evaluate.options import Documents
from dsocr_jax.evaluate.parallel import map_scores
from dsocr_jax.evaluate.recorded import check_belong, read_replies
from dsocr_jax.evaluate.result import Evaluation, Labels, Scored, make_groups
from dsocr_jax.evaluate.show import make_examples

#: Larger files of recorded answers are no Markdown of a page.
MAX_ANSWER_BYTES = 4 << 20
#: Pages from which on several processes score them; a bad answer to a full page may take seconds.
WORTH_IT = 32


def run_documents(job: Documents) -> int:
    """Carry out the command; returns the exit status.

    Raises:
        UserError: see the parts.
        Stopped: by Ctrl-C or SIGTERM.
    """
    items, truths, counts = read_benchmark(job.data, job.limit)
    modes = () if job.mode is None else (job.mode,)
    if job.recorded is not None:
        replies = read_markdown(job.recorded) if job.recorded.is_dir() else read_replies(job.recorded)
        names = {item.id for item in items}
        # With a limit, answers to the pages beyond it are no strangers.
        if job.limit is None:
            check_belong(replies, items, str(job.recorded))
        replies = [dataclasses.replace(reply, mode="") for reply in replies if reply.id in names]
        more: dict[str, int] = {}
    else:
        asking = asking_of(job, modes, job.prompt, plain_text=True)
        replies, more = answer(items, asking, job.out, job.prompt)
        replies = [dataclasses.replace(reply, mode="") for reply in replies]
    if not replies:
        raise UserError(f"none of the {len(items)} pages has an answer; give --checkpoint, or --recorded answers")
    known = {reply.id: without_grounding(reply.text) for reply in replies}
    pages = [item for item in items if item.id in known or job.missing == "empty"]
    scored = _score(job, pages, [(known.get(item.id, ""), truths[item.id]) for item in pages])
    groups = make_groups(scored, group_names(scored), Bootstrap(job.samples, job.level, job.seed))
    counts = {
        "pages": len(items),
        "answered": len(known),
        "missing_answers": len(items) - len(known),
        **counts,
        **more,
        "tables_too_large": int(sum(item.metrics.get("_tables_too_large") or 0 for item in scored)),
    }
    evaluation = Evaluation("documents", settings_of(job), counts, groups, tuple(scored))
    shown = _plain_replies(items, replies)
    finish(job, evaluation, [], make_examples("documents", scored, items, shown, job.examples))
    return 0


def read_markdown(folder: Path) -> list[Reply]:
    """Read answers as the benchmark takes them: NAME.md (or NAME.jpg.md) for the picture NAME.jpg.

    Raises:
        UserError: the folder holds no such files, or one is no text of a page.
    """
    files = sorted(folder.glob("*.md"))
    if not files:
        raise UserError(f"{folder}: holds no .md files; name the folder of the answers")
    replies = []
    for file in files:
        if file.stat().st_size > MAX_ANSWER_BYTES:
            raise UserError(f"{file}: larger than {MAX_ANSWER_BYTES} bytes; that is not the text of a page")
        try:
            text = file.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise UserError(f"{file}: cannot be read ({error}); write it again") from None
        name = file.name.removesuffix(".md")
        stem = name.removesuffix(".jpg").removesuffix(".png").removesuffix(".jpeg")
        replies.append(Reply(stem, text))
    twice = [name for name, count in Counter(reply.id for reply in replies).items() if count > 1]
    if twice:
        raise UserError(f"{folder}: two answers for {twice[0]!r}; keep one")
    return replies


def without_grounding(text: str) -> str:
    """Return an answer without its boxes; text that cannot be read as grounded stays as it is."""
    try:
        return to_markdown(text, scan_grounding(text), {})
    except AnswerError:
        return text


def group_names(scored: list[Scored]) -> list[Labels]:
    """Return the labels of all groups: every page, then each value of each attribute."""
    names: list[Labels] = [{}]
    for label in ATTRIBUTES:
        names += [{label: value} for value in sorted({item.labels[label] for item in scored if label in item.labels})]
    return names


def _score(job: Documents, pages: list[Item], examples: list[tuple[str, object]]) -> list[Scored]:
    ids = [item.id for item in pages]
    rows = map_scores(score_document, examples, ids, "scoring pages", job.workers, WORTH_IT)
    return [Scored(item.id, dict(item.labels), row) for item, row in zip(pages, rows, strict=True)]


def _plain_replies(items: list[Item], replies: list[Reply]) -> list[Reply]:
    sets = {item.id: item.set for item in items}
    return [dataclasses.replace(reply, set=sets[reply.id]) for reply in replies]
