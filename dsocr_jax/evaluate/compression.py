"""The compression study: pages binned by their text tokens, read with few vision tokens.

After DeepSeek-OCR's paper (Table 2): English pages of Fox with 600 to 1300 text tokens, in bins of 100, read in the
modes of 64 and of 100 vision tokens; the number of a bin is the mean of its pages' word-set precision.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from dsocr_jax.errors import UserError
from dsocr_jax.evaluate.bootstrap import Bootstrap
from dsocr_jax.evaluate.items import Item, Reply
from dsocr_jax.evaluate.parallel import map_scores
from dsocr_jax.evaluate.result import Group, Labels, Scored, make_groups
from dsocr_jax.evaluate.scoring import score_page
from dsocr_jax.evaluate.text import Words

#: What becomes of a page without an answer: it scores as an empty answer, or is left out of the means (and counted).
Missing = Literal["empty", "skip"]
#: Label of pages whose text tokens are in no bin.
OUTSIDE = "outside"
MAX_BINS = 200


@dataclass(frozen=True)
class Bins:
    """Text tokens from ``first`` to below ``last``, in steps of ``width``."""

    first: int = 600
    last: int = 1300
    width: int = 100

    def __post_init__(self) -> None:
        steps, rest = divmod(self.last - self.first, max(self.width, 1))
        if self.first < 0 or self.width < 1 or rest or not 1 <= steps <= MAX_BINS:
            raise UserError(
                f"--bins takes FIRST LAST WIDTH with whole steps between them, at most {MAX_BINS} (600 1300 100), "
                f"not {self.first} {self.last} {self.width}"
            )

    def names(self) -> list[str]:
        """Return the bins' names in order."""
        return [self._name(low) for low in range(self.first, self.last, self.width)]

    def find(self, tokens: int) -> str:
        """Return the name of the bin with so many text tokens, or `OUTSIDE`."""
        if not self.first <= tokens < self.last:
            return OUTSIDE
        return self._name(tokens - (tokens - self.first) % self.width)

    def _name(self, low: int) -> str:
        return f"{low}-{low + self.width}"


def limits_of(name: str) -> tuple[int, int]:
    """Return the first token of a bin by its name, and the one behind its last."""
    low, _, high = name.partition("-")
    return int(low), int(high)


def score_compression(
    items: Sequence[Item],
    replies: Sequence[Reply],
    bins: Bins,
    count_tokens: Callable[[str], int] | None,
    vision_tokens: Mapping[str, int],
    *,
    missing: Missing = "empty",
    words: Words = "ideographs",
    workers: int | None = None,
) -> tuple[list[Scored], dict[str, int]]:
    """Score every page in every mode in which some page was answered.

    Args:
        items: pages with truths.
        replies: answers, all of them for these pages.
        bins: of text tokens.
        count_tokens: counts a truth's tokens where its source does not say them; None if there is no tokenizer.
        vision_tokens: of each mode, for replies that do not say theirs.
        missing: what becomes of pages without an answer.
        words: of texts with ideographs.
        workers: processes; None for as many as are worth it.

    Returns:
        The pages (labels ``set``, ``mode`` and ``tokens``, the bin), and counts of them.

    Raises:
        UserError: no answers, or no way to count tokens.
    """
    if not replies:
        raise UserError(f"none of the {len(items)} pages has an answer; give --checkpoint, or a file with predictions")
    known = {(reply.set, reply.mode, reply.id): reply for reply in replies}
    tokens = {(item.set, item.id): _tokens(item, count_tokens) for item in items}
    modes = sorted({reply.mode for reply in replies}, key=[reply.mode for reply in replies].index)
    counts: Counter[str] = Counter()
    chosen: list[tuple[Item, Reply]] = []
    for mode in modes:
        for item in items:
            reply = known.get((item.set, mode, item.id))
            counts["pages" if mode == modes[0] else ""] += 1
            if reply is None:
                counts["missing_answers"] += 1
                if missing == "skip":
                    continue
                reply = Reply(item.id, "", item.set, mode)
            else:
                counts["answered"] += 1
            chosen.append((item, reply))
    rows = map_scores(
        score_page,
        [(reply.text.strip(), item.truth.strip(), words) for item, reply in chosen],
        [item.id for item, _ in chosen],
        "scoring pages",
        workers,
    )
    scored = []
    for (item, reply), row in zip(chosen, rows, strict=True):
        text = tokens[item.set, item.id]
        vision = reply.vision_tokens or vision_tokens.get(reply.mode)
        if reply.finish_reason == "repetition":
            row["loops"] = 1.0
        row |= {
            "text_tokens": float(text),
            "answer_tokens": None if reply.answer_tokens is None else float(reply.answer_tokens),
            "vision_tokens": None if vision is None else float(vision),
            "compression": None if vision is None else text / vision,
        }
        labels = {**item.labels, "set": item.set, "mode": reply.mode, "tokens": bins.find(text)}
        counts["outside_the_bins"] += labels["tokens"] == OUTSIDE
        scored.append(Scored(item.id, labels, row))
    del counts[""]
    return scored, dict(counts)


def group_compression(scored: Sequence[Scored], bins: Bins, how: Bootstrap) -> tuple[Group, ...]:
    """Return, for each set and mode, a group for each bin and one for all pages inside the bins."""
    inside = [item for item in scored if item.labels["tokens"] != OUTSIDE]
    if not inside:
        raise UserError(
            f"none of the pages has {bins.first} to {bins.last} text tokens; choose other --bins "
            f"(the pages have {_range(scored)})"
        )
    names: list[Labels] = []
    for variant, mode in dict.fromkeys((item.labels["set"], item.labels["mode"]) for item in inside):
        both = {"set": variant, "mode": mode}
        names += [{**both, "tokens": name} for name in bins.names()] + [both]
    return make_groups(inside, names, how)


def _range(scored: Sequence[Scored]) -> str:
    tokens = [int(value) for item in scored if (value := item.metrics["text_tokens"]) is not None]
    return f"{min(tokens)} to {max(tokens)}"


def _tokens(item: Item, count: Callable[[str], int] | None) -> int:
    if item.tokens is not None:
        return item.tokens
    if count is None:
        raise UserError(
            f"the text tokens of {item.id!r} are not known; give --tokenizer (DeepSeek-OCR's tokenizer.json, see "
            "`dsocr tokenizer`), or 'token_count' in the recorded answers"
        )
    return count(item.truth)
