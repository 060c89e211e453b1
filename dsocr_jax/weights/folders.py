"""Folders that appear complete or not at all."""

import contextlib
import shutil
from collections.abc import Iterator
from pathlib import Path

from dsocr_jax.errors import UserError

#: The disk must have room for this many times the parameters.
ROOM = 1.05


@contextlib.contextmanager
def complete_folder(folder: Path) -> Iterator[Path]:
    """Give a folder to write into; it takes the place of ``folder`` if all goes well, else nothing changes.

    Raises:
        UserError: for what the system reports while writing, such as a full disk.
    """
    folder = folder.absolute()
    partial, previous = (folder.with_name(folder.name + end) for end in (".partial", ".previous"))
    try:
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        yield partial
        shutil.rmtree(previous, ignore_errors=True)
        if folder.exists():
            folder.rename(previous)
        partial.rename(folder)
    except (OSError, ValueError) as error:
        shutil.rmtree(partial, ignore_errors=True)
        reason = "the disk is full: No space left on device" if "No space left" in str(error) else str(error)[:300]
        raise UserError(f"{folder}: the model could not be written ({reason}); what was there is intact") from error
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise
    shutil.rmtree(previous, ignore_errors=True)


def check_new(folder: Path) -> None:
    """Raise `UserError` unless ``folder`` is free to be written: absent or empty."""
    if folder.is_dir() and not any(folder.iterdir()):
        return
    if folder.exists() or folder.is_symlink():
        raise UserError(f"{folder}: exists already, and nothing is overwritten; name a new folder, or empty this one")


def check_room(folder: Path, nbytes: int) -> None:
    """Raise `UserError` unless the disk of ``folder`` has room for parameters of ``nbytes``."""
    there = next(parent for parent in (folder.absolute(), *folder.absolute().parents) if parent.exists())
    free = shutil.disk_usage(there).free
    if free < ROOM * nbytes:
        raise UserError(
            f"{folder}: needs {ROOM * nbytes / 1e9:.2f} GB and the disk has {free / 1e9:.2f} GB left; make room, or "
            "name a folder on another disk"
        )
