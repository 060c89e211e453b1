"""Rules against repetition, on the device: which next ids are banned.

The released code has two: the whole-sequence rule of the plain script and the windowed rule, with a
whitelist, of the serving scripts.
"""

import dataclasses

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Int

from dsocr_jax.errors import UserError
from dsocr_jax.tokenizer import Tokenizer


@dataclasses.dataclass(frozen=True)
class NoRepeat:
    """Ban an id that would complete an n-gram seen before.

    Attributes:
        ngram: n.
        window: None looks at the whole sequence, prompt included; otherwise an n-gram counts only when it
            lies wholly inside the last ``window`` ids.
        whitelist: ids that are never banned.
    """

    ngram: int
    window: int | None = None
    whitelist: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        """Refuse what could not ban anything."""
        if self.ngram < 1 or (self.window is not None and self.window < self.ngram):
            raise UserError(f"no-repeat rule: needs 1 <= ngram <= window, got {self.ngram} and {self.window}")


#: Tags of table cells may repeat, as in the released scripts.
CELL_TAGS = (128821, 128822)

#: The rules of the released scripts by name.
RULES: dict[str, NoRepeat | None] = {
    "off": None,
    "plain": NoRepeat(20),
    "plain-eval": NoRepeat(35),
    "image": NoRepeat(30, 90, CELL_TAGS),
    "pdf": NoRepeat(20, 50, CELL_TAGS),
    "batch": NoRepeat(40, 90, CELL_TAGS),
}


def named_rule(name: str, tokenizer: Tokenizer) -> NoRepeat | None:
    """Return the rule called ``name``, its whitelist in the ids of ``tokenizer``.

    Raises:
        UserError: there is none.
    """
    if name not in RULES:
        raise UserError(f"no rule against repetition is called {name!r} (known: {', '.join(RULES)})")
    rule = RULES[name]
    if rule is None or not rule.whitelist:
        return rule
    return dataclasses.replace(rule, whitelist=tuple(tokenizer.special_ids[tag] for tag in ("<td>", "</td>")))


def stronger(rule: NoRepeat | None) -> NoRepeat:
    """Return a rule that bans more: over the whole sequence, and then with half the length.

    No answer can go round in circles under it for longer than its n-grams; equal cells of a table may be lost.
    """
    whole = RULES["plain"]
    assert whole is not None
    if rule is None or rule.window is not None or rule.ngram > whole.ngram:
        return whole
    return NoRepeat(max(2, rule.ngram // 2))


def banned_ids(
    rule: NoRepeat, ids: Int[Array, "b s"], lengths: Int[Array, " b"], vocab_size: int
) -> Bool[Array, "b v"]:
    """Which ids may not follow each row.

    Args:
        ids: the rows so far, prompt included; what lies at and beyond ``lengths`` is not looked at.
        lengths: number of ids of each row.
    """
    return jax.vmap(lambda row, n: _banned_row(rule, row, n, vocab_size))(ids, lengths)


def _banned_row(rule: NoRepeat, ids: Int[Array, " s"], length: Int[Array, ""], vocab_size: int) -> Bool[Array, " v"]:
    n = rule.ngram
    if rule.window is not None:
        if n == 1:  # the windowed rule compares n - 1 = 0 ids and bans nothing; the whole-sequence rule bans all seen
            return jnp.zeros(vocab_size, bool)
        # Only the window is looked at, so only the window is cut out: the cost does not grow with the row.
        start = jnp.maximum(length - rule.window, 0)
        size = min(rule.window, ids.shape[0])
        ids = jnp.take(ids, start + jnp.arange(size), mode="clip")
        length = length - start
    prefix = jnp.take(ids, length - (n - 1) + jnp.arange(n - 1), mode="clip")
    starts = jnp.arange(ids.shape[0])
    same = starts <= length - n
    for k in range(n - 1):
        same &= jnp.take(ids, starts + k, mode="clip") == prefix[k]
    last = jnp.take(ids, starts + n - 1, mode="clip")
    banned = jnp.zeros(vocab_size, bool).at[jnp.where(same, last, vocab_size)].set(True, mode="drop")
    allowed = jnp.array([i for i in rule.whitelist if i < vocab_size], jnp.int32)
    return banned.at[allowed].set(False)
