"""Parts of the tests of batch reading: inputs, a reader without a model, workers without processes."""

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from flax import nnx

from dsocr_jax.reading.asking import Answer
from dsocr_jax.reading.cluster.dispatch import Done, Event, Lost, Ready, Told
from dsocr_jax.reading.cluster.pages import Opener
from dsocr_jax.reading.cluster.plan import PlannedFile, Shard, Span
from dsocr_jax.reading.cluster.shard import ShardReader
from dsocr_jax.reading.documents import DocumentOptions, Failure, Page
from dsocr_jax.weights.checkpoint import save_model
from tests.dsocr_jax.reading import small
from tests.dsocr_jax.reading.made_documents import pdf, sized


def write_model(folder: Path) -> Path:
    """A model folder with the small model of these tests."""
    folder.mkdir(parents=True, exist_ok=True)
    small.tokenizer().inner.save(str(folder / "tokenizer.json"))
    save_model(folder / "model", small.CONFIG, nnx.state(small.model(), nnx.Param), folder / "tokenizer.json")
    return folder / "model"


def write_inputs(folder: Path, pictures: int = 5, pdf_pages: int = 4) -> Path:
    """A folder of pictures, a PDF if it is to have pages, a TIFF of two pages, and a file that cannot be read."""
    folder.mkdir(parents=True)
    for number in range(pictures):
        small.picture(number).save(folder / f"picture{number}.png")
    if pdf_pages:
        (folder / "document.pdf").write_bytes(pdf(*(sized(40 + number, 30) for number in range(pdf_pages))))
    small.picture(90).save(folder / "scan.tiff", save_all=True, append_images=[small.picture(91)])
    (folder / "broken.png").write_bytes(b"not a picture")
    return folder


def planned(path: str, kind: str = "picture", pages: int = 1, error: str = "") -> PlannedFile:
    return PlannedFile(path, 1, 2, kind, pages, error)  # type: ignore[arg-type]


def shard_of(*spans: Span) -> Shard:
    return Shard(0, 1, spans)


def lines(out: Path) -> list[dict[str, Any]]:
    """All lines of all shards, in order."""
    files = sorted((out / "shards").iterdir())
    return [json.loads(line) for file in files for line in file.read_bytes().splitlines()]


def places(out: Path) -> list[tuple[str, int | None]]:
    return [(Path(line["source"]).name, line["page"]) for line in lines(out)]


class HashReader:
    """Reads a page as the hash of its pixels."""

    def read(self, pages: Iterable[Page | Failure]) -> Iterator[Answer | Failure]:
        for page in pages:
            if isinstance(page, Failure):
                yield page
            else:
                text = hashlib.sha256(page.image.tobytes()).hexdigest()
                yield Answer(page, text, (1, 2), (-0.5, -0.5), "stop", 9, 4, "tiny", "", 1)


def shard_reader(folder: Path, reader: Any = None) -> ShardReader:
    """What reads shards in a worker, without a model."""
    made = object.__new__(ShardReader)
    made._reader = reader or HashReader()  # type: ignore[assignment]
    made._opener = Opener(DocumentOptions(), 2)
    made._folder = folder
    return made


class HereCrew:
    """Workers that are no processes: each shard is read when events are asked for.

    Args:
        read: reads a shard for a worker, and raises when the worker is to die of it.
        starts: whether a worker becomes ready.
    """

    def __init__(self, read: Callable[[int, Shard], Any], starts: Callable[[int], bool] = lambda number: True):
        self.read, self.starts = read, starts
        self.alive: dict[int, list[Shard]] = {}
        self.count = 0
        self.new: list[Event] = []
        self.given: list[tuple[int, int, int]] = []

    def start(self) -> int:
        number, self.count = self.count, self.count + 1
        self.alive[number] = []
        self.new.append(Ready(number) if self.starts(number) else Lost(number, "a bad start"))
        return number

    def give(self, worker: int, shard: Shard) -> None:
        self.alive[worker].append(shard)
        self.given.append((worker, shard.number, len(self.alive[worker])))

    def end(self, worker: int) -> None:
        del self.alive[worker]

    def events(self, seconds: float) -> list[Event]:
        found, self.new = self.new, []
        for number, shards in list(self.alive.items()):
            if shards:
                shard = shards[0]
                try:
                    tally = self.read(number, shard)
                except RuntimeError as error:
                    del self.alive[number]
                    found += [Told(number, shard.number, 1), Lost(number, str(error))]
                    continue
                shards.pop(0)
                found += [Told(number, shard.number, 1), Done(number, shard.number, tally)]
        return found
