"""Molecules of files: read once into a folder from which any line can be had at once.

The folder holds ``molecules.smi`` (a canonical isomeric SMILES a line, none twice), ``offsets.u64`` (the place of every
`BLOCK`-th line, little-endian) and ``source.json``. Both data files are mapped, not loaded, so a source of a hundred
million lines takes no memory to speak of, and a sample is a pure function of its seed and the folder's content.
"""

import functools
import hashlib
import json
import mmap
import shutil
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from itertools import islice
from multiprocessing import get_context
from pathlib import Path

import numpy as np

from datagen.molecules import readers
from datagen.molecules.settings import STANDARD
from dsocr_jax.console import progress
from dsocr_jax.errors import UserError

FORMAT = 1
LINES, OFFSETS, CARD = "molecules.smi", "offsets.u64", "source.json"
#: Lines between two offsets.
BLOCK = 64
#: Files that lines are sorted into by their digest, so that equal ones meet; each is then held in memory by itself.
BUCKETS = 256
#: Lines that are handed to a worker together.
CHUNK = 2000
#: Examples of lines that could not be used, in the card.
EXAMPLES = 20


@dataclass
class Card:
    """What ``source.json`` says.

    Attributes:
        format: `FORMAT`.
        name: the names of the files, joined by ``+``.
        molecules: lines of ``molecules.smi``.
        sha256: of ``molecules.smi``.
        entries: lines with something in them that were read.
        duplicates: molecules that came more than once.
        skipped: how many entries could not be used, by reason.
        examples: some of them, as ``file:line: reason: text``.
        rdkit: the version that wrote the canonical forms.
    """

    format: int = FORMAT
    name: str = ""
    molecules: int = 0
    sha256: str = ""
    entries: int = 0
    duplicates: int = 0
    skipped: dict[str, int] = field(default_factory=dict)
    examples: list[str] = field(default_factory=list)
    rdkit: str = ""


def prepare_source(
    files: Sequence[str | Path],
    out: Path,
    *,
    column: str | None = None,
    atoms: tuple[int, int] = STANDARD.atoms,
    workers: int = 1,
) -> Card:
    """Write the source folder ``out`` from files of SMILES (see `datagen.molecules.readers`), and return its card.

    Molecules are compared by their canonical isomeric SMILES; of equal ones the first stays. Everything is streamed:
    memory holds a `BUCKETS`-th of the molecules, the disk for a while twice all of them.

    Args:
        files: paths, or names of `readers.PACKAGES`.
        out: the folder to write; it must not exist or be empty.
        column: header of the column with SMILES in CSV and TSV files; None finds it.
        atoms: fewest and most heavy atoms to keep.
        workers: processes that parse; the result does not depend on it.

    Raises:
        UserError: a file cannot be read, ``out`` is in use or cannot be written, or nothing could be used. ``out``
            is then as it was.
    """
    if not files:
        raise UserError("name at least one file of SMILES, or one of: " + ", ".join(readers.PACKAGES))
    for name in files:
        if not (found := readers.locate(str(name))[0]).is_file():
            raise UserError(f"{found}: there is no such file.")
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise UserError(f"{out} exists already; name a new folder.")
    work = out.with_name(out.name + ".unfinished")
    try:
        shutil.rmtree(work, ignore_errors=True)
        work.mkdir(parents=True)
        card = Card(name="+".join(Path(name).name for name in files), rdkit=_rdkit_version())
        _sort_in(files, column, atoms, workers, work, card)
        _write_out(work, card)
        if not card.molecules:
            reasons = ", ".join(f"{count} {reason}" for reason, count in card.skipped.items()) or "nothing in it"
            raise UserError(f"{card.name}: no molecule could be used ({reasons}).")
        (work / CARD).write_text(json.dumps(asdict(card), indent=1))
        if out.exists():
            out.rmdir()
        work.rename(out)
    except OSError as error:
        raise UserError(f"{out}: cannot be written ({error.strerror or error}).") from None
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return card


