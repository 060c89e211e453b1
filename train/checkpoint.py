"""Checkpoints of a whole run: parameters, moments, step, position of the input, and what the run is.

They lie in ``RUN/checkpoints``, one folder per step, which appears under its name when it is whole.
"""

import contextlib
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Self

import jax
import orbax.checkpoint as ocp

from dsocr_jax.errors import UserError
from dsocr_jax.weights.params import path_name
from train.step import TrainState

FOLDER = "checkpoints"

#: Free space asked for before a checkpoint is begun, as a multiple of the state's size.
ROOM = 1.05


#: Bytes of an array that each of its copies on several devices writes at least: cutting up small ones takes longer.
LEAST_SLICE = 2**20


class Checkpoints:
    """The checkpoints of one run; a context manager that waits for the last one to be on disk."""

    def __init__(self, run: Path, keep: int) -> None:
        """Open (or make) the folder; older checkpoints than the newest ``keep`` are deleted as new ones come."""
        self.folder = (run / FOLDER).absolute()
        options = ocp.CheckpointManagerOptions(max_to_keep=keep, cleanup_tmp_directories=True, create=True)
        arrays = ocp.type_handlers.ArrayHandler(min_slice_bytes_for_replica_parallel=LEAST_SLICE)
        registry = ocp.type_handlers.create_type_handler_registry((jax.Array, arrays))
        state_handler = ocp.PyTreeCheckpointHandler(type_handler_registry=registry)
        handlers = {"state": state_handler, "meta": ocp.JsonCheckpointHandler()}
        self._manager = ocp.CheckpointManager(self.folder, options=options, item_handlers=handlers)
        self._begun: int | None = None

    def latest(self) -> int | None:
        """Return the newest whole checkpoint's step."""
        return max(self._manager.all_steps(read=True), default=None)

    def meta(self, step: int) -> dict[str, Any]:
        """Return what was saved beside the state at ``step``."""
        try:
            return self._manager.restore(step, args=ocp.args.Composite(meta=ocp.args.JsonRestore())).meta
        except (OSError, ValueError, KeyError) as error:
            raise self._unreadable(step, error) from None

    def restore(self, step: int, abstract: TrainState, shardings: TrainState) -> TrainState:
        """Return the state at ``step``, placed as ``shardings`` says, whatever mesh it was saved from.

        Raises:
            UserError: the checkpoint has other parameters than ``abstract``, or cannot be read.
        """
        target = jax.tree.map(lambda x, s: jax.ShapeDtypeStruct(x.shape, x.dtype, sharding=s), abstract, shardings)
        try:
            self._compare(step, abstract)
            restore_args = ocp.checkpoint_utils.construct_restore_args(_tree(target))
            items = ocp.args.Composite(state=ocp.args.PyTreeRestore(_tree(target), restore_args))
            restored = self._manager.restore(step, args=items)
        except (OSError, ValueError, KeyError) as error:
            raise self._unreadable(step, error) from None
        return TrainState(**restored.state)

    def save(self, step: int, state: TrainState, meta: dict[str, Any]) -> None:
        """Begin to save; the files are written while training goes on.

        Raises:
            UserError: there is no room for it, or the save before this one failed.
        """
        self.wait()
        check_room(self.folder, state)
        self._begun = step
        with self._failing():
            items = {"state": ocp.args.PyTreeSave(_tree(state)), "meta": ocp.args.JsonSave(meta)}
            self._manager.save(step, args=ocp.args.Composite(**items))

    def wait(self) -> None:
        """Return when everything begun is on disk, or raise `UserError` if that failed."""
        with self._failing():
            self._manager.wait_until_finished()
            self._manager.check_for_errors()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        try:
            if kind is None:
                self.wait()
        finally:
            with contextlib.suppress(Exception):  # it repeats the error that is already on its way
                self._manager.close()

    @contextlib.contextmanager
    def _failing(self) -> Iterator[None]:
        """Turn whatever a save may raise into one line that says what is left."""
        try:
            yield
        except (OSError, ValueError, RuntimeError) as error:
            latest = self.latest()
            left = "there is no earlier one" if latest is None else f"the last whole one is step {latest}, untouched"
            raise UserError(
                f"the checkpoint of step {self._begun} could not be written to {self.folder} ({_reason(error)}); "
                f"{left}. Make room and run the same command again"
            ) from error

    def _unreadable(self, step: int, error: Exception) -> UserError:
        return UserError(
            f"the checkpoint {self.folder / str(step)} cannot be read ({_reason(error)}); delete that folder "
            "to go on from an earlier one"
        )

    def _compare(self, step: int, abstract: TrainState) -> None:
        saved = {_name(path): tuple(leaf.shape) for path, leaf in _leaves(self._manager.item_metadata(step).state)}
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
    return {"params": state.params, "opt_state": state.opt_state, "step": state.step}


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
