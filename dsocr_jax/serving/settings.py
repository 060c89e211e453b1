"""What a server reads with, and what it lets requests ask for."""

from dataclasses import dataclass, field
from pathlib import Path

from dsocr_jax.errors import UserError
from dsocr_jax.reading.documents import DocumentOptions

#: Characters of a model's name that clients see.
MAX_NAME = 200


@dataclass(frozen=True)
class Limits:
    """What one request may ask for, how many may ask at once, and how long things may take.

    Attributes:
        max_bytes: most bytes of a body (of a picture in base64, too, which makes it a third longer).
        max_pages: most pages of a document.
        max_new_tokens: most tokens of a page's answer, and their number when a request names none.
        queue: requests that may wait, beside one for each row of the engine.
        body_seconds: time that a body may take to arrive.
        stop_seconds: time that running answers get to finish when the server is told to stop.
    """

    max_bytes: int = 50_000_000
    max_pages: int = 100
    max_new_tokens: int = 8192
    queue: int = 64
    body_seconds: float = 60
    stop_seconds: float = 60

    def __post_init__(self) -> None:
        for name in ("max_bytes", "max_pages", "max_new_tokens"):
            if getattr(self, name) < 1:
                raise UserError(f"--{name.replace('_', '-')} must be at least 1, not {getattr(self, name)}")
        for name in ("queue", "body_seconds", "stop_seconds"):
            if not getattr(self, name) >= 0:
                raise UserError(f"--{name.replace('_', '-')} must be at least 0, not {getattr(self, name)}")


def default_name(checkpoint: Path) -> str:
    """Return what clients call a model where nothing else is said: its folder's name."""
    return checkpoint.resolve().name.replace(":", "-")[:MAX_NAME] or "model"


@dataclass(frozen=True)
class ServeOptions:
    """How a server reads.

    Attributes:
        name: what clients call the model; ``NAME:MODE`` is the same model in another mode.
        mode: for requests that name none.
        no_repeat: name of the rule against repetition for requests that name none.
        ladder: read a page whose answer loops again, with a stronger rule; not in streams.
        rows: pages that are read at the same time, whoever sent them; None leaves it to the reader.
        threads: pages that are opened at the same time, and prepared at the same time.
        steps: tokens between two looks of the host: a stream gets so many at once.
        warm: compile what the default mode needs before ``/readyz`` says yes.
        limits: on requests.
        documents: how documents are opened.
    """

    name: str
    mode: str
    no_repeat: str = "off"
    ladder: bool = False
    rows: int | None = None
    threads: int = 4
    steps: int = 16
    warm: bool = True
    limits: Limits = field(default_factory=Limits)
    documents: DocumentOptions = field(default_factory=DocumentOptions)

    def __post_init__(self) -> None:
        if self.threads < 1:
            raise UserError(f"--threads must be at least 1, not {self.threads}")
        if not self.name or len(self.name) > MAX_NAME or ":" in self.name:
            raise UserError(f"a model's name has 1 to {MAX_NAME} characters and no colon, not {self.name[:MAX_NAME]!r}")
