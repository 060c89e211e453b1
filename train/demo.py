"""``make demo``: from nothing to a picture read, with the same commands that a user types.

Data is built, checked and shown; the nano model trains, is interrupted and goes on; it is measured and read with on
samples that it never saw; and a report of what came out is written. Nothing in it is canned.
"""

import dataclasses
import itertools
import json
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import tyro
from rich.markup import escape

from dsocr_jax.console import console, run_door
from dsocr_jax.errors import UserError
from dsocr_jax.weights.shipped import is_shipped

#: Door of each command, as the installation puts it beside the interpreter.
BIN = Path(sys.executable).parent

KINDS = ("pages", "charts", "molecules", "geometry")

#: Characters of an answer that are shown while the demonstration runs.
SAID = 400


@dataclasses.dataclass(frozen=True)
class Options:
    """How large the demonstration is."""

    #: Folder that takes everything; what an earlier demonstration left there is used again.
    out: Path = Path("demo")
    #: Samples of all families together; as many pages and half as many charts come on top.
    samples: int = 8000
    #: Held-out samples of all families together.
    held_out: int = 800
    #: Held-out samples of each family that are read aloud.
    read: int = 48
    #: Training steps; the first third is interrupted.
    steps: int = 1000
    #: Further pictures or PDFs to read.
    files: Annotated[tuple[Path, ...], tyro.conf.Positional] = ()


@dataclasses.dataclass
class Steps:
    """Says what is done, does it, and remembers how long it took."""

    total: int
    taken: list[tuple[str, float]] = dataclasses.field(default_factory=list)

    def begin(self, title: str) -> None:
        """Announce a part of the demonstration."""
        console.rule(f"[bold]{len(self.taken) + 1}/{self.total} {title}", align="left")
        self.taken.append((title, 0.0))
        self.started = time.monotonic()

    def run(self, door: str, *arguments: object, expect: int = 0) -> None:
        """Run one command to its end, its output going where ours goes."""
        command = _command(door, arguments)
        status = subprocess.run(command, check=False).returncode
        if status != expect:
            raise UserError(f"'{door}' ended with status {status}; its message stands above")
        self._clock()

    def run_until(self, door: str, *arguments: object, metrics: Path, step: int) -> None:
        """Run a training until ``step``, then interrupt it as Ctrl-C does, and wait until it has saved."""
        process = subprocess.Popen(_command(door, arguments))
        while process.poll() is None and _last_step(metrics) < step:
            time.sleep(0.5)
        if process.poll() is None:
            console.print(f"[yellow]step {step} is reached: interrupting the training, as Ctrl-C would")
            process.send_signal(signal.SIGINT)
        status = process.wait()
        if status not in (0, 130):
            raise UserError(f"'{door}' ended with status {status} instead of 130 after an interruption")
        self._clock()

    def _clock(self) -> None:
        title, _ = self.taken[-1]
        self.taken[-1] = (title, time.monotonic() - self.started)


def _command(door: str, arguments: Sequence[object]) -> list[str]:
    words = [str(word) for word in arguments]
    console.print(f"[dim]$ {door} {shlex.join(words)}", soft_wrap=True)
    if door.startswith("python"):
        return [sys.executable, *shlex.split(door)[1:], *words]
    return [str(BIN / door), *words]


def _last_step(metrics: Path) -> int:
    """Last step in a metrics file; 0 before there is one."""
    if not metrics.exists():
        return 0
    lines = [line for line in metrics.read_text().splitlines() if line.endswith("}")]
    return int(json.loads(lines[-1])["step"]) if lines else 0


def export_pictures(data: Path, out: Path, each: int) -> dict[str, list[tuple[Path, str]]]:
    """Write held-out pictures as PNG files; returns (file, true label) by kind."""
    from datagen.shards import SampleSet

    samples = SampleSet.open(data)
    written: dict[str, list[tuple[Path, str]]] = {}
    for kind in samples.kinds:
        folder = out / kind
        folder.mkdir(parents=True, exist_ok=True)
        for i in itertools.islice(samples.indices(kind), each):
            record = samples[i]
            file = folder / f"{kind}-{record.id:05d}.png"
            file.write_bytes(record.image)
            written.setdefault(kind, []).append((file, record.label))
    return written


def write_pdf(file: Path, text: str) -> None:
    """Typeset a line as a PDF with embedded fonts, by another program than our generator."""
    from matplotlib.backends.backend_pdf import FigureCanvasPdf
    from matplotlib.figure import Figure

    figure = Figure(figsize=(2, 2))
    FigureCanvasPdf(figure)
    figure.text(0.1, 0.5, text, fontsize=26, family="serif")
    figure.savefig(file, format="pdf", metadata={"CreationDate": None})


def photograph() -> Path:
    """A photograph that comes with matplotlib."""
    from matplotlib import get_data_path

    return Path(get_data_path()) / "sample_data" / "grace_hopper.jpg"