class MoleculeSource(Sequence[str]):
    """The lines of a source folder by their number."""

    def __init__(self, folder: Path) -> None:
        """Open the folder.

        Raises:
            UserError: it is not a source, or its files are not as they were written.
        """
        try:
            fields = json.loads((folder / CARD).read_text())
            if not isinstance(fields, dict) or fields.get("format") != FORMAT:
                raise ValueError("another format")
            self.name, self.sha256, self._count = str(fields["name"]), str(fields["sha256"]), int(fields["molecules"])
            self._offsets = np.memmap(folder / OFFSETS, dtype="<u8", mode="r")
            with (folder / LINES).open("rb") as file:
                self._lines = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        except (OSError, ValueError, KeyError) as error:
            raise UserError(
                f"{folder}: not a source of molecules ({error}); make one with `dsocr-data molecules prepare`."
            ) from None
        blocks = -(-self._count // BLOCK)
        if len(self._offsets) != blocks + 1 or int(self._offsets[-1]) != len(self._lines):
            raise UserError(f"{folder}: its files do not belong together; prepare it again.")

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, index: int) -> str:  # type: ignore[override]
        """Return line ``index``, from 0."""
        if not 0 <= index < self._count:
            raise IndexError(index)
        start, end = int(self._offsets[index // BLOCK]), int(self._offsets[index // BLOCK + 1])
        return self._lines[start:end].split(b"\n")[index % BLOCK].decode("ascii")


@functools.lru_cache(maxsize=8)
def load(folder: str) -> MoleculeSource:
    """Return the source in ``folder``, opened once in a process."""
    return MoleculeSource(Path(folder))


def source_digest(folder: str | Path) -> str:
    """Return what identifies the content of a source: the same digest, the same samples."""
    return MoleculeSource(Path(folder)).sha256


def _sort_in(
    files: Sequence[str | Path],
    column: str | None,
    atoms: tuple[int, int],
    workers: int,
    work: Path,
    card: Card,
) -> None:
    """Write the canonical forms of all entries into the buckets."""
    with ExitStack() as stack:
        buckets = [stack.enter_context((work / f"{n:03d}").open("wb")) for n in range(BUCKETS)]
        advance = stack.enter_context(progress("prepare", None, "lines"))
        pool = None
        if workers > 1:
            pool = stack.enter_context(ProcessPoolExecutor(workers, mp_context=get_context("forkserver")))
        for name in files:
            entries = readers.read(str(name), column)
            for chunk, results in _canonical_chunks(entries, atoms, pool, workers):
                for entry, (smiles, reason) in zip(chunk, results, strict=True):
                    card.entries += 1
                    if smiles is None:
                        card.skipped[reason] = card.skipped.get(reason, 0) + 1
                        if len(card.examples) < EXAMPLES:
                            text = (entry.smiles or "")[:60]
                            card.examples.append(f"{Path(name).name}:{entry.line}: {reason}: {text}".rstrip(": "))
                    else:
                        line = smiles.encode("ascii")
                        buckets[hashlib.blake2b(line, digest_size=1).digest()[0]].write(line + b"\n")
                advance(len(chunk), "")


def _canonical_chunks(
    entries: Iterator[readers.Entry], atoms: tuple[int, int], pool: ProcessPoolExecutor | None, workers: int
) -> Iterator[tuple[list[readers.Entry], list[tuple[str | None, str]]]]:
    """Yield chunks of entries with their canonical forms, in order; few chunks are held at a time."""
    waiting: list[tuple[list[readers.Entry], Future[list[tuple[str | None, str]]]]] = []
    while chunk := list(islice(entries, CHUNK)):
        if pool is None:
            yield chunk, canonical_forms(chunk, atoms)
            continue
        waiting.append((chunk, pool.submit(canonical_forms, chunk, atoms)))
        if len(waiting) > 2 * workers:
            first, result = waiting.pop(0)
            yield first, result.result()
    for first, result in waiting:
        yield first, result.result()


def canonical_forms(entries: Iterable[readers.Entry], atoms: tuple[int, int]) -> list[tuple[str | None, str]]:
    """Return for each entry its canonical isomeric SMILES and "", or None and the reason why it cannot be used."""
    from dsocr_jax.answers.errors import AnswerError
    from dsocr_jax.answers.smiles import parse_smiles, write_smiles

    found: list[tuple[str | None, str]] = []
    for entry in entries:
        if entry.smiles is None:
            found.append((None, entry.reason))
            continue
        try:
            mol = parse_smiles(entry.smiles)
            if not atoms[0] <= mol.GetNumHeavyAtoms() <= atoms[1]:
                found.append((None, "too few or too many atoms"))
                continue
            smiles = write_smiles(mol)
            stable = write_smiles(parse_smiles(smiles)) == smiles
            found.append((smiles, "") if stable else (None, "canonical form is not stable"))
        except AnswerError:
            found.append((None, "not a molecule"))
    return found


def _write_out(work: Path, card: Card) -> None:
    """Write the lines of all buckets without repetitions, and the offsets of their blocks."""
    digest, place = hashlib.sha256(), 0
    with (work / LINES).open("wb") as lines, (work / OFFSETS).open("wb") as offsets:
        for bucket in range(BUCKETS):
            file = work / f"{bucket:03d}"
            found = file.read_bytes().split(b"\n")[:-1]
            file.unlink()
            for line in (distinct := dict.fromkeys(found)):
                if card.molecules % BLOCK == 0:
                    offsets.write(np.array(place, dtype="<u8").tobytes())
                text = line + b"\n"
                digest.update(text)
                lines.write(text)
                place += len(text)
                card.molecules += 1
            card.duplicates += len(found) - len(distinct)
        offsets.write(np.array(place, dtype="<u8").tobytes())
    card.sha256 = digest.hexdigest()


def _rdkit_version() -> str:
    from rdkit import __version__

    return str(__version__)
