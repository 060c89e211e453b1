"""What a worker does, whichever engine runs it: load the model once, read shards, write each as one file."""

import contextlib
import errno
import os
import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path

from dsocr_jax import __version__
from dsocr_jax.errors import UserError
from dsocr_jax.reading.asking import ReadOptions
from dsocr_jax.reading.cluster.lines import Tally, encode_line, line_of, tally_of
from dsocr_jax.reading.cluster.pages import Opener
from dsocr_jax.reading.cluster.plan import Shard
from dsocr_jax.reading.documents import DocumentOptions

#: End of the names of half-written files.
PARTIAL = ".partial"
#: What the system says when nothing more can be written, on this machine or another.
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
#: How long a network folder may take to show what another machine wrote, in seconds.
SEEN_WITHIN = 60.0


@dataclass(frozen=True)
class Job:
    """What every worker must know; travels to other processes and machines.

    Attributes:
        checkpoint: the model, absolute.
        dtype: of its weights; ``auto`` is bfloat16 on accelerators and float32 on CPUs.
        reading, documents: options.
        folder: where the shards go, absolute; every worker must reach it under this path.
        proof: a file that must be there, and its size: the folder is shared.
        samples: some of the sources, of which at least one must be there: so are they.
        cpu: compute on the CPU, even where there are accelerators.
        compile_cache: folder of compiled programs; None keeps none.
        versions: of what answers depend on, where the run was started.
    """

    checkpoint: Path
    dtype: str
    reading: ReadOptions
    documents: DocumentOptions
    folder: Path
    proof: tuple[Path, int]
    samples: tuple[str, ...] = ()
    cpu: bool = False
    compile_cache: Path | None = None
    versions: dict[str, str] = field(default_factory=dict)


def versions() -> dict[str, str]:
    """Return the versions of what answers depend on."""
    return {"dsocr-jax": __version__, "jax": version("jax"), "flax": version("flax")}


class ShardReader:
    """A model in this process; `read` may be called from several threads at once, which keeps its batch full.

    Args:
        job: what to know.

    Raises:
        UserError: this machine lacks the folder, the sources or the model, or has other versions.
    """

    def __init__(self, job: Job):
        here = versions()
        if differing := [name for name in job.versions if here.get(name) != job.versions[name]]:
            said = ", ".join(f"{name} {here.get(name)} instead of {job.versions[name]}" for name in differing)
            raise UserError(f"{socket.gethostname()} has {said}; install the same versions on every machine")
        _await_proof(*job.proof)
        # Otherwise a machine without them would turn every page that it gets into a failure, and quickly.
        if job.samples and not any(Path(sample).exists() for sample in job.samples):
            raise UserError(
                f"{socket.gethostname()} does not see {job.samples[0]}; sources must be reached under the same path by "
                "all machines"
            )
        import jax

        from dsocr_jax.reading.reader import Reader
        from dsocr_jax.reading.shapes import use_compile_cache
        from dsocr_jax.weights.checkpoint import load_model

        if job.cpu:
            jax.config.update("jax_platforms", "cpu")
        if job.compile_cache is not None:
            use_compile_cache(job.compile_cache)
        dtype = job.dtype
        if dtype == "auto":
            dtype = "float32" if jax.default_backend() == "cpu" else "bfloat16"
        self._reader = Reader(load_model(job.checkpoint, dtype), job.reading)
        self._opener = Opener(job.documents, job.reading.threads)
        self._folder = job.folder

    def read(self, shard: Shard, told: Callable[[int], None] = lambda pages: None) -> Tally:
        """Read a shard and write it; the file appears under its name when it is whole and on the device.

        Until then it has a name that no other process uses, so that several may even read the same shard.

        Args:
            shard: its pages.
            told: called with the number of its pages that are done, after each.

        Raises:
            UserError: the disk is full.
            OSError: the file cannot be written for another reason.
        """
        target = self._folder / shard.name
        partial = self._folder / f".{shard.name}.{socket.gethostname()}-{os.getpid()}-{os.urandom(4).hex()}{PARTIAL}"
        total, places = Tally(), shard.places()
        try:
            with _writing(target), partial.open("xb") as stream:
                results = self._reader.read(self._opener.open(shard))
                for place, result in zip(places, results, strict=True):
                    said = line_of(*place, result)
                    stream.write(encode_line(said))
                    total += tally_of(said)
                    told(total.pages)
                stream.flush()
                os.fsync(stream.fileno())
            partial.replace(target)
            _sync_folder(self._folder)
        finally:
            partial.unlink(missing_ok=True)
        return total

    def close(self) -> None:
        """End threads and processes."""
        self._opener.close()


@contextlib.contextmanager
def _writing(target: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno not in FULL:
            raise
        raise UserError(
            f"{target}: cannot be written ({error.strerror}); make room and run the same command again. "
            "What was finished is kept"
        ) from None


def _sync_folder(folder: Path) -> None:
    """Put the new name on the device too, where the file system can be asked to."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        with contextlib.suppress(OSError):
            os.fsync(handle)
    finally:
        os.close(handle)


def _await_proof(file: Path, size: int) -> None:
    deadline = time.monotonic() + SEEN_WITHIN
    while not (file.is_file() and file.stat().st_size == size):
        if time.monotonic() > deadline:
            raise UserError(
                f"{socket.gethostname()} does not see {file} as it was written; take an --out that all machines share "
                "under the same path"
            )
        time.sleep(0.5)
