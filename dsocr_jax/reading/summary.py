"""What a reading came to, as numbers and as a table."""

import dataclasses

from rich.table import Table

from dsocr_jax.reading.asking import Answer
from dsocr_jax.reading.documents import Failure

#: Failures that are listed one by one.
LISTED = 20


@dataclasses.dataclass
class Summary:
    """Sums over the pages of one reading.

    Attributes:
        read: pages with an answer, blank ones among them.
        blank: pages with nothing on them.
        skipped: pages that had been read before.
        failed: pages and files that were not read.
        looped: pages whose first answer went in circles, and
        looping: those whose last answer did.
        long: answers that the limit cut off.
        tokens: of all answers.
        vision, valid: tokens of pictures in the prompts; those that show the picture.
        confidence: sum over the pages that the model saw.
        seconds: it took.
        failures: the first `LISTED`.
    """

    read: int = 0
    blank: int = 0
    skipped: int = 0
    failed: int = 0
    looped: int = 0
    looping: int = 0
    long: int = 0
    tokens: int = 0
    vision: int = 0
    valid: int = 0
    confidence: float = 0.0
    seconds: float = 0.0
    failures: list[Failure] = dataclasses.field(default_factory=list)

    def add(self, answer: Answer, valid_tokens: int) -> None:
        """Count an answer."""
        self.read += 1
        if answer.tries == 0:
            self.blank += 1
            return
        self.looping += answer.finish_reason == "repetition"
        self.looped += answer.finish_reason == "repetition" or answer.tries > 1
        self.long += answer.finish_reason == "length"
        self.tokens += len(answer.token_ids)
        self.vision += answer.vision_tokens
        self.valid += valid_tokens
        self.confidence += answer.confidence

    def fail(self, failure: Failure) -> None:
        """Count what was not read."""
        self.failed += 1
        if len(self.failures) < LISTED:
            self.failures.append(failure)

    def table(self) -> Table:
        """Return the numbers for people."""
        table = Table(show_header=False, box=None, pad_edge=False, padding=(0, 2))
        table.add_column(justify="right", style="bold")
        table.add_column()

        def row(number: str, what: str) -> None:
            table.add_row(number, what)

        rate = self.read / self.seconds if self.seconds else 0.0
        row(f"{self.read:,}", f"pages read in {_duration(self.seconds)}: {rate:.2f} pages/s, {rate * 86400:,.0f} a day")
        if self.blank:
            row(f"{self.blank:,}", "of them blank")
        if self.skipped:
            row(f"{self.skipped:,}", "read before, left as they are")
        seen = self.read - self.blank
        if seen:
            row(f"{self.tokens:,}", f"answer tokens, {self.tokens / seen:.1f} a page")
            share = self.valid / self.vision if self.vision else 0.0
            row(
                f"{self.vision:,}",
                f"vision tokens, {self.vision / seen:.1f} a page; {self.valid:,} valid ({share:.0%})",
            )
            if self.valid:
                row(f"{self.tokens / self.valid:.2f}", "compression: answer tokens for each valid vision token")
            row(f"{self.confidence / seen:.3f}", "mean confidence")
            ended = f"; {self.looping:,} still did at last" if self.looping != self.looped else ""
            row(f"{self.looped:,}", f"loops ({self.looped / seen:.1%} of pages){ended}")
            if self.long:
                row(f"{self.long:,}", "answers cut off by the limit of tokens")
        row(f"{self.failed:,}", "not read")
        return table


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {rest} s" if minutes else f"{seconds:.1f} s"
