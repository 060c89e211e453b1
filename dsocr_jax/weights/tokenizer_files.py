"""The tokenizer of a model folder, held against the model's ids."""

from pathlib import Path

import tokenizers

from dsocr_jax.config import ModelConfig
from dsocr_jax.errors import UserError
from dsocr_jax.tokenizer import BOS, EOS, IMAGE, OCR_TOKENS, PAD, Tokenizer

TOKENIZER_FILE = "tokenizer.json"


class MissingTokenizer(Tokenizer):
    """Stands in a model loaded from a folder without a tokenizer; its first use is a `UserError`."""

    def __init__(self, folder: Path):
        self.folder = folder

    @property
    def inner(self) -> tokenizers.Tokenizer:  # type: ignore[override]
        """Raise `UserError`."""
        file = self.folder / TOKENIZER_FILE
        raise UserError(
            f"{self.folder}: no {TOKENIZER_FILE}: run 'dsocr tokenizer --out {file}', or copy the model's own"
        )


def load_tokenizer(folder: Path, config: ModelConfig) -> Tokenizer:
    """The tokenizer in ``folder``; a `MissingTokenizer` if there is none, for what needs only the weights.

    Raises:
        UserError: it cannot be read, or its ids are not those that the model means.
    """
    if not (folder / TOKENIZER_FILE).is_file():
        return MissingTokenizer(folder)
    tokenizer = Tokenizer.load(folder / TOKENIZER_FILE)
    check_tokenizer(tokenizer, config, str(folder))
    return tokenizer


def check_tokenizer(tokenizer: Tokenizer, config: ModelConfig, where: str) -> None:
    """Raise `UserError`, beginning with ``where``, unless the ids of ``tokenizer`` are those that ``config`` means."""
    expected = {
        BOS: config.bos_token_id,
        EOS: config.eos_token_id,
        PAD: config.pad_token_id,
        IMAGE: config.image_token_id,
    }
    if config.image_token_id == ModelConfig.image_token_id:  # the released vocabulary, whose other ids are known too
        expected |= {token: config.image_token_id + i for i, token in enumerate(OCR_TOKENS)}
    ids = tokenizer.special_ids
    wrong = [f"{token} is {ids[token]}, the model has {id_}" for token, id_ in expected.items() if ids[token] != id_]
    if tokenizer.vocab_size > config.decoder.vocab_size:
        wrong.append(f"it has {tokenizer.vocab_size} ids, the model {config.decoder.vocab_size}")
    if wrong:
        raise UserError(f"{where}: the tokenizer does not belong to the model: {'; '.join(wrong)}")
