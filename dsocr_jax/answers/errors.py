"""The one error that the parsers and writers of answers raise."""


class AnswerError(ValueError):
    """A text is not in its kind's form, or a value cannot be written in it; the message says what and where."""


def bounded(text: str, limit: int, what: str) -> str:
    """Return ``text`` unchanged once it is known to be a string of at most ``limit`` characters.

    Every parser starts here, so that no later step ever sees text of unbounded length.
    """
    if not isinstance(text, str):
        raise AnswerError(f"{what}: expected text, found {type(text).__name__}")
    if len(text) > limit:
        raise AnswerError(f"{what}: {len(text)} characters, the limit is {limit}")
    return text


def excerpt(text: str, start: int = 0, length: int = 32) -> str:
    """Return a short quoted piece of ``text`` from ``start``, for messages."""
    piece = text[start : start + length]
    return ascii(piece) + ("..." if len(text) > start + length else "")
