"""The folder of a batch reading: its lock, its plan, its shards.

OUT/plan.jsonl                    what is read (`plan`)
OUT/shards/00000-of-00012.jsonl   answers, a line of JSON a page (`lines`)
OUT/summary.json                  what the last run came to
OUT/pages.jsonl                   all shards in order, when it is asked for
"""

import contextlib
import errno
import fcntl
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from dsocr_jax.errors import UserError
from dsocr_jax.reading.cluster.lines import Tally, tally_file
from dsocr_jax.reading.cluster.plan import Plan, Shard, read_plan, write_plan
from dsocr_jax.reading.cluster.shard import FULL, PARTIAL

#: What a file system answers that has no locks of this kind.
_NO_LOCKS = (errno.EBADF, errno.EINVAL, errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP)
LOCK, PLAN, SHARDS, SUMMARY, MERGED = ".lock", "plan.jsonl", "shards", "summary.json", "pages.jsonl"


@dataclass(frozen=True)
class OutFolder:
    """Paths within an output folder, which need not exist."""

    path: Path

    @property
    def plan(self) -> Path:
        """The plan's file."""
        return self.path / PLAN

    @property
    def shards(self) -> Path:
        """The folder of shards."""
        return self.path / SHARDS

    def load_plan(self) -> Plan | None:
        """Return the plan that an earlier run left, None when there is none.

        Raises:
            UserError: it cannot be followed, or the folder holds something else.
        """
        try:
            return read_plan(self.plan)
        except FileNotFoundError:
            pass
        try:
            others = {entry.name for entry in self.path.iterdir()} - {LOCK, SHARDS, PLAN + PARTIAL}
        except FileNotFoundError:
            return None
        if others:
            raise UserError(f"{self.path} holds other files ({min(others)} is there) and no plan; name a new --out")
        return None

    def save_plan(self, plan: Plan) -> None:
        """Write a plan and make the folder of shards."""
        with errors_of_the_device(self.path):
            self.shards.mkdir(exist_ok=True)
            write_plan(plan, self.plan)

    def begun(self) -> bool:
        """Whether there are shards, whole or half-written."""
        return self.shards.is_dir() and any(self.shards.iterdir())

    def tallies(
        self, shards: Sequence[Shard], advance: Callable[[int, str], None] = lambda amount, note: None
    ) -> dict[int, Tally]:
        """Return the sums over each whole shard, by number; what is half-written or broken counts as missing.

        Args:
            shards: of the plan.
            advance: told of every shard.
        """
        names = {entry.name for entry in self.shards.iterdir()}
        found = {}
        for shard in shards:
            if shard.name in names and (tally := tally_file(self.shards / shard.name, shard)) is not None:
                found[shard.number] = tally
            advance(1, "")
        return found

    def sweep(self) -> None:
        """Delete half-written files; only under the lock, when no worker is at work."""
        for file in self.shards.glob(f".*{PARTIAL}"):
            file.unlink(missing_ok=True)


@contextlib.contextmanager
def locked(folder: OutFolder) -> Iterator[None]:
    """Make the folder, and hold it against other runs; the lock goes with the process, however it ends.

    Where the file system has no locks nothing is held, and nothing lost: files of one name are only replaced by equal
    ones.

    Raises:
        UserError: another run holds it, or it cannot be made.
    """
    with errors_of_the_device(folder.path):
        folder.path.mkdir(parents=True, exist_ok=True)
        handle = os.open(folder.path / LOCK, os.O_RDWR | os.O_CREAT, 0o666)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise UserError(f"another run is reading into {folder.path}; wait, or name another --out") from None
        except OSError as error:
            if error.errno not in _NO_LOCKS:
                raise
        yield
    finally:
        os.close(handle)


@contextlib.contextmanager
def errors_of_the_device(path: Path) -> Iterator[None]:
    """Turn errors of writing into ones that say what to do."""
    try:
        yield
    except OSError as error:
        remedy = "make room" if error.errno in FULL else "name another --out, or mend it"
        where = error.filename or path
        raise UserError(f"{where}: cannot be written ({error.strerror}); {remedy}. What is there is kept") from None
