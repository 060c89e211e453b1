"""Text to ids and back: any ``tokenizer.json``, and prompts as the original builds them."""

from functools import cached_property
from pathlib import Path

import tokenizers

from dsocr_jax.errors import UserError
from dsocr_jax.prompts import IMAGE

BOS, EOS, PAD = "<｜begin▁of▁sentence｜>", "<｜end▁of▁sentence｜>", "<｜▁pad▁｜>"

#: The twelve tokens that the original adds to its language model's vocabulary, in their order.
OCR_TOKENS = (
    IMAGE,
    "<|ref|>",
    "<|/ref|>",
    "<|det|>",
    "<|/det|>",
    "<|grounding|>",
    "<td>",
    "</td>",
    "<tr>",
    "</tr>",
    "<|User|>",
    "<|Assistant|>",
)

#: A small byte-level BPE of our own, trained on labels of our generators.
SMALL_TOKENIZER = Path(__file__).parent / "assets" / "tokenizer.json"


class Tokenizer:
    """A ``tokenizer.json`` with the special tokens of DeepSeek-OCR."""

    def __init__(self, inner: tokenizers.Tokenizer, source: str = "tokenizer"):
        missing = [token for token in (BOS, EOS, PAD, *OCR_TOKENS) if inner.token_to_id(token) is None]
        if missing:
            raise UserError(
                f"{source}: lacks the special tokens {', '.join(missing)}; use DeepSeek-OCR's tokenizer.json"
            )
        self.inner = inner

    @classmethod
    def load(cls, path: str | Path | None = None) -> "Tokenizer":
        """Read a ``tokenizer.json``, or the folder that holds one; without a path, our small one."""
        file = Path(path) if path is not None else SMALL_TOKENIZER
        file = file / "tokenizer.json" if file.is_dir() else file
        if not file.is_file():
            raise UserError(f"{file}: no tokenizer found; put DeepSeek-OCR's tokenizer.json there")
        try:
            inner = tokenizers.Tokenizer.from_file(str(file))
        except Exception as error:  # the library raises bare Exception
            raise UserError(f"{file}: not a readable tokenizer.json ({error}); copy it again") from error
        return cls(inner, str(file))

    @cached_property
    def special_ids(self) -> dict[str, int]:
        """Ids of the special tokens."""
        ids = {token: self.inner.token_to_id(token) for token in (BOS, EOS, PAD, *OCR_TOKENS)}
        return {token: number for token, number in ids.items() if number is not None}

    @property
    def vocab_size(self) -> int:
        """Number of ids, special tokens included."""
        return self.inner.get_vocab_size()

    def encode(self, text: str) -> list[int]:
        """Ids of ``text`` alone: nothing is put before or behind it."""
        return self.inner.encode(text, add_special_tokens=False).ids

    def decode(self, ids: list[int], skip_special: bool = False) -> str:
        """Text of ``ids``; special tokens that belong to answers (such as ``<td>``) are kept unless skipped."""
        return self.inner.decode(ids, skip_special_tokens=skip_special)

    def prompt_ids(self, prompt: str, image_tokens: int) -> list[int]:
        """Ids of a prompt: BOS, then its pieces, with ``image_tokens`` placeholders for each ``<image>``.

        The prompt is stripped and its pieces are encoded apart from each other, as the original does.
        """
        ids = [self.special_ids[BOS]]
        for i, piece in enumerate(prompt.strip().split(IMAGE)):
            ids += [self.special_ids[IMAGE]] * image_tokens if i else []
            ids += self.encode(piece) if piece else []
        return ids
