"""Checkpoints whose encoder is given the text itself (`dsocr_jax.model.rivals`), beside those that read pictures.

Their answers stand under a mode of their own, such as ``tiny, mean``: one table and one plot show them all.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path

from dsocr_jax.config import RIVALS, ModelConfig
from dsocr_jax.errors import UserError
from dsocr_jax.modes import find_mode, view_side

NOTE = (
    f"Modes with {', '.join(RIVALS[:-1])} or {RIVALS[-1]} are rivals of the encoder: they were GIVEN THE TEXT ITSELF, "
    "not its picture, and had to say it again from as many vectors."
)


def shown_mode(mode: str, config: ModelConfig) -> str:
    """Return the name under which a model's answers in a mode are shown.

    >>> from dsocr_jax.config import RivalConfig, preset
    >>> import dataclasses
    >>> shown_mode("tiny", dataclasses.replace(preset("nano"), rival=RivalConfig("mean")))
    'tiny, mean'
    """
    return mode if config.rival is None else f"{mode}, {config.rival.kind}"


def is_rival(shown: str) -> bool:
    """Whether a name of `shown_mode` is that of a rival."""
    return any(shown.endswith(f", {kind}") for kind in RIVALS)


def notes(shown: Iterable[str]) -> tuple[str, ...]:
    """Return what must be said below a table with these modes."""
    return (NOTE,) if any(map(is_rival, shown)) else ()


def check_equal(checkpoint: Path, rivals: Sequence[Path], modes: Sequence[str]) -> None:
    """Hold rivals against the checkpoint that they stand beside.

    Raises:
        UserError: one is none, two are of a kind, or they differ in the tokens by which they are compared.
    """
    from dsocr_jax.weights.checkpoint import read_config

    first = read_config(checkpoint)
    seen = {first.rival.kind: checkpoint} if first.rival is not None else {}
    for folder in rivals:
        config = read_config(folder)
        if config.rival is None:
            raise UserError(f"--rivals {folder}: that model reads pictures; name models trained with --rival")
        if config.rival.kind in seen:
            raise UserError(
                f"--rivals {folder}: {seen[config.rival.kind]} is {config.rival.kind} already; name one of each"
            )
        seen[config.rival.kind] = folder
        for mode in modes:
            ours, theirs = (_vectors(one, mode) for one in (first, config))
            if ours != theirs:
                raise UserError(
                    f"--rivals {folder}: in mode {mode} it has {theirs} vectors and {checkpoint} {ours}; compare at "
                    "equal numbers"
                )
        if _tokenizer(folder) != _tokenizer(checkpoint):
            raise UserError(
                f"--rivals {folder}: its tokenizer is not that of {checkpoint}; train them with the same one"
            )


def _vectors(config: ModelConfig, mode: str) -> int:
    found = find_mode(mode, {one.name: one for one in config.modes})
    return view_side(found.base_size, config.stride) ** 2


def _tokenizer(folder: Path) -> bytes:
    from dsocr_jax.weights.checkpoint import model_folder
    from dsocr_jax.weights.tokenizer_files import TOKENIZER_FILE

    file = model_folder(folder) / TOKENIZER_FILE
    return file.read_bytes() if file.is_file() else b""
