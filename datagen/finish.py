"""Complete a set that tasks of a batch queue made: verify every shard against its note, write manifest and card."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from datagen import manifest as manifests
from datagen.build import complete
from datagen.folder import UNFINISHED, errors_of_the_device, locked
from datagen.manifest import Written
from datagen.notes import read_notes
from datagen.shards import file_sha256
from dsocr_jax.console import progress
from dsocr_jax.errors import UserError

#: Problems that one message lists.
_LISTED = 5


def finish(directory: Path, workers: int, *, card: bool = True) -> int:
    """Verify the shards in ``directory`` and complete its set; nothing is drawn.

    Args:
        directory: the set's folder; every task has ended.
        workers: how many shards are read at a time.
        card: write the set's card.

    Returns:
        The number of samples.

    Raises:
        UserError: tasks are still running, or shards are missing or damaged; the message names them.
    """
    manifest = manifests.read(directory)
    refusal = f"tasks are still writing to {directory}; wait for them."
    with errors_of_the_device(directory), locked(directory, refusal):
        planned = manifest.shards()
        notes = {name: note.written for name, note in read_notes(directory / UNFINISHED).items()}
        known = notes | manifest.written
        if missing := [shard.name for shard in planned if shard.name not in known]:
            raise UserError(
                f"{len(missing)} of {len(planned)} shards of {directory} are not made yet: {_some(missing)}. Run the "
                "tasks that are missing again, or the same `dsocr-data build` without --task-index."
            )
        done = {shard.name: known[shard.name] for shard in planned}
        with ThreadPoolExecutor(workers) as threads, progress("verify", len(planned), "shards") as advance:
            damaged = []
            for written, good in threads.map(lambda written: (written, _is_good(directory, written)), done.values()):
                advance(1, "")
                if not good:
                    damaged.append(written.name)
        if damaged:
            raise UserError(
                f"{len(damaged)} of {len(planned)} shards of {directory} are missing or not as they were written: "
                f"{_some(damaged)}. Delete them and run the same `dsocr-data build` without --task-index."
            )
        complete(directory, manifest, done, workers, changed=True, card=card)
    return sum(shard.records for shard in planned)


def _is_good(directory: Path, written: Written) -> bool:
    file = directory / written.name
    try:
        return file.stat().st_size == written.bytes and file_sha256(file) == written.sha256
    except OSError:
        return False


def _some(names: list[str]) -> str:
    more = len(names) - _LISTED
    return ", ".join(names[:_LISTED]) + (f" and {more} more" if more > 0 else "")
