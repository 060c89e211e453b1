"""What the commands ``dsocr evaluate ...`` take."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import tyro

#: Names of `dsocr_jax.reading.repetition.RULES`.
Rule = Literal["off", "plain", "plain-eval", "image", "pdf", "batch"]


@dataclass(frozen=True, kw_only=True)
class Shared:
    """What all evaluations take.

    Attributes:
        out: folder for evaluation.json, report.html and the model's answers; the same command again goes on.
        recorded: answers recorded before, by any program: JSON lines with 'id' and 'prediction', and 'truth' where no
            --data says it.
        checkpoint: a model folder, or the folder of a training run, which gives the answers.
        limit: most pages of each set.
        missing: pages without an answer score as an empty one, or are left out of the means; counted either way.
        samples: resampled sets of the bootstrap; 0 gives no intervals.
        level: share of them inside the interval.
        seed: of the bootstrap.
        workers: processes that score; by default one for each processor, where there is enough to do.
        examples: pages shown in the report.
        max_new_tokens: most tokens of an answer; by default what the model's context leaves.
        no_repeat: a rule against repetition, see 'dsocr read'.
        loops: end answers that go in circles.
        rows: pages read at the same time; by default 8 on CPUs and 256 on accelerators.
        threads: pages opened and prepared at the same time; by default one for each processor, up to 16.
        compile_cache: keep compiled programs, see 'dsocr read'.
        dtype: 'auto' is bfloat16 on accelerators and float32 on CPUs.
    """

    out: Path
    recorded: Path | None = None
    checkpoint: Path | None = None
    limit: int | None = None
    missing: Literal["empty", "skip"] = "empty"
    samples: int = 1000
    level: float = 0.95
    seed: int = 0
    workers: int | None = None
    examples: int = 24
    max_new_tokens: int | None = None
    no_repeat: Rule = "off"
    loops: bool = True
    rows: int | None = None
    threads: int | None = None
    compile_cache: bool = True
    dtype: Literal["auto", "float32", "bfloat16"] = "auto"


@dataclass(frozen=True, kw_only=True)
class Compression(Shared):
    """How much text fits into few vision tokens: pages binned by their text tokens, against modes.

    Attributes:
        data: pages: a set of `dsocr-data build`, a Fox folder, or a file of JSON lines with 'image' and 'truth'.
        variants: prior-free variants of the pages, NAME=PATH each (shuffled=sets/shuffled), reported beside them.
        rivals: models trained with --rival, beside --checkpoint in the same table; they are given the text itself.
        modes: modes to read in; by default the model's first. For recorded answers that do not say it, the one mode
            they were made in.
        bins: first text token, the one behind the last, and the width of a bin.
        prompt: what is asked: free, or any other of 'dsocr read'. Of a set, pages with this prompt count.
        tokenizer: counts text tokens: DeepSeek-OCR's tokenizer.json; by default the checkpoint's.
        words: in texts with ideographs, each of them, or what the package jieba divides them into (as Fox's script).
        fox_language: of a Fox folder with pages in both languages, those in English or in Chinese.
    """

    data: Path | None = None
    variants: tuple[str, ...] = ()
    rivals: tuple[Path, ...] = ()
    modes: tuple[str, ...] = ()
    bins: tuple[int, int, int] = (600, 1300, 100)
    prompt: str = "free"
    tokenizer: Path | None = None
    words: Literal["ideographs", "jieba"] = "ideographs"
    fox_language: Literal["en", "cn"] = "en"


@dataclass(frozen=True, kw_only=True)
class Kind(Shared):
    """What evaluations of one kind of figure take.

    Attributes:
        data: a set of `dsocr-data build`, or a file of JSON lines with 'image' and 'truth'.
        mode: mode to read in; by default the model's first.
        by: entries of the samples' remarks that they are grouped by (type, language, renderer).
    """

    data: Path | None = None
    mode: str | None = None
    by: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Charts(Kind):
    """Tables read from charts: RMS, SCRM, cell and number accuracy, TEDS."""


@dataclass(frozen=True, kw_only=True)
class Molecules(Kind):
    """SMILES read from drawings: valid, exact, exact without stereo, Tanimoto similarity."""


@dataclass(frozen=True, kw_only=True)
class Geometry(Kind):
    """Figures of plane geometry: F1 of segments as released and fixed, line types, points, circles."""


@dataclass(frozen=True, kw_only=True)
class Documents(Shared):
    """Pages of OmniDocBench: edit distances of text, formulas, tables and order, and TEDS.

    Of --recorded, a folder of NAME.md for every picture NAME.jpg is taken, too.

    Attributes:
        data: the benchmark's folder (OmniDocBench.json and images), or its JSON file.
        mode: mode to read in; by default the model's first.
        prompt: what is asked.
    """

    data: Path
    mode: str | None = None
    prompt: str = "markdown"


@dataclass(frozen=True)
class Compare:
    """Differences between two evaluations, with intervals; pages are paired by their ids.

    Attributes:
        first: an evaluation's folder, or its JSON file.
        second: another; a difference is what it has more.
        out: file for the differences as JSON.
        samples: resampled sets of the bootstrap.
        level: share of them inside the interval.
        seed: of the bootstrap.
        changed: show only differences whose interval leaves out zero.
    """

    first: tyro.conf.Positional[Path]
    second: tyro.conf.Positional[Path]
    out: Path | None = None
    samples: int = 1000
    level: float = 0.95
    seed: int = 0
    changed: bool = False


@dataclass(frozen=True)
class Variants:
    """Write prior-free variants of pages' texts, a corpus for the page generator: JSON lines with 'id' and 'text'.

    Attributes:
        data: a set of `dsocr-data build`, a Fox folder, or a file of JSON lines with 'image' and 'truth'.
        out: the file to write.
        variant: words in random order, two letters of every word swapped, or random letters.
        seed: of the random choices; a page's also depends on its id.
        limit: most pages.
    """

    data: tyro.conf.Positional[Path]
    out: Path
    variant: Literal["shuffled", "swapped", "random"] = "shuffled"
    seed: int = 0
    limit: int | None = None


Job = (
    Annotated[Compression, tyro.conf.subcommand("compression", prefix_name=False)]
    | Annotated[Documents, tyro.conf.subcommand("documents", prefix_name=False)]
    | Annotated[Charts, tyro.conf.subcommand("charts", prefix_name=False)]
    | Annotated[Molecules, tyro.conf.subcommand("molecules", prefix_name=False)]
    | Annotated[Geometry, tyro.conf.subcommand("geometry", prefix_name=False)]
    | Annotated[Compare, tyro.conf.subcommand("compare", prefix_name=False)]
    | Annotated[Variants, tyro.conf.subcommand("variants", prefix_name=False)]
)