def read_shipped(steps: Steps, out: Path) -> dict[str, list[tuple[Path, str]]]:
    """Read held-out pictures, larger and harder than what nano learns, with the model that comes along.

    Returns (file, true label) by kind; the answers lie in ``answers/first/KIND``.
    """
    steps.begin("read with the model that comes along")
    data, pictures, answers = out / "first", out / "first-pictures", out / "answers" / "first"
    steps.run("dsocr-data", "build", "--level", "middle", "--split", "test", "--count", 12, "--seed", 5, "--out", data)
    written = export_pictures(data, pictures, 3)
    for kind, pairs in written.items():
        prompt = ("--prompt", "free" if kind == "pages" else "figure")
        steps.run("dsocr", "read", pictures / kind, *prompt, "--out", answers / kind)
        for file, truth in pairs:
            answer = json.loads((answers / kind / f"{file.stem}.json").read_text(encoding="utf-8"))["text"]
            console.print(f"[bold]{file.name}[/] says\n  {escape(_shown(truth))}")
            console.print(f"and was read as\n  {escape(_shown(answer))}")
    return written


def _shown(text: str) -> str:
    return text if len(text) <= SAID else f"{text[:SAID]}…"


def demo(options: Options) -> int:
    """Run the whole demonstration."""
    from train.demo_report import write_report

    out, steps = options.out, Steps(total=8 + is_shipped())
    config = Path(__file__).parents[1] / "configs" / "nano.py"
    if not config.is_file():
        raise UserError(f"{config} is missing; run the demonstration from a clone of the project")
    missing = [str(file) for file in options.files if not file.exists()]
    if missing:
        raise UserError(f"no such file: {', '.join(missing)}")
    out.mkdir(parents=True, exist_ok=True)
    first = read_shipped(steps, out) if is_shipped() else {}
    train_data = [out / name for name in ("train", "pages", "charts")]
    test_data, run = out / "test", out / "run"

    steps.begin("build samples of all families")
    build = ("build", "--level", "easy", "--workers", 2)
    sets = (("all", options.samples), ("pages", options.samples), ("charts", options.samples // 2))
    for seed, ((family, count), folder) in enumerate(zip(sets, train_data, strict=True), start=1):
        steps.run("dsocr-data", *build, "--family", family, "--count", count, "--seed", seed, "--out", folder)
    held_out = ("--split", "test", "--count", options.held_out, "--seed", 4, "--out", test_data)
    steps.run("dsocr-data", *build, "--family", "all", *held_out)

    steps.begin("check them and draw a contact sheet")
    steps.run("dsocr-data", "check", train_data[0])
    steps.run("dsocr-data", "show", test_data, "--count", 24, "--out", out / "contact-sheet.png")

    interrupt = max(1, options.steps // 3)
    train: tuple[object, ...] = (config.relative_to(Path.cwd()) if config.is_relative_to(Path.cwd()) else config,)
    train = (*train, "--data", *train_data, "--out", run, "--steps", options.steps)
    steps.begin(f"train the nano model, and interrupt it at step {interrupt}")
    if _last_step(run / "metrics.jsonl") < interrupt:
        steps.run_until("dsocr-train", *train, metrics=run / "metrics.jsonl", step=interrupt)

    steps.begin("go on exactly where it was")
    steps.run("dsocr-train", *train)

    steps.begin("does it look? held-out loss with its own picture and with another")
    heldout = out / "heldout.json"
    steps.run("python -m train.heldout", "--checkpoint", run, "--data", test_data, "--out", heldout)

    steps.begin("read held-out pictures")
    truths = export_pictures(test_data, out / "pictures", options.read)
    for kind, pictures in truths.items():
        prompt = "free" if kind == "pages" else "figure"
        files = [file for file, _ in pictures]
        shared = ("--checkpoint", run, "--prompt", prompt, "--rows", 16, "--max-new-tokens", 256)
        steps.run("dsocr", "read", out / "pictures" / kind, *shared, "--out", out / "answers" / kind)
        assert len(files) == len(list((out / "answers" / kind).glob("*.json")))

    steps.begin("read a PDF and a photograph")
    pdf = out / "page.pdf"
    write_pdf(pdf, truths["pages"][0][1])
    real = [pdf, photograph(), *options.files]
    steps.run("dsocr", "read", *real, "--checkpoint", run, "--max-new-tokens", 64, "--out", out / "answers" / "real")

    steps.begin("write the report")
    report = write_report(options.out, first, truths, real, steps.taken)
    steps.taken[-1] = (steps.taken[-1][0], time.monotonic() - steps.started)
    console.print(f"[bold green]done[/] in {sum(t for _, t in steps.taken) / 60:.1f} minutes: open {report}")
    return 0


def main() -> None:
    """Entry point of ``python -m train.demo``."""
    run_door(lambda: demo(tyro.cli(Options, prog="python -m train.demo", description=__doc__)))


if __name__ == "__main__":
    main()
