"""Sets of ours on disk, read by their documented layout: a manifest, and shards of msgpack records (array_record).

Evaluation stands below the package that builds sets, so it has a small reader of its own.
"""

import functools
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgpack

from dsocr_jax.console import progress
from dsocr_jax.errors import UserError
from dsocr_jax.evaluate.items import Item, Source
from dsocr_jax.evaluate.pictures import open_picture

if TYPE_CHECKING:
    from PIL import Image

MANIFEST, FORMAT = "manifest.json", "dsocr-data 1"
MAX_MANIFEST_BYTES = 256 << 20
#: Shards that are kept open.
OPEN = 32
#: What of a record is read here, and its types.
_FIELDS = {"image": bytes, "prompt": str, "label": str, "kind": str, "meta": dict, "id": int}


def read_set(
    folder: Path,
    kind: str,
    variant: str,
    *,
    limit: int | None = None,
    by: tuple[str, ...] = (),
    prompt: str = "",
) -> Source:
    """Read the labels of a set; pictures are read when they are asked for.

    Args:
        folder: of the set.
        kind: whose samples.
        variant: name that the items' set gets.
        limit: most items; None for all.
        by: entries of the records' ``meta`` that become labels.
        prompt: only samples with this prompt; empty for all.

    Raises:
        UserError: no set, an unfinished one, one without that kind or prompt, or a broken shard.
    """
    shards = _shards(folder, kind)
    items: list[Item] = []
    others = 0
    with progress(f"labels of {folder.name}", sum(records for _, records in shards), "samples") as advance:
        for file, records in shards:
            for index in range(records):
                if limit is not None and len(items) == limit:
                    break
                record = read_record(file, index)
                advance(1, "")
                if prompt and record["prompt"].strip() != prompt.strip():
                    others += 1
                    continue
                meta = record["meta"]
                labels = {label: str(meta[label]) for label in by if label in meta}
                opener = functools.partial(_picture, file, index)
                name = f"{kind}-{record['id']:08d}"
                items.append(Item(name, record["label"], variant, None, opener, record["prompt"], labels))
    if not items:
        raise UserError(f"{folder}: none of its {others} {kind} has the prompt {prompt!r}; build a set with it")
    return Source(items, {"other_prompts": others}, str(folder))


def read_record(file: Path, index: int) -> dict[str, Any]:
    """Return one record's map.

    Raises:
        UserError: the shard or the record is broken.
    """
    try:
        record = msgpack.unpackb(_reader(str(file)).read([index])[0])
    except (ValueError, RuntimeError, IndexError, msgpack.UnpackException) as error:
        raise UserError(f"{file}, record {index}: cannot be read ({error}); run `dsocr-data check`") from None
    wrong = [
        name for name, kind in _FIELDS.items() if not isinstance(record, dict) or type(record.get(name)) is not kind
    ]
    if wrong:
        raise UserError(f"{file}, record {index}: {', '.join(wrong)} missing or malformed; run `dsocr-data check`")
    return record


def _picture(file: Path, index: int) -> "Image.Image":
    return open_picture(read_record(file, index)["image"], f"{file}, record {index}")


@functools.lru_cache(OPEN)
def _reader(file: str) -> Any:
    from array_record.python.array_record_module import ArrayRecordReader

    return ArrayRecordReader(file, "readahead_buffer_size:0,max_parallelism:0")


def _shards(folder: Path, kind: str) -> list[tuple[Path, int]]:
    """Return the files of a kind with their numbers of records."""
    file = folder / MANIFEST
    try:
        if file.stat().st_size > MAX_MANIFEST_BYTES:
            raise ValueError(f"larger than {MAX_MANIFEST_BYTES} bytes")
        manifest = json.loads(file.read_text(encoding="utf-8"))
        if manifest["format"] != FORMAT:
            raise ValueError(f"format {manifest['format']!r}, expected {FORMAT!r}")
        complete, kinds = manifest["complete"], list(manifest["config"]["counts"])
        shards = [(Path(shard["name"]), int(shard["records"]), shard["kind"]) for shard in manifest["shards"]]
        if any(name.name != str(name) or records < 0 for name, records, _ in shards):
            raise ValueError("a shard has a strange name or size")
    except OSError as error:
        raise UserError(f"{file}: cannot be read ({error.strerror}); name the folder of a set") from None
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise UserError(f"{file}: not the manifest of a set ({error}); build the set again") from None
    if not complete:
        raise UserError(f"{folder}: the set is unfinished; run the same `dsocr-data build` again")
    if kind not in kinds:
        raise UserError(f"{folder}: holds no {kind} but {', '.join(kinds)}; name another set")
    found = [(folder / name, records) for name, records, of in shards if of == kind]
    missing = [str(path) for path, _ in found if not path.is_file()]
    if missing:
        raise UserError(
            f"{folder}: {len(missing)} of {len(found)} shards are missing, {missing[0]} first; build it again"
        )
    return found
