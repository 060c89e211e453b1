"""All shards of a finished reading as one file of lines, in the order of the plan."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

from dsocr_jax.errors import UserError
from dsocr_jax.reading.cluster.folder import MERGED, OutFolder, errors_of_the_device
from dsocr_jax.reading.cluster.shard import PARTIAL


def merge(
    out: str | os.PathLike[str],
    target: str | os.PathLike[str] | None = None,
    advance: Callable[[int, str], None] = lambda amount, note: None,
) -> Path:
    """Join the shards; returns the file, which appears when it is whole.

    Args:
        out: folder of a batch reading.
        target: the file; by default ``pages.jsonl`` in that folder.
        advance: told of every shard.

    Raises:
        UserError: shards are missing, or the file cannot be written.
    """
    folder = OutFolder(Path(out))
    plan = folder.load_plan()
    if plan is None:
        raise UserError(f"{out}: holds no batch reading; name the --out of one")
    shards = plan.shards()
    if missing := [shard.name for shard in shards if not (folder.shards / shard.name).is_file()]:
        raise UserError(
            f"{out}: {len(missing)} of {len(shards)} shards are missing ({missing[0]} is the first); run the same "
            "reading again"
        )
    file = folder.path / MERGED if target is None else Path(target)
    partial = file.with_name(file.name + PARTIAL)
    with errors_of_the_device(file):
        try:
            with partial.open("wb") as stream:
                for shard in shards:
                    with (folder.shards / shard.name).open("rb") as source:
                        shutil.copyfileobj(source, stream, 1 << 20)
                    advance(1, "")
                stream.flush()
                os.fsync(stream.fileno())
            partial.replace(file)
        finally:
            partial.unlink(missing_ok=True)
    return file
