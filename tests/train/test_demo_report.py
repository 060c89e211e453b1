"""The demonstration's report: what both models read stands in it."""

import json
from pathlib import Path

from PIL import Image

from train.demo_report import write_report

FIGURES = {"samples": 4, "own": 1.0, "own_se": 0.1, "swapped": 2.0, "swapped_se": 0.1, "gap": 1.0, "gap_se": 0.1}


def _read(out: Path, where: str, name: str, answer: str) -> Path:
    """A picture and its answer, as the reader leaves them."""
    file = out / f"{name}.png"
    Image.new("L", (8, 8), 200).save(file)
    folder = out / "answers" / where
    folder.mkdir(parents=True, exist_ok=True)
    said = {"text": answer, "mean_log_prob": -0.5, "finish_reason": "stop"}
    (folder / f"{name}.json").write_text(json.dumps(said))
    return file


def test_both_models_answers_stand_beside_their_truths(tmp_path: Path) -> None:
    first = {"pages": [(_read(tmp_path, "first/pages", "one", "Read <well>"), "Read <well>")]}
    truths = {"pages": [(_read(tmp_path, "pages", "two", "nano said"), "nano should have said")]}
    real = [_read(tmp_path, "real", "three", "from elsewhere")]
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "metrics.jsonl").write_text('{"step": 3, "loss": 1.5}\n')
    (tmp_path / "heldout.json").write_text(json.dumps({"kinds": {"pages": FIGURES}, "all": FIGURES}))
    for name in ("contact-sheet.png", "run/loss.png"):
        Image.new("L", (8, 8)).save(tmp_path / name)
    page = write_report(tmp_path, first, truths, real, [("read", 1.0)]).read_text(encoding="utf-8")
    assert page.index("Read by the model of the package") < page.index("Taught here: nano")
    assert '<td class="good"><code>Read &lt;well&gt;</code>' in page
    assert "nano should have said" in page and '<td class=""><code>nano said</code>' in page
    assert "from elsewhere" in page and page.count("data:image/png;base64,") == 5

    without = write_report(tmp_path, {}, truths, real, [("read", 1.0)]).read_text(encoding="utf-8")
    assert "Read by the model of the package" not in without
