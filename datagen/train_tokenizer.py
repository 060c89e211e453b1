"""Train the small tokenizer that ships with the project: byte-level BPE over our own labels."""

import re
from collections.abc import Iterator
from pathlib import Path

import tokenizers
from tokenizers import decoders, models, pre_tokenizers, trainers

from dsocr_jax.tokenizer import BOS, EOS, OCR_TOKENS, PAD


def train_tokenizer(labels: Iterator[str], vocab_size: int) -> tokenizers.Tokenizer:
    """Byte-level BPE; ids 0, 1, 2 are BOS, EOS, PAD and the last twelve the OCR tokens.

    Digits stay single (with the point before them), so that numbers look the same wherever they stand;
    signs, brackets and spaces between them merge, since our labels repeat the same few.
    """
    tokenizer = tokenizers.Tokenizer(models.BPE())
    pieces = tokenizers.Regex(r"\.?\d| ?\p{L}+|(?:[^\p{L}\d.]|\.(?!\d))+")
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(pieces, behavior="isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocab_size - len(OCR_TOKENS),
        special_tokens=[tokenizers.AddedToken(token, special=True) for token in (BOS, EOS, PAD)],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(labels, trainer)
    # Cell tags belong to answers, so they are not skipped as special.
    tokenizer.add_tokens(
        [tokenizers.AddedToken(token, special=token[1] == "|", normalized=False) for token in OCR_TOKENS]
    )
    return tokenizer


def label_stream(count: int, seed: int, level: str) -> Iterator[str]:
    """Labels of all families, without their pictures; cell tags are left out, as they are single tokens anyway."""
    from datagen.families import MODULES
    from datagen.sample import make_sample

    for index in range(count):
        for name in MODULES:
            yield re.sub("</?td>", "", make_sample(seed, name, index, "train", level).label)


def main(out: Path, count: int = 2000, seed: int = 0, vocab_size: int = 2048) -> None:
    """Write the tokenizer.

    Args:
        out: the file to write.
        count: labels per family and level.
        seed: seed of the labels.
        vocab_size: number of ids, special tokens included.
    """
    labels = (label for level in ("easy", "standard") for label in label_stream(count, seed, level))
    train_tokenizer(labels, vocab_size).save(str(out))


if __name__ == "__main__":
    import tyro

    tyro.cli(main)
