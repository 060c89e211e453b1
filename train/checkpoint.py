"""Checkpoints of a whole run: parameters, moments, step, position of the input, and what the run is.

They lie in ``RUN/checkpoints``, one folder per step. A folder is written as ``STEP.partial`` and gets its name when
every file has reached the disk and is in its manifest (`train.manifest`); so one that is listed is complete.
Older ones go only after that. One that was damaged later is set aside as ``STEP.damaged``.
"""

import contextlib
import dataclasses
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Self

import jax
import numpy as np
import orbax.checkpoint as ocp

from dsocr_jax.console import console
from dsocr_jax.errors import UserError
from dsocr_jax.weights.params import path_name
from train import manifest
from train.step import TrainState

FOLDER = "checkpoints"
PARTIAL, DAMAGED, STATE = ".partial", ".damaged", "state"

#: Free space asked for before a checkpoint is begun, as a multiple of the state's size.
ROOM = 1.05

#: Bytes of an array that each of its copies on several devices writes at least: cutting up small ones takes longer.
LEAST_SLICE = 2**20

#: Seconds after which a process gives up waiting for the others to have written their part.
PATIENCE = 3600


class Checkpoints:
    """The checkpoints of one run; a context manager that waits for the last one to be on disk.

    One run uses the folder at a time (`train.folder`). Of several processes all must call the same methods in the same
    order, and see the same folder.
    """

    def __init__(self, run: Path, keep: int) -> None:
        """Open (or make) the folder; older checkpoints than the newest ``keep`` are deleted as new ones come."""
        self.folder, self.keep = (run / FOLDER).absolute(), keep
        arrays = ocp.type_handlers.ArrayHandler(min_slice_bytes_for_replica_parallel=LEAST_SLICE)
        registry = ocp.type_handlers.create_type_handler_registry((jax.Array, arrays))
        # Trained numbers shrink by less than a tenth, and that takes several times as long as writing them.
        handler = ocp.PyTreeCheckpointHandler(type_handler_registry=registry, use_compression=False)
        self._files = ocp.AsyncCheckpointer(handler, async_options=ocp.AsyncOptions(timeout_secs=PATIENCE))
        self._step: int | None = None
        self._thread: threading.Thread | None = None
        self._error: BaseException | None = None
        if jax.process_index() == 0:
            self.folder.mkdir(parents=True, exist_ok=True)

    def clean(self) -> None:
        """Remove what a save or a deletion that was killed has left."""
        if jax.process_index() == 0:
            for left in self.folder.glob(f"*{PARTIAL}"):
                shutil.rmtree(left, ignore_errors=True)

    def steps(self) -> list[int]:
        """Return the steps of the listed checkpoints, oldest first."""
        if not self.folder.is_dir():  # the first process is yet to make it
            return []
        return sorted(int(path.name) for path in self.folder.iterdir() if path.name.isdecimal())

    def newest(self) -> int | None:
        """Return the newest checkpoint that is as it was written, or None; the same in every process.

        Damaged ones are set aside and told.

        Raises:
            UserError: all there were are damaged.
        """
        self.wait()
        found = self._newest_sound() if jax.process_index() == 0 else None
        if jax.process_count() > 1:
            from jax.experimental import multihost_utils

            found = int(multihost_utils.broadcast_one_to_all(np.array(-1 if found is None else found, np.int64)))
        return None if found in (None, -1) else found

    def _newest_sound(self) -> int | None:
        aside = []
        for step in reversed(self.steps()):
            try:
                manifest.verify(self.folder / str(step))
            except manifest.Damaged as damage:
                aside.append(self._set_aside(step))
                text = f"the checkpoint of step {step} is damaged: {damage}; it is kept as {aside[-1]}"
                console.print(text, markup=False)
                continue
            return step
        if aside:
            raise UserError(
                f"no whole checkpoint is left in {self.folder}; {aside[0].name} was the newest. Put a copy of one "
                "there; or run the same command again, which then begins at step 0"
            )
        return None

    def _set_aside(self, step: int) -> Path:
        names = [f"{step}{DAMAGED}", *(f"{step}{DAMAGED}.{i}" for i in range(2, 1000))]
        target = next(self.folder / name for name in names if not (self.folder / name).exists())
        (self.folder / str(step)).rename(target)
        manifest.flush_folder(self.folder)
        return target

    def meta(self, step: int) -> dict[str, Any]:
        """Return what was saved beside the state at ``step``."""
        try:
            return manifest.read_meta(self.folder / str(step))
        except manifest.Damaged as damage:
            raise self._unreadable(step, damage) from None

    def restore(self, step: int, abstract: TrainState, shardings: TrainState) -> TrainState:
        """Return the state at ``step``, placed as ``shardings`` says, whatever mesh it was saved from.

        Raises:
            UserError: the checkpoint has other parameters than ``abstract``, or cannot be read.
        """
        target = jax.tree.map(lambda x, s: jax.ShapeDtypeStruct(x.shape, x.dtype, sharding=s), abstract, shardings)
        try:
            self._compare(step, abstract)
            restore_args = ocp.checkpoint_utils.construct_restore_args(_tree(target))
            args = ocp.args.PyTreeRestore(_tree(target), restore_args)
            return TrainState(**self._files.restore(self._state(step), args=args))
        except (OSError, ValueError, KeyError) as error:
            raise self._unreadable(step, error) from None

    def save(self, step: int, state: TrainState, meta: dict[str, Any], then: Callable[[], None] = lambda: None) -> None:
        """Begin to save; the files are written while training goes on.

        When this returns, ``state`` has been copied: its buffers may be given to the next step.

        Args:
            step: of the state.
            state: what is saved.
            meta: what JSON can hold; that of the first process is kept.
            then: called in the background when the checkpoint is listed.

        Raises:
            UserError: there is no room for it, or the save before this one failed.
        """
        began = time.monotonic()
        self.wait()
        check_room(self.folder, state)
        self._step = step
        with self._failing():
            self._files.save(self._state(step, PARTIAL), args=ocp.args.PyTreeSave(_tree(state)))
        blocked = time.monotonic() - began
        self._thread = threading.Thread(target=self._complete, args=(step, meta, then, began, blocked), daemon=True)
        self._thread.start()

    def _complete(
        self, step: int, meta: dict[str, Any], then: Callable[[], None], began: float, blocked: float
    ) -> None:
        """Wait for the files, list the checkpoint, and delete what is no longer needed."""
        try:
            self._files.wait_until_finished()
            if jax.process_index() == 0:
                partial = self.folder / f"{step}{PARTIAL}"
                manifest.seal(partial, meta)
                partial.rename(self.folder / str(step))
                manifest.flush_folder(self.folder)
                for old in self.steps()[: -self.keep]:
                    gone = (self.folder / str(old)).rename(self.folder / f"{old}{PARTIAL}")
                    shutil.rmtree(gone, ignore_errors=True)
            then()
            if jax.process_index() == 0:
                took = time.monotonic() - began
                console.print(f"step {step} is saved: {took:.1f} s, for {blocked:.1f} s of which training stood still")
        except BaseException as error:
            self._error = error

    def check(self) -> None:
        """Raise `UserError` if a save in the background has failed; do not wait for one that is under way."""
        if self._error is not None:
            self.wait()

    def wait(self) -> None:
        """Return when everything begun is on disk, or raise `UserError` if that failed."""
        if self._thread is not None:
            self._thread.join()
            self._thread = None
        error, self._error = self._error, None
        if error is not None:
            with self._failing():
                raise error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        try:
            if kind is None:
                self.wait()
            elif self._thread is not None:
                self._thread.join()  # whatever ended the run, this checkpoint is worth having
        finally:
            with contextlib.suppress(Exception):  # it repeats the error that is already on its way
                self._files.close()

    @contextlib.contextmanager
    def _failing(self) -> Iterator[None]:
        """Turn whatever a save may raise into one line that says what is left, and give back the room it took."""
        try:
            yield
        except (OSError, ValueError, RuntimeError) as error:
            if jax.process_index() == 0:
                shutil.rmtree(self.folder / f"{self._step}{PARTIAL}", ignore_errors=True)
            steps = self.steps()
            left = f"the last whole one is step {steps[-1]}, untouched" if steps else "there is no earlier one"
            raise UserError(
                f"the checkpoint of step {self._step} could not be written to {self.folder} ({_reason(error)}); "
                f"{left}. Make room and run the same command again"
            ) from error

    def _state(self, step: int, end: str = "") -> Path:
        return self.folder / f"{step}{end}" / STATE

    def _unreadable(self, step: int, error: Exception) -> UserError:
        return UserError(
            f"the checkpoint {self.folder / str(step)} cannot be read ({_reason(error)}); rename that folder to go on "
            "from an earlier one"
        )

    def _compare(self, step: int, abstract: TrainState) -> None:
        stored = self._files.metadata(self._state(step)).item_metadata
        if stored is None:
            raise ValueError("its list of arrays is missing")
        saved = {_name(path): tuple(leaf.shape) for path, leaf in _leaves(stored.tree)}
        wanted = {_name(path): tuple(leaf.shape) for path, leaf in _leaves(_tree(abstract))}
        for name in sorted({*saved, *wanted}):
            if saved.get(name) != wanted.get(name):
                there, here = _shape(saved.get(name)), _shape(wanted.get(name))
                raise UserError(
                    f"the checkpoint {self.folder / str(step)} is of another model: {name} is {there} there and {here} "
                    "here; take the configuration it was made with, or another --out"
                )


