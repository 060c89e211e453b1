"""Make the ten samples of this folder again: ``python examples/finetune/make.py``.

Each line of documents.jsonl holds pictures, relative to its folder, and turns: questions with one ``<image>`` for each
picture, in their order, and answers. Only answers are learned.
"""

import json
from pathlib import Path
from typing import Any

from PIL import Image

from datagen.sample import Sample, make_sample
from dsocr_jax.answers.tables import parse_table

FOLDER = Path(__file__).parent
SEED = 7


def main() -> None:
    """Write documents.jsonl and its pictures."""
    pages = [_one(_sample("pages", i)) for i in range(3)]
    charts = [_one(_sample("charts", i)) for i in range(3)]
    lines = [*pages, *charts, _two_turns(_sample("charts", 3)), _one(_sample("geometry", 0))]
    lines += [_one(_sample("molecules", 0)), _two_pictures(_sample("molecules", 1), _sample("molecules", 2))]
    text = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
    (FOLDER / "documents.jsonl").write_text(text, encoding="utf-8")


def _sample(family: str, index: int) -> Sample:
    return make_sample(SEED, family, index, "train", "easy")


def _one(sample: Sample) -> dict[str, Any]:
    return {"images": [_save(sample)], "turns": _turns((sample.prompt, sample.label))}


def _two_turns(sample: Sample) -> dict[str, Any]:
    """A table, and then a question about it."""
    rows = len(parse_table(sample.label).rows) - 1
    return {
        "images": [_save(sample)],
        "turns": _turns((sample.prompt, sample.label), ("How many rows does the table have?", str(rows))),
    }


def _two_pictures(*samples: Sample) -> dict[str, Any]:
    question = "<image>\n<image>\nParse both figures."
    answer = "\n".join(sample.label for sample in samples)
    return {"images": [_save(sample) for sample in samples], "turns": _turns((question, answer))}


def _turns(*pairs: tuple[str, str]) -> list[dict[str, str]]:
    roles = ("user", "assistant")
    return [{"role": role, "text": text} for pair in pairs for role, text in zip(roles, pair, strict=True)]


def _save(sample: Sample) -> str:
    name = f"{sample.kind}-{sample.id}.png"
    Image.fromarray(sample.image).save(FOLDER / name, optimize=True)
    return name


if __name__ == "__main__":
    main()
