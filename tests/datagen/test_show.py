import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from datagen import fonts, records, sheet, show
from datagen.build import build
from datagen.manifest import SetConfig
from datagen.redraw import redraw
from datagen.sample import Sample
from datagen.shards import SampleSet
from dsocr_jax.errors import UserError

LABELS = {
    "charts": "<table><tr><td></td><td>Orders &amp; &lt;script&gt;</td></tr><tr><td>Mon</td><td>120</td></tr></table>",
    "molecules": "CC(=O)Oc1ccccc1C(=O)O",
    "geometry": '{"Line": {"line": ["(-8.0, 0.0) -- (-4.0, 0.0) -- (0.0, 0.0) -- (4.0, 0.0) -- (8.0, 0.0)"], '
    '"line_type": ["--"], "line_endpoint": ["A: (-8.0, 0.0)"]}, '
    '"Circle": {"circle_center": ["O: (0.0, 0.0)"], "radius": [3.0]}}',
    "pages": "One paragraph.\n\nAnother & last.",
}


@pytest.fixture
def samples(tmp_path: Path, fake: None) -> SampleSet:
    build(SetConfig({"pages": 23}, 5, "all", "easy", 10), tmp_path / "set", 1)
    return SampleSet.open(tmp_path / "set")


def record(kind: str, label: str | None = None) -> records.Record:
    sample = Sample(np.zeros((30, 40), np.uint8), "<image>\n", label or LABELS[kind], kind, {"a": "<b>"}, 3, 5)
    return records.decode(records.encode(sample))


def test_samples_are_chosen_evenly(samples: SampleSet) -> None:
    assert show.choose(samples, 4) == [2, 8, 14, 20]
    assert show.choose(samples, 100) == list(range(23))


def test_html_is_written(samples: SampleSet, tmp_path: Path) -> None:
    assert show.write_sheet(samples.directory, 5, tmp_path / "sheet.html") == 5
    text = (tmp_path / "sheet.html").read_text()
    assert text.count('<img class="picture" src="data:image/png;base64,') == 5
    assert samples[11].label in text


def test_png_is_written(samples: SampleSet, tmp_path: Path) -> None:
    assert show.write_sheet(samples.directory, 3, tmp_path / "sheet.png") == 3
    assert Image.open(tmp_path / "sheet.png").width > 1000


def test_html_shows_every_kind_and_escapes_what_labels_say(samples: SampleSet) -> None:
    text = show.html([record(kind) for kind in LABELS], samples)
    assert "<td>Orders &amp; &lt;script&gt;</td>" in text
    assert "<script>" not in text
    assert text.count('<img class="drawing" src="data:image/svg+xml;base64,') == 2
    assert "<p>Another &amp; last.</p>" in text


def test_html_shows_labels_that_cannot_be_read(samples: SampleSet) -> None:
    text = show.html([record("charts", "<img src=x onerror=alert(1)>")], samples)
    assert '<p class="problem">' in text
    assert "<img src=x" not in text


@pytest.mark.parametrize("kind", sorted(LABELS))
def test_sheets_have_a_card_for_every_kind(kind: str) -> None:
    picture = np.asarray(sheet.draw_sheet([record(kind), record(kind), record(kind)]))
    two = np.asarray(sheet.draw_sheet([record(kind), record(kind)]))
    assert picture.shape[0] > 1.9 * two.shape[0] - 30
    assert picture.shape[1] == two.shape[1]


@pytest.mark.parametrize("kind", sorted(LABELS))
def test_a_label_is_redrawn_in_one_way(kind: str) -> None:
    redrawn = redraw(kind, LABELS[kind])
    assert [bool(redrawn.rows), bool(redrawn.svg), bool(redrawn.paragraphs)].count(True) == 1
    assert not redrawn.problem


def test_a_table_is_readable_in_columns() -> None:
    label = "<table><tr><td></td><td>Sum</td></tr><tr><td>Monday</td><td>7</td></tr></table>"
    assert sheet.readable("charts", label) == "        Sum\nMonday    7"


def test_a_figure_is_readable_by_its_strokes() -> None:
    assert sheet.readable("geometry", LABELS["geometry"]).splitlines() == [
        "- - (-8.0, 0.0) to (8.0, 0.0)",
        "circle O (0.0, 0.0) radius 3.0",
        "A (-8.0, 0.0)",
    ]


def test_a_label_that_cannot_be_read_stays_as_it_is() -> None:
    assert sheet.readable("charts", "<table>").startswith("<table>\n\n")


@pytest.mark.parametrize("anywhere", [False, True])
@pytest.mark.parametrize("text", ["many short words in a row " * 4, "oneverylongword" * 9, "a\n\nb"])
def test_wrapped_lines_fit_and_keep_everything(text: str, anywhere: bool) -> None:
    font = fonts.load("DejaVuSans", 13)
    lines = sheet.wrapped(text, font, 120, anywhere=anywhere)
    assert all(font.getlength(line) <= 120 for line in lines)
    assert re.sub(r"\s", "", "".join(lines)) == re.sub(r"\s", "", text)


def test_long_labels_are_cut_with_a_note(monkeypatch: pytest.MonkeyPatch) -> None:
    short = sheet.draw_sheet([record("pages", "word " * 2000 + "end")])
    assert short.height < 600


@pytest.mark.parametrize(
    ("count", "name", "message"),
    [
        (5, "sheet.pdf", "must end in .html or .png"),
        (5000, "sheet.png", "at most 2000"),
        (5, "no/sheet.png", "cannot write"),
    ],
)
def test_what_cannot_be_written(samples: SampleSet, tmp_path: Path, count: int, name: str, message: str) -> None:
    with pytest.raises(UserError, match=message):
        show.write_sheet(samples.directory, count, tmp_path / name)
