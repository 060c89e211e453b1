"""Shards on disk: writing one as a pure function of its range of samples, and reading a whole set at random."""

import bisect
import contextlib
import errno
import hashlib
import itertools
import os
import threading
import time
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from datagen import manifest as manifests
from datagen import records
from datagen.card.statistics import Statistics
from datagen.manifest import Manifest, SetConfig, Shard, Written
from datagen.sample import make_sample
from dsocr_jax.errors import UserError

#: One record per group, so that any record is read alone; pictures are compressed already.
_WRITER_OPTIONS = "group_size:1,uncompressed"
_READER_OPTIONS = "readahead_buffer_size:0,max_parallelism:0"

#: Shards that one `SampleSet` keeps open; the one not read for longest is closed.
MAX_OPEN = 128

#: So much of a content's digest tells contents apart.
DIGEST_BYTES = 16

#: What the writer says when the device is full; it hands on the text of the system's error, not its number.
_FULL = ("No space left", "quota exceeded")


class Stopped(Exception):
    """The shard was given up half-way because the build is to end."""


@dataclass(frozen=True)
class Made:
    """A finished shard and what was counted while it was made.

    Attributes:
        written: the file.
        statistics: of its samples.
        digests: the first `DIGEST_BYTES` of every sample's content digest, one after another.
        seconds: processor time that it took.
    """

    written: Written
    statistics: Statistics
    digests: bytes
    seconds: float


def write_shard(
    directory: Path,
    shard: Shard,
    config: SetConfig,
    *,
    temporary: Path | None = None,
    advance: Callable[[], None] = lambda: None,
    stop: Callable[[], bool] = lambda: False,
) -> Made:
    """Make the samples of one shard and write them to ``directory / shard.name``.

    The file appears under its name when it is whole and on the device; until then it has a name that no other process
    uses, so that several may even make the same shard.

    Args:
        directory: where the set is.
        shard: the range of samples.
        config: the set's seed, split, level and degradation.
        temporary: the folder of half-written files, of the same file system; by default ``directory``.
        advance: called after every sample.
        stop: asked before every sample.

    Raises:
        Stopped: ``stop`` said so.
        OSError: the file cannot be written; ``errno`` is ENOSPC when the device is full.
    """
    start = time.process_time()
    partial = _partial(temporary or directory, shard)
    rejected: Counter[str] = Counter()
    statistics, digests = Statistics(), bytearray()
    settings = config.settings(shard.kind)
    try:
        with record_writer(partial) as write:
            for index in range(shard.first, shard.first + shard.records):
                if stop():
                    raise Stopped
                sample = make_sample(
                    config.seed,
                    shard.kind,
                    index,
                    config.split,
                    config.level,
                    degradation=config.degradation,
                    settings=settings,
                    rejected=rejected,
                )
                data = records.encode(sample)
                write(data)
                height, width = sample.image.shape[:2]
                statistics.add(index, (width, height), len(data), sample.label, sample.meta)
                digests += bytes.fromhex(sample.meta["content"])[:DIGEST_BYTES]
                advance()
        size, sha256 = _settled(partial)
        partial.replace(directory / shard.name)
    finally:
        partial.unlink(missing_ok=True)
    written = Written(shard.name, size, sha256, dict(sorted(rejected.items())))
    return Made(written, statistics, bytes(digests), time.process_time() - start)


def _partial(folder: Path, shard: Shard) -> Path:
    return folder / f"{shard.name}.{os.urandom(4).hex()}{manifests.PARTIAL}"


def _settled(file: Path) -> tuple[int, str]:
    """Wait until the file is on the device; return its size and SHA-256."""
    with file.open("rb") as stream:
        os.fsync(stream.fileno())
        sha256 = hashlib.file_digest(stream, "sha256").hexdigest()
        return stream.tell(), sha256


@contextlib.contextmanager
def record_writer(file: Path) -> Iterator[Callable[[bytes], None]]:
    """Open an array_record file for writing; the writer's own errors come out as OSError."""
    from array_record.python.array_record_module import ArrayRecordWriter

    try:
        writer = ArrayRecordWriter(str(file), _WRITER_OPTIONS)
    except RuntimeError as error:
        raise _as_os_error(error, file) from None
    try:
        yield writer.write
    finally:
        try:  # closing is when the writer tells of all that went wrong before
            writer.close()
        except RuntimeError as error:
            raise _as_os_error(error, file) from None


def _as_os_error(error: RuntimeError, file: Path) -> OSError:
    full = any(words in str(error) for words in _FULL)
    return OSError(errno.ENOSPC if full else errno.EIO, str(error), str(file))