def check_room(folder: Path, state: Any, copies: float = ROOM) -> None:
    """Raise `UserError` unless the disk of ``folder`` has room for ``copies`` of ``state`` (arrays or their shapes)."""
    bytes_needed = copies * sum(leaf.size * leaf.dtype.itemsize for leaf in jax.tree.leaves(state))
    free = shutil.disk_usage(folder).free
    if free < bytes_needed:
        raise UserError(
            f"{folder}: a checkpoint needs {bytes_needed / 1e9:.2f} GB and the disk has {free / 1e9:.2f} GB left; "
            "what is saved there is untouched. Make room and run the same command again"
        )


def _tree(state: TrainState) -> dict[str, Any]:
    """The state as a dictionary, whose names on disk do not depend on our class."""
    return {field.name: getattr(state, field.name) for field in dataclasses.fields(state)}


def _leaves(tree: Any) -> list[tuple[Any, Any]]:
    return jax.tree_util.tree_leaves_with_path(tree)


def _name(path: tuple[Any, ...]) -> str:
    return path_name(path).removesuffix("/value")


def _shape(shape: tuple[int, ...] | None) -> str:
    return "absent" if shape is None else str(list(shape))


def _reason(error: BaseException) -> str:
    """The system's own words where there are some, else the first line of the message."""
    text = str(error)
    for words in ("No space left on device", "Disk quota exceeded", "File too large", "Permission denied"):
        if words in text:
            return words
    return (text.splitlines() or [type(error).__name__])[0][:200]
