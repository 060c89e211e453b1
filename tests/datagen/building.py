"""Builds of the fake family in processes of their own, so that they can be killed."""

import os
import subprocess
import sys
from pathlib import Path

from datagen.manifest import SetConfig

CONFIG = SetConfig({"pages": 400}, 5, "all", "easy", 20)

_SCRIPT = """
import os, resource, sys
from pathlib import Path
from datagen import families
families.MODULES.clear()
families.MODULES["pages"] = "fake_family"
from building import CONFIG
from datagen.build import Share, build
from dsocr_jax.console import run_door

def main():
    target, workers, index, count, limit, user = sys.argv[1], *map(int, sys.argv[2:])
    if limit:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    if user:
        build(CONFIG, Path(target).parent / "warm", 1)  # imports all that the other user may not read
        os.seteuid(user)
    share = Share(index, count) if count else None
    build(CONFIG, Path(target), workers, share=share)
    return 0

if __name__ == "__main__":
    run_door(main)
"""


def start(
    target: Path,
    workers: int = 2,
    *,
    share: tuple[int, int] = (0, 0),
    limit: int = 0,
    user: int = 0,
    **environment: object,
) -> "subprocess.Popen[str]":
    """Start a build of `CONFIG` in ``target``.

    Args:
        target: the set's folder; the script stands beside it.
        workers: processes.
        share: index and count of a task.
        limit: the most bytes that a file may have.
        user: the user's number to write as.
        environment: orders to the fake family.
    """
    script = target.parent / "build_of_the_fake.py"
    if not script.exists():  # written once: a process that has just been started may be reading it
        script.write_text(_SCRIPT)
    here = Path(__file__).parent
    return subprocess.Popen(
        [sys.executable, str(script), str(target), *map(str, (workers, *share, limit, user))],
        env={
            **os.environ,
            **{name: str(value) for name, value in environment.items()},
            "PYTHONPATH": f"{here}:{here.parents[1]}",
        },
        stderr=subprocess.PIPE,
        text=True,
    )


def contents(directory: Path) -> dict[str, bytes]:
    """Return all files of a set by their paths."""
    return {str(path.relative_to(directory)): path.read_bytes() for path in directory.rglob("*") if path.is_file()}
