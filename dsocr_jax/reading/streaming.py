"""Text as it comes: ids in, whole characters out."""

from dsocr_jax.tokenizer import Tokenizer

#: What a decoder writes for bytes that are no character (yet).
BROKEN = "\N{REPLACEMENT CHARACTER}"
#: Ids that are decoded again with the new ones, so that their bytes may form characters together.
OVERLAP, MOST = 8, 32


class TextStream:
    """Turns the ids of one answer into pieces of text; together they are the answer's text, stripped as it is.

    A piece never ends within a character: bytes that may be the beginning of one wait for the next ids.
    """

    def __init__(self, tokenizer: Tokenizer):
        self.tokenizer = tokenizer
        self.ids: list[int] = []
        self.shown = 0
        self.begun = False
        self.blanks = ""

    def feed(self, ids: list[int]) -> str:
        """Return the text that new ids bring, perhaps none."""
        self.ids += ids
        text = self.tokenizer.decode(self.ids)
        piece = self._advance(text.removesuffix(BROKEN))
        if len(self.ids) > MOST and not text.endswith(BROKEN):
            self.ids = self.ids[-OVERLAP:]
            self.shown = len(self.tokenizer.decode(self.ids))
        return piece

    def finish(self) -> str:
        """Return what waited, when no more ids come."""
        return self._advance(self.tokenizer.decode(self.ids))

    def _advance(self, text: str) -> str:
        new, self.shown = text[self.shown :], max(self.shown, len(text))
        if not self.begun:
            new = new.lstrip()
        kept = new.rstrip()
        if not kept:
            self.blanks += new
            return ""
        self.begun = True
        piece, self.blanks = self.blanks + kept, new[len(kept) :]
        return piece
