"""Which page is seen in which mode: a budget of vision tokens shared out by age.

A mode that shows m x m vision tokens of a page is worth m, its resolution; a page of age a is worth 2^(-a / half_life)
of a new one. The steps from nothing to the smallest mode, and from each mode to the next sharper one, are bought in
the order of worth per token, until the next step costs more than what is left. Since m grows more slowly than the
tokens, which are about m^2, a page's steps come in order; since worth falls with age, so does every resolution.

The order of the steps does not depend on the budget or on how many pages there are, and buying ends at the first step
that cannot be paid. So a larger budget makes no page worse, and a page that ages never becomes sharper or comes back.
"""

import math
from collections.abc import Sequence

from dsocr_jax.errors import UserError
from dsocr_jax.memory.options import MemoryOptions
from dsocr_jax.modes import view_side

#: Largest budget: far above any context, far below what would take long to share out.
MAX_BUDGET = 10_000_000


def share_out(pages: int, budget: int | None, options: MemoryOptions) -> list[int]:
    """Return for each age the index of the mode in which a page is seen; the newest page, age 0, comes first.

    Args:
        pages: how many there are.
        budget: most vision tokens of all pages together; None sets no limit (`MemoryOptions.ages` still holds).
        options: modes and half-life.

    Returns:
        Indices into ``options.modes``, which do not fall; as many as there are pages left. Older ones are gone.

    Raises:
        UserError: the budget does not even show the newest page in the last mode.
    """
    tokens = options.tokens
    limits = [_limit(age, options) for age in range(_oldest(pages, options))]
    if budget is None:
        return limits
    if not 0 <= budget <= MAX_BUDGET:
        raise UserError(f"the budget must be at most {MAX_BUDGET} vision tokens and not negative, not {budget}")
    if pages and budget < tokens[-1]:
        raise UserError(
            f"a budget of {budget} vision tokens cannot show one page: the smallest mode, {options.modes[-1].name}, "
            f"takes {tokens[-1]}; allow more, or add a smaller mode"
        )
    chosen: list[int] = []
    left = budget
    # One page more than can be paid: buying ends there, whatever a cheaper step might still cost.
    for age, level in _steps(limits[: budget // tokens[-1] + 1], options):
        price = tokens[level] - (tokens[level + 1] if level + 1 < len(tokens) else 0)
        if price > left:
            break
        left -= price
        if age == len(chosen):
            chosen.append(level)
        else:
            chosen[age] = level
    return chosen


def total(chosen: Sequence[int], options: MemoryOptions) -> int:
    """Return the vision tokens of pages seen in these modes."""
    return sum(options.tokens[level] for level in chosen)


def _oldest(pages: int, options: MemoryOptions) -> int:
    return pages if options.ages is None else min(pages, options.ages[-1])


def _limit(age: int, options: MemoryOptions) -> int:
    """Return the sharpest mode that a page of this age may have."""
    if options.ages is None:
        return 0
    return next(level for level, first_too_old in enumerate(options.ages) if age < first_too_old)


def _steps(limits: Sequence[int], options: MemoryOptions) -> list[tuple[int, int]]:
    """Return (age, mode to go to), what is worth most per token first; of equals the younger page's."""
    tokens, last = options.tokens, len(options.modes) - 1
    sides = [view_side(mode.base_size, options.stride) for mode in options.modes]
    worth = [
        math.log2(
            (sides[level] - (sides[level + 1] if level < last else 0))
            / (tokens[level] - (tokens[level + 1] if level < last else 0))
        )
        for level in range(last + 1)
    ]
    # Rounded, so that what is equal stays equal on every machine.
    steps = [
        (-round(worth[level] - age / options.half_life, 9), age, -level)
        for age, limit in enumerate(limits)
        for level in range(last, limit - 1, -1)
    ]
    return [(age, -level) for _, age, level in sorted(steps)]
