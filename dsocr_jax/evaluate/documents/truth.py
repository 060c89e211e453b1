"""The benchmark's annotations: OmniDocBench.json and its pictures."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dsocr_jax.errors import UserError
from dsocr_jax.evaluate.documents.blocks import split_rows
from dsocr_jax.evaluate.documents.normal import normal_formula, normal_text
from dsocr_jax.evaluate.items import Item
from dsocr_jax.evaluate.pictures import picture_from
from dsocr_jax.evaluate.sources import read_json

#: Kinds of blocks whose text is compared.
TEXT = frozenset({"text_block", "title", "code_txt", "code_txt_caption", "reference"})
#: Kinds that are looked for, so that they are not taken for something else, and not compared.
PASSED_OVER = frozenset(
    {
        *("figure_caption", "figure_footnote", "table_caption", "table_footnote", "code_algorithm"),
        *("code_algorithm_caption", "header", "footer", "page_footnote", "page_number", "equation_caption"),
    }
)
FORMULA, TABLE = "equation_isolated", "table"
#: Attributes of a page that it is grouped by.
ATTRIBUTES = ("language", "data_source", "layout")
#: Where pictures lie beside the JSON file.
FOLDERS = ("images", "imgs", "pdf_images", ".")


@dataclass(frozen=True)
class TrueBlock:
    """A block of the truth.

    Attributes:
        category: as annotated.
        raw: text, or LaTeX of a formula.
        normal: as it is compared.
        order: in which it is read.
    """

    category: str
    raw: str
    normal: str
    order: float


@dataclass(frozen=True)
class Truth:
    """A page's annotations: blocks in reading order, and HTML of its tables in reading order."""

    blocks: tuple[TrueBlock, ...]
    tables: tuple[str, ...]


def read_benchmark(path: Path, limit: int | None = None) -> tuple[list[Item], dict[str, Truth], dict[str, int]]:
    """Read pages, their truths by id, and counts of what is missing.

    Args:
        path: the benchmark's JSON file, or the folder with it.
        limit: most pages; None for all.

    Raises:
        UserError: there is no such file, it is something else, or it holds no pages.
    """
    file = _json_file(path)
    pages = read_json(file)
    if not isinstance(pages, list) or not pages:
        raise UserError(f"{file}: not a list of pages; name OmniDocBench.json")
    items: list[Item] = []
    truths: dict[str, Truth] = {}
    missing = 0
    for number, page in enumerate(pages[:limit]):
        try:
            name = str(page["page_info"]["image_path"])
            attributes = page["page_info"].get("page_attribute", {})
            truth = page_truth(page)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise UserError(
                f"{file}, page {number}: not annotated as in OmniDocBench ({error!r}); get it again"
            ) from None
        stem = Path(name).stem
        if stem in truths:
            raise UserError(f"{file}, page {number}: the picture {name!r} has been there before; make the pages unique")
        picture = _picture(file.parent, name)
        missing += picture is None
        labels = {key: str(attributes[key]) for key in ATTRIBUTES if key in attributes}
        text = "\n\n".join([*(block.raw for block in truth.blocks), *truth.tables])
        items.append(Item(stem, text, picture=None if picture is None else picture_from(picture), labels=labels))
        truths[stem] = truth
    return items, truths, {"missing_pictures": missing}


def page_truth(page: Mapping[str, Any]) -> Truth:
    """Return a page's truth from its entry in the JSON file; parts of a block that goes on elsewhere become one.

    Raises:
        KeyError, TypeError, ValueError: it is not annotated as the benchmark's pages are.
    """
    blocks = [block for block in _joined(page) if block["category_type"] in TEXT | PASSED_OVER | {FORMULA, TABLE}]
    blocks.sort(key=_order)
    found: list[TrueBlock] = []
    for block in blocks:
        category = str(block["category_type"])
        if category == FORMULA:
            rows = split_rows(str(block["latex"]))
            steps = [_order(block) + (at / 10 if len(rows) > 1 else 0) for at in range(1, len(rows) + 1)]
            found += [
                TrueBlock(category, row, normal_formula(row), step) for row, step in zip(rows, steps, strict=True)
            ]
        elif category != TABLE:
            text = str(block["text"])
            found.append(TrueBlock(category, text, normal_text(text), _order(block)))
    tables = tuple(str(block["html"]) for block in blocks if block["category_type"] == TABLE and block.get("html"))
    return Truth(tuple(block for block in found if block.normal), tables)


def _joined(page: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return a page's blocks, those that are parts of one another joined in their order."""
    blocks = {block["anno_id"]: dict(block) for block in page["layout_dets"]}
    groups: list[list[Any]] = []
    for relation in page.get("extra", {}).get("relation", []):
        ends = [relation["source_anno_id"], relation["target_anno_id"]]
        if relation["relation_type"] != "truncated" or any(end not in blocks for end in ends):
            continue
        group = next((group for group in groups if set(ends) & set(group)), None)
        if group is None:
            groups.append(ends)
        else:
            group += [end for end in ends if end not in group]
    for group in groups:
        parts = sorted((blocks.pop(end) for end in group if end in blocks), key=_order)
        if parts:
            text = "".join(str(part.get("text", "")) for part in parts)
            blocks[parts[0]["anno_id"]] = {**parts[0], "text": text}
    return list(blocks.values())


def _order(block: Mapping[str, Any]) -> float:
    return float(block.get("order") or 0)


def _json_file(path: Path) -> Path:
    if path.is_file():
        return path
    if not path.is_dir():
        raise UserError(f"{path}: no such file or folder; name the folder of OmniDocBench")
    found = sorted(path.glob("*.json"))
    named = [file for file in found if file.stem.lower().startswith("omnidocbench")] or found
    if len(named) != 1:
        raise UserError(f"{path}: {len(named) or 'no'} JSON files; name the one with the annotations")
    return named[0]


def _picture(folder: Path, name: str) -> Path | None:
    inside = Path(name).name
    return next((file for part in FOLDERS if (file := folder / part / inside).is_file()), None)
