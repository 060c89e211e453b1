"""``dsocr read``: everything between the words of the command line and the files that it leaves."""

import contextlib
import dataclasses
import hashlib
import json
import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from rich.markup import escape

from dsocr_jax.console import console
from dsocr_jax.errors import UserError
from dsocr_jax.reading.asking import Answer, ReadOptions, plan_tries
from dsocr_jax.reading.documents import DocumentOptions, Failure, PageRef, expand, list_files
from dsocr_jax.reading.loading import load_documents
from dsocr_jax.reading.meter import Meter
from dsocr_jax.reading.reader import CPU_ROWS, Reader
from dsocr_jax.reading.summary import LISTED, Summary
from dsocr_jax.reading.writer import AnswerFolder, JsonLines, Written, note_of, page_key, understood
from dsocr_jax.stop_signals import stop_signals
from dsocr_jax.weights.checkpoint import load_model, model_folder, read_config
from dsocr_jax.weights.tokenizer_files import load_tokenizer

#: Statuses of the command; 2 (words that it does not understand) comes from the command line's parser.
ALL_READ, SOME_FAILED, STOPPED = 0, 1, 130


@dataclasses.dataclass(frozen=True)
class ReadJob:
    """One call of ``dsocr read``.

    Attributes:
        sources: files, folders and patterns (``**`` for any folders between).
        checkpoint: the model.
        out: folder of the answers.
        jsonl: file of one line a page, or ``-``.
        again: read pages that have been read before, too.
        ordered: answers in the order of the pages.
        drawings: pictures for people among the answers.
        warm: compile every shape first.
        dtype: of the weights.
        reading, documents: options.
    """

    sources: Sequence[str]
    checkpoint: Path
    out: Path | None
    jsonl: str | None
    again: bool
    ordered: bool
    drawings: bool
    warm: bool
    dtype: str
    reading: ReadOptions
    documents: DocumentOptions


def run(job: ReadJob) -> int:
    """Read, and return the status.

    Raises:
        UserError: nothing can be read at all, or answers cannot be written.
    """
    if not job.sources:
        raise UserError("nothing to read: name pictures, PDFs, folders or patterns")
    # What can be wrong is found before the weights are read, which may take a while.
    config = read_config(job.checkpoint)
    tokenizer = load_tokenizer(model_folder(job.checkpoint), config)
    tokenizer.prompt_ids(job.reading.prompt, 0)
    plan_tries(job.reading, config, tokenizer)
    settings = settings_text(job)
    with contextlib.ExitStack() as stack:
        folder = None
        if job.out is not None:
            folder = AnswerFolder(job.out, job.drawings)
            stack.enter_context(folder.locked())
        lines = None if job.jsonl is None else JsonLines(job.jsonl)
        if lines is not None:
            stack.callback(lines.close)
        sources = expand(job.sources)
        options = job.reading
        if options.rows is None and (few := _few_files(sources)):
            options = dataclasses.replace(options, rows=min(few, CPU_ROWS))
        reader = Reader(load_model(job.checkpoint, job.dtype), options)
        if job.warm:
            _warm_up(reader)
        stop = stack.enter_context(stop_signals("stopping: the pages at work are finished; Ctrl-C again stops at once"))
        meter, summary = Meter(), Summary()
        outputs = _Outputs(reader, folder, lines, settings, meter, summary, job.again)
        _read(job, reader, sources, outputs, stop)
    summary.skipped, summary.seconds = meter.skipped, meter.seconds
    _report(job, summary, stop.is_set())
    if stop.is_set():
        return STOPPED
    return SOME_FAILED if summary.failed else ALL_READ


def settings_text(job: ReadJob) -> str:
    """Return everything beside its page that an answer depends on: options, resolution, type and model files."""
    folder = model_folder(job.checkpoint)
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    model = [(str(path.relative_to(folder)), path.stat().st_size, path.stat().st_mtime_ns) for path in files]
    reading = dataclasses.asdict(job.reading)
    for name in ("rows", "steps", "threads", "ahead", "cache_pages"):  # speed alone
        del reading[name]
    documents = {"dpi": job.documents.dpi}
    said = json.dumps([reading, documents, job.dtype, model], sort_keys=True, default=str)
    return hashlib.sha256(said.encode()).hexdigest()


