"""The folder of a run: one run at a time works in it, and a full disk is told in one line."""

import contextlib
import errno
import fcntl
import os
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

import jax

from dsocr_jax.errors import UserError
from train.checkpoint import FOLDER
from train.goodput import FILE as GOODPUT

RUN, LOCK = "run.json", ".lock"

#: What the system says when a disk is full.
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)

#: Seconds between two signs of life in the lock file, and for how long another host's must be missing.
BEAT, SILENCE = 5.0, 20.0


@contextlib.contextmanager
def run_folder(folder: Path) -> Iterator[None]:
    """Make the folder, keep a second run out of it, and turn a full disk into one line.

    Raises:
        UserError: it holds other things, cannot be written, is in use, or its disk became full.
    """
    if jax.process_index() == 0:
        _check_folder(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = (folder / LOCK).open("a+", encoding="utf-8")
    except OSError as error:
        raise UserError(f"--out {folder} cannot be written ({error.strerror}); name another folder") from error
    with lock, _only_one(folder, lock) if jax.process_index() == 0 else contextlib.nullcontext():
        try:
            yield
        except OSError as error:
            if error.errno not in FULL:
                raise
            raise UserError(
                f"the disk of {folder} is full ({error.strerror}); the last whole checkpoint in {folder / FOLDER} is "
                "untouched. Make room and run the same command again"
            ) from error


@contextlib.contextmanager
def _only_one(folder: Path, lock: TextIO) -> Iterator[None]:
    """Hold the lock file, with a note of who does.

    The system's lock decides on one host, and it is gone with the process. Between hosts it depends on the file system
    whether they see each other's locks; so the holder touches the file, and another host waits whether it does.
    """
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise UserError(_in_use(folder, _holder(lock))) from None
    except OSError as error:  # a file system without locks; the note is all there is
        if error.errno not in (errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS):
            raise
    holder = _holder(lock)
    if holder and holder.split()[0] != socket.gethostname() and _alive(folder / LOCK):
        raise UserError(_in_use(folder, holder))
    lock.truncate(0)
    lock.write(f"{socket.gethostname()} process {os.getpid()}")
    lock.flush()
    stop = threading.Event()
    heart = threading.Thread(target=_beat, args=(folder / LOCK, stop), daemon=True)
    heart.start()
    try:
        yield
    finally:
        stop.set()
        heart.join()
        with contextlib.suppress(OSError):
            lock.truncate(0)


def _in_use(folder: Path, holder: str) -> str:
    return f"another training is at work in {folder} ({holder or 'it does not say where'}); wait or take another --out"


def _holder(lock: TextIO) -> str:
    lock.seek(0)
    return lock.read(200).strip()


def _alive(path: Path) -> bool:
    """Watch the file for `SILENCE` seconds: clocks of two hosts need not agree."""
    before, until = path.stat().st_mtime_ns, time.monotonic() + SILENCE
    while time.monotonic() < until:
        time.sleep(min(1.0, SILENCE / 4))
        if path.stat().st_mtime_ns != before:
            return True
    return False


def _beat(path: Path, stop: threading.Event) -> None:
    while not stop.wait(BEAT):
        with contextlib.suppress(OSError):
            os.utime(path)


def _check_folder(folder: Path) -> None:
    if folder.exists() and not folder.is_dir():
        raise UserError(f"--out {folder} is a file; name a folder")
    # A run that ended before its first file was written leaves no more than these.
    early = {LOCK, FOLDER, GOODPUT, f".{RUN}.partial", f".{GOODPUT}.partial"}
    if folder.exists() and not (folder / RUN).exists() and {path.name for path in folder.iterdir()} - early:
        raise UserError(f"--out {folder} holds other files and no run; name a new folder")
