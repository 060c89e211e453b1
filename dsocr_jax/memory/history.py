"""The history itself: turns go in, pages come out."""

from collections.abc import Iterable
from dataclasses import dataclass

from dsocr_jax.errors import UserError
from dsocr_jax.memory.budget import share_out, total
from dsocr_jax.memory.options import MemoryOptions
from dsocr_jax.memory.rendered import MemoryPage, Rendered
from dsocr_jax.memory.typeset import Line, typeset
from dsocr_jax.modes import Mode

#: Most characters of a memory, and of a role.
MAX_CHARACTERS, MAX_ROLE = 50_000_000, 40


@dataclass(frozen=True)
class Turn:
    """What was said, and by whom; without a role, a piece of a document."""

    text: str
    role: str = ""


class Memory:
    """A conversation or document history that fades.

    Pages are filled in order and only the newest one is open: adding a turn changes nothing on the others, and on the
    open one only the paper below its last line. The same options and turns give the same pages, byte for byte.

    Args:
        options: page, font, modes, half-life.
        turns: what is remembered from the start.
    """

    def __init__(self, options: MemoryOptions | None = None, turns: Iterable[Turn] = ()):
        self.options = options or MemoryOptions()
        self._turns: list[Turn] = []
        self._pages: list[list[Line]] = []
        self._characters = 0
        for turn in turns:
            self.add(turn.text, turn.role)

    def add(self, text: str, role: str = "user") -> None:
        """Append a turn; it begins on a line of its own.

        Raises:
            UserError: the role is longer than `MAX_ROLE` or has line breaks, there is neither text nor role, or the
                memory would hold more than `MAX_CHARACTERS`. Nothing is added then.
        """
        if len(role) > MAX_ROLE or len(role.splitlines()) > 1:
            raise UserError(f"memory: a role is one line of at most {MAX_ROLE} characters, not {role[:60]!r}")
        if not (text or role):
            raise UserError("memory: a turn without text and role has nothing to remember")
        if self._characters + len(text) > MAX_CHARACTERS:
            raise UserError(f"memory: holds at most {MAX_CHARACTERS} characters; leave out the oldest turns")
        lines = list(typeset(text, role, len(self._turns), self.options))
        self._turns.append(Turn(text, role))
        self._characters += len(text)
        for line in lines:
            if not self._pages or len(self._pages[-1]) == self.options.rows:
                self._pages.append([])
            self._pages[-1].append(line)

    @property
    def turns(self) -> tuple[Turn, ...]:
        """Everything that was added, the oldest first, whether or not a budget still shows it."""
        return tuple(self._turns)

    @property
    def pages(self) -> tuple[tuple[Line, ...], ...]:
        """The lines of every page, the oldest first."""
        return tuple(map(tuple, self._pages))

    def tokens(self, budget: int | None = None) -> int:
        """Return the vision tokens of `render` with the same budget, without drawing; None: of all pages at best."""
        return total(share_out(len(self._pages), budget, self.options), self.options)

    def plan(self, budget: int | None = None) -> tuple[Mode, ...]:
        """Return the modes of the pages that `render` shows with the same budget, the newest page's first."""
        return tuple(self.options.modes[level] for level in share_out(len(self._pages), budget, self.options))

    def render(self, budget: int | None = None) -> Rendered:
        """Return the pages that a budget of vision tokens shows, each with its mode; they are drawn when asked for.

        Raises:
            UserError: the budget does not even show the newest page in the smallest mode.
        """
        options = self.options
        count = len(self._pages)
        chosen = share_out(count, budget, options)
        first = count - len(chosen)
        pages = []
        for age, level in reversed(list(enumerate(chosen))):
            number = count - 1 - age
            lines = tuple(self._pages[number])
            pages.append(MemoryPage(number, age, options.modes[level], options.tokens[level], lines, options))
        # A turn goes on from one page to the next, so those of the pages before are all up to the last one there.
        last_gone = self._pages[first - 1][-1].turn if first else -1
        shown = {turn for page in pages for turn in page.turns}
        return Rendered(
            tuple(pages),
            tuple(range(first)),
            tuple(turn for turn in range(last_gone + 1) if turn not in shown),
            tuple(turn for turn in range(last_gone + 1) if turn in shown),
        )