def _few_files(sources: Sequence[str]) -> int:
    """How many pages there are when they are a few pictures; 0 when that is not known."""
    if len(sources) >= CPU_ROWS or any(Path(source).suffix.lower() in (".pdf", ".tif", ".tiff") for source in sources):
        return 0
    if any(Path(source).is_dir() for source in sources):
        return 0
    return len(sources)


def _count_files(sources: Sequence[str]) -> int:
    count = 0
    for source in sources:
        try:
            count += len(list_files(Path(source)))
        except (UserError, OSError, ValueError):
            count += 1  # a failure, told when it comes to it
    return count


def _warm_up(reader: Reader) -> None:
    from dsocr_jax.console import progress

    with progress("compiling", len(reader.shapes()), "shapes") as advance:
        reader.warm_up(advance=advance)


class _Outputs:
    """Where answers go, on threads of their own: drawing and encoding pictures takes longer than waiting for the next.

    Lines of JSON, and text on standard output, keep the order in which answers come.
    """

    def __init__(
        self, reader: Reader, folder: AnswerFolder | None, lines: JsonLines | None, settings: str, meter: Meter,
        summary: Summary, again: bool,
    ):  # fmt: skip
        self.folder, self.lines, self.settings = folder, lines, settings
        self.meter, self.summary, self.again = meter, summary, again
        self.config = reader.config
        self.modes = {mode.name: mode for mode in reader.config.modes}
        self.threads = reader.options.threads
        self.running: deque[Future[Callable[[], None]]] = deque()
        self.pool = ThreadPoolExecutor(self.threads, "write")

    @property
    def resumable(self) -> bool:
        """Whether pages that have been read can be told."""
        return not self.again and (self.folder is not None or (self.lines is not None and self.lines.target != "-"))

    def wanted(self, ref: PageRef) -> bool:
        """Whether a page is to be read: it is missing somewhere."""
        key = page_key(ref.digest, ref.page, self.settings)
        held = self.folder is None or self.folder.holds(ref, key)
        if held and self.lines is not None and self.lines.target != "-":
            held = self.lines.holds(key)
        if held and self.resumable:
            self.meter.skip()
            return False
        return True

    def take(self, item: Answer | Failure) -> None:
        """Write what has come; waits for earlier ones when many are under way."""
        self.running.append(self.pool.submit(self._make, item))
        while self.running and (len(self.running) > 2 * self.threads or self.running[0].done()):
            self.running.popleft().result()()

    def finish(self) -> None:
        """Wait for all."""
        while self.running:
            self.running.popleft().result()()
        self.pool.shutdown()

    def _make(self, item: Answer | Failure) -> Callable[[], None]:
        """Do what takes long, and return what must be done in order."""
        if isinstance(item, Failure):
            return lambda: self._failed(item)
        note = note_of(item, self.settings, self.modes, self.config.stride)
        result = understood(item)
        if self.folder is not None:
            self.folder.write(item, note, result)

        def rest() -> None:
            if self.lines is not None:
                self.lines.write(item, note, result)
            elif self.folder is None:
                print(item.text, flush=True)
            self._read(item, note)

        return rest

    def _read(self, answer: Answer, note: Written) -> None:
        self.summary.add(answer, note.valid_tokens)
        looped = self.summary.looped
        self.meter.advance(f"{looped} loops" if looped else "")

    def _failed(self, failure: Failure) -> None:
        if self.lines is not None:
            self.lines.write_failure(failure)
        self.summary.fail(failure)
        self.meter.advance()


def _read(job: ReadJob, reader: Reader, sources: Sequence[str], outputs: _Outputs, stop: threading.Event) -> None:
    meter = outputs.meter
    pages = load_documents(
        sources, job.documents, threads=job.reading.threads, wanted=outputs.wanted, found=meter.found
    )
    with meter:
        meter.found(_count_files(sources))
        meter.begin()
        try:
            for item in reader.read(pages, job.ordered, stop.is_set):
                outputs.take(item)
        finally:
            outputs.finish()


def _report(job: ReadJob, summary: Summary, stopped: bool) -> None:
    for failure in summary.failures:
        console.print("[bold red]not read:[/]", escape(failure.message))
    if summary.failed > LISTED:
        console.print(f"[bold red]not read:[/] {summary.failed - LISTED} more")
    console.print(summary.table())
    where = [str(place) for place in (job.out, job.jsonl if job.jsonl != "-" else None) if place is not None]
    if where and summary.read:
        console.print(escape(f"answers in {' and '.join(where)}"))
    if stopped:
        console.print("stopped; what was read is kept, and the same command goes on with the rest", style="yellow")