def file_sha256(file: Path) -> str:
    """Return the SHA-256 of a file (hexadecimal)."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def remedy(file: Path) -> str:
    """Say how to get a broken shard back."""
    return f"delete {file} and run the same `dsocr-data build` again, which makes only what is missing."


class SampleSet:
    """A set on disk, read at random: ``len(samples)``, ``samples[i]``, iteration; and the paths by kind for Grain.

    Samples stand in the order of the manifest: kind after kind, each by id. An instance can be sent to other processes.
    It may be of some of the set's shards alone.

    Attributes:
        directory: where the set is.
        manifest: what it holds.
    """

    def __init__(self, directory: Path, manifest: Manifest, shards: Sequence[Shard] | None = None) -> None:
        self.directory = directory
        self.manifest = manifest
        planned = manifest.shards() if shards is None else shards
        self._shards = [shard for shard in planned if shard.name in manifest.written]
        self._starts = list(itertools.accumulate((shard.records for shard in self._shards), initial=0))
        self._readers: OrderedDict[str, Any] = OrderedDict()
        self._lock = threading.Lock()  # Grain reads from several threads

    @classmethod
    def open(cls, directory: str | Path) -> "SampleSet":
        """Open the set in ``directory``.

        Raises:
            UserError: there is no set, it is unfinished, or a shard is missing or truncated.
        """
        directory = Path(directory)
        manifest = manifests.read(directory)
        if not manifest.complete:
            raise UserError(
                f"the set in {directory} is unfinished; run the same `dsocr-data build` again to finish it."
            )
        samples = cls(directory, manifest)
        for shard in samples._shards:
            samples.check_size(shard)
        return samples

    def check_size(self, shard: Shard) -> None:
        """Raise UserError if the file of ``shard`` is missing or has another size than when it was written."""
        file, expected = self.directory / shard.name, self.manifest.written[shard.name].bytes
        try:
            size = file.stat().st_size
        except OSError:
            raise UserError(f"the shard {file} is missing; {remedy(file)}") from None
        if size != expected:
            what = "truncated" if size < expected else "not as it was written"
            raise UserError(f"the shard {file} is {what} ({size} bytes instead of {expected}); {remedy(file)}")

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds in the set."""
        return tuple(self.manifest.config["counts"])

    def paths(self, kind: str | None = None) -> list[str]:
        """Return the paths of the shards of one kind, or of all."""
        if kind is not None and kind not in self.kinds:
            raise UserError(f"the set in {self.directory} has no {kind!r}; it has {', '.join(self.kinds)}.")
        return [str(self.directory / shard.name) for shard in self._shards if kind in (None, shard.kind)]

    def indices(self, kind: str) -> range:
        """Return the range of indices at which the samples of ``kind`` stand."""
        places = [place for place, shard in enumerate(self._shards) if shard.kind == kind]
        return range(self._starts[places[0]], self._starts[places[-1] + 1]) if places else range(0)

    def __len__(self) -> int:
        return self._starts[-1]

    def __getitem__(self, index: int) -> records.Record:
        if not -len(self) <= index < len(self):
            raise IndexError(f"sample {index} of {len(self)}")
        index %= len(self)
        place = bisect.bisect_right(self._starts, index) - 1
        return self.read(self._shards[place], index - self._starts[place])

    def __iter__(self) -> Iterator[records.Record]:
        return (self[index] for index in range(len(self)))

    def read(self, shard: Shard, position: int) -> records.Record:
        """Return the record at ``position`` of ``shard``.

        Raises:
            UserError: it cannot be read; the message names the file and says what to do.
        """
        data = self.raw(shard, position)
        try:
            return records.decode(data)
        except UserError as error:
            raise self._damaged(shard, position, error) from None

    def raw(self, shard: Shard, position: int) -> bytes:
        """Return the bytes of the record at ``position`` of ``shard``; errors as `read`."""
        try:
            (data,) = self.open_shard(shard).read([position])
        except (RuntimeError, ValueError) as error:
            raise self._damaged(shard, position, error) from None
        return bytes(data)

    def _damaged(self, shard: Shard, position: int, error: Exception) -> UserError:
        file = self.directory / shard.name
        return UserError(f"record {position} of the shard {file} is damaged ({error}); {remedy(file)}")

    def open_shard(self, shard: Shard) -> Any:
        """Return the open reader of ``shard``; UserError if it cannot be read or holds another number of records."""
        from array_record.python.array_record_module import ArrayRecordReader

        with self._lock:
            if shard.name in self._readers:
                self._readers.move_to_end(shard.name)
                return self._readers[shard.name]
            file = self.directory / shard.name
            if not file.is_file():
                raise UserError(f"the shard {file} is missing; {remedy(file)}")
            reader = ArrayRecordReader(str(file), _READER_OPTIONS)
            if not reader.ok() or reader.num_records() != shard.records:
                found = f"{reader.num_records()} readable records instead of {shard.records}"
                raise UserError(f"the shard {file} is truncated or damaged ({found}); {remedy(file)}")
            self._readers[shard.name] = reader
            if len(self._readers) > MAX_OPEN:
                self._readers.popitem(last=False)  # not closed here: another thread may be reading it
            return reader

    def __getstate__(self) -> dict[str, Any]:
        return {"directory": self.directory, "manifest": self.manifest, "shards": self._shards}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__init__(**state)  # type: ignore[misc]

    def __repr__(self) -> str:  # Grain's checkpoints hold it: it must be the same in every process
        return f"SampleSet({str(self.directory)!r})"
