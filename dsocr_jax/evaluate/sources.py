"""Pages with truths from disk: our sets, Fox folders, and lists of pictures."""

import io
import json
from pathlib import Path
from typing import Any

from dsocr_jax.errors import UserError
from dsocr_jax.evaluate.items import PLAIN, Item, Source
from dsocr_jax.evaluate.lines import read_lines, text_of, whole_of
from dsocr_jax.evaluate.pictures import picture_from
from dsocr_jax.evaluate.sets import MANIFEST, read_set

#: Where Fox keeps the truths and pictures of whole pages, by language.
FOX = {"en": ("en_page_ocr.json", "en_pdf_png"), "cn": ("cn_page_ocr.json", "cn_pdf_png")}
MAX_JSON_BYTES = 1 << 30


def read_source(
    path: Path,
    kind: str,
    variant: str = PLAIN,
    *,
    limit: int | None = None,
    by: tuple[str, ...] = (),
    prompt: str = "",
    language: str = "en",
) -> Source:
    """Read a set of ours (a folder with a manifest), a Fox folder, or a JSONL file of pictures and truths.

    Args:
        path: the folder or file.
        kind: of the set's samples; Fox folders and lists have one kind only.
        variant: name that the items' set gets.
        limit: most items; None for all.
        by: entries of a record's ``meta`` (or of a line) that become labels.
        prompt: of a set, only samples with this prompt; empty for all.
        language: of a Fox folder, ``en`` or ``cn``.

    Raises:
        UserError: it is none of these, malformed, or holds nothing of the kind.
    """
    if limit is not None and limit < 1:
        raise UserError(f"--limit must be at least 1, not {limit}")
    if not path.exists():
        raise UserError(f"{path}: no such file or folder; check the path")
    if path.is_file():
        return _read_list(path, variant, limit, by)
    if (path / MANIFEST).is_file():
        return read_set(path, kind, variant, limit=limit, by=by, prompt=prompt)
    if any((path / truths).is_file() for truths, _ in FOX.values()):
        return _read_fox(path, variant, limit, language)
    names = ", ".join(truths for truths, _ in FOX.values())
    raise UserError(
        f"{path}: neither a set of `dsocr-data build` ({MANIFEST}) nor a Fox folder ({names}); "
        "a file of JSON lines with 'image' and 'truth' is taken, too"
    )


def read_json(file: Path) -> Any:
    """Read a JSON file of limited size.

    Raises:
        UserError: it cannot be read, or is not JSON.
    """
    try:
        if file.stat().st_size > MAX_JSON_BYTES:
            raise UserError(f"{file}: larger than {MAX_JSON_BYTES} bytes; name the file of truths")
        return json.load(io.BytesIO(file.read_bytes()))
    except OSError as error:
        raise UserError(f"{file}: cannot be read ({error.strerror}); check the path") from None
    except (ValueError, RecursionError) as error:
        raise UserError(f"{file}: not JSON ({error}); copy it again") from None


def _read_list(file: Path, variant: str, limit: int | None, by: tuple[str, ...]) -> Source:
    items: list[Item] = []
    missing = 0
    for number, data in read_lines(file):
        if limit is not None and len(items) == limit:
            break
        where = f"{file}, line {number}"
        name = text_of(data, ("image",), where)
        picture = file.parent / name
        missing += not picture.is_file()
        labels = {label: str(data[label]) for label in by if label in data}
        items.append(
            Item(
                str(data.get("id", name)),
                text_of(data, ("truth", "label"), where),
                variant,
                whole_of(data, "token_count", where),
                picture_from(picture) if picture.is_file() else None,
                str(data.get("prompt", "")),
                labels,
            )
        )
    return _checked(items, missing, file)


def _read_fox(folder: Path, variant: str, limit: int | None, language: str) -> Source:
    truths, pictures = FOX[language]
    file = folder / truths
    try:
        pages = [(str(page["image"]), str(page["conversations"][1]["value"])) for page in read_json(file)]
    except (KeyError, IndexError, TypeError) as error:
        raise UserError(f"{file}: not a list of Fox's pages ({error!r} in an entry); download it again") from None
    items: list[Item] = []
    for name, truth in pages[:limit]:
        picture = folder / pictures / name
        # An entry that leads out of the folder is a missing picture.
        there = Path(name).name == name and picture.is_file()
        stem = Path(name).stem
        item_id = stem if stem.startswith(language) else f"{language}_{stem}"
        opener = picture_from(picture) if there else None
        items.append(Item(item_id, truth, variant, None, opener, labels={"language": language}))
    return _checked(items, sum(item.picture is None for item in items), folder)


def _checked(items: list[Item], missing: int, where: Path) -> Source:
    if not items:
        raise UserError(f"{where}: holds no pages; name another")
    if len({item.id for item in items}) != len(items):
        raise UserError(f"{where}: two pages have the same id; make the ids unique")
    return Source(items, {"missing_pictures": missing}, str(where))
