"""The folder of a set: what may be in it, who may write to it, and what its errors mean."""

import contextlib
import errno
import fcntl
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from datagen import manifest as manifests
from datagen.manifest import ABSENT, Manifest, SetConfig
from dsocr_jax.errors import UserError

#: Holds the notes of finished shards and all half-written files until the manifest lists every shard.
UNFINISHED = ".unfinished"

#: What a file system answers that has no locks of this kind (NFS has none on folders).
_NO_LOCKS = (errno.EBADF, errno.EINVAL, errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP)


def examine(config: SetConfig, directory: Path) -> Manifest | None:
    """Return the manifest that an earlier run left in ``directory``, None when there is nothing; touches nothing.

    Raises:
        UserError: the folder holds something else, or another set.
    """
    try:
        entries = {path.name for path in directory.iterdir()}
    except FileNotFoundError:
        return None
    except OSError as error:
        raise UserError(f"cannot use {directory} for a set: {error.strerror}; name another folder.") from None
    # Asked again, since another task may have written it while the folder was listed.
    if manifests.FILE not in entries and not (directory / manifests.FILE).exists():
        if others := {name for name in entries if name != UNFINISHED and not name.endswith(manifests.PARTIAL)}:
            raise UserError(
                f"{directory} is not empty and holds no set ({sorted(others)[0]} is there); name a new or empty folder."
            )
        return None
    manifest = manifests.read(directory)
    differing = [
        f"{name} is {_brief(there)} there and {_brief(asked)} here"
        for name, there, asked in differences(manifest, manifests.started(config))
    ]
    if differing:
        raise UserError(
            f"{directory} holds another set: {'; '.join(differing)}. "
            "Name another folder, or delete this one, or ask for the same set to continue it."
        )
    return manifest


def differences(there: Manifest, here: Manifest) -> Iterator[tuple[str, Any, Any]]:
    """Yield what two sets differ in: its name, and both values."""
    if there.generator_version != here.generator_version:
        yield "the generator's version", there.generator_version, here.generator_version
    for name in sorted(there.config.keys() | here.config.keys()):
        if (a := there.config.get(name)) != (b := here.config.get(name)):
            yield name, a, b
    for name in sorted(there.versions.keys() | here.versions.keys()):
        if (a := there.versions.get(name, ABSENT)) != (b := here.versions.get(name, ABSENT)):
            yield f"the version of {name}", a, b


def _brief(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) <= 80 else text[:77] + "..."


@contextlib.contextmanager
def errors_of_the_device(directory: Path) -> Iterator[None]:
    """Turn errors of writing into ones that say what to do."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            what = "the device is full; make room"
        else:
            what = f"{error.strerror or error} ({error.filename or directory}); mend it"
        raise UserError(
            f"cannot write the set in {directory}: {what} and run the same command to continue. "
            "What was finished is kept."
        ) from None


@contextlib.contextmanager
def locked(directory: Path, refusal: str, *, shared: bool = False) -> Iterator[bool]:
    """Hold a folder against other processes; the lock goes with the process, however it ends.

    Args:
        directory: made if it is missing.
        refusal: said when another process holds it.
        shared: hold it beside others that do so too.

    Yields:
        Whether it is really held: not where the file system has no such locks. Nothing is lost then, since no two
        processes write to files of one name, but half-written files of others must be left alone.

    Raises:
        UserError: another process holds it.
    """
    directory.mkdir(parents=True, exist_ok=True)
    handle = os.open(directory, os.O_RDONLY)
    held = True
    try:
        try:
            fcntl.flock(handle, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
        except BlockingIOError:
            raise UserError(refusal) from None
        except OSError as error:
            if error.errno not in _NO_LOCKS:
                raise
            held = False
        yield held
    finally:
        os.close(handle)
