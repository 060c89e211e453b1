"""The small model that comes with the package: read with when nobody names another one."""

from pathlib import Path
from typing import NamedTuple

from dsocr_jax.errors import UserError

#: A folder in the released layout, written by ``python -m train.ship``.
SHIPPED = Path(__file__).parents[1] / "assets" / "small"

#: What it was taught to read in first.
MODE = "small"


class Chosen(NamedTuple):
    """The model to read with, and the mode that it is read in unless somebody says otherwise; None for its first."""

    checkpoint: Path
    mode: str | None


def is_shipped() -> bool:
    """Whether this copy of the package has the weights."""
    return (SHIPPED / "config.json").is_file()


def choose_model(checkpoint: Path | None) -> Chosen:
    """Return the named model, or the one that comes with the package.

    Raises:
        UserError: none is named, and none came along.
    """
    if checkpoint is not None:
        return Chosen(checkpoint, MODE if checkpoint.resolve() == SHIPPED.resolve() else None)
    if not is_shipped():
        raise UserError(
            "no model is named, and this copy of the package has no weights of its own; name a model folder or a "
            "training run by --checkpoint"
        )
    return Chosen(SHIPPED, MODE)
