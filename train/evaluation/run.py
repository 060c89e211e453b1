"""Evaluations of a run, when they are due. They read its state and change nothing of it."""

from pathlib import Path

import jax

from dsocr_jax.console import console
from dsocr_jax.errors import UserError
from train.evaluation import page
from train.evaluation.answers import Answers, Said
from train.evaluation.held_out import ModeSet, choose, gathered, on_devices, prepare_mode
from train.evaluation.losses import row_loss_function
from train.evaluation.result import Result, make_result
from train.metrics import MetricsFile, read_metrics
from train.setup import Setup
from train.step import TrainState

FOLDER, LINES = "evaluations", "evaluations.jsonl"


class Evaluations:
    """What ``evaluate_every``, ``evaluate_on`` and ``evaluate_samples`` ask for; nothing where they ask for nothing.

    Losses are computed in every mode of the run by all processes; answers are written in its first mode, and by a
    single process alone, for no one of several holds all parameters.

    Raises:
        UserError: the set cannot be used.
    """

    def __init__(self, setup: Setup) -> None:
        self.setup, self.config = setup, setup.config
        if self.config.evaluate_every is None:
            return
        self.records = choose(self.config)
        self.sets = [
            prepare_mode(self.records, self.config, setup.tokenizer, mode, setup.mesh)
            for mode in self.config.model_modes
        ]
        if not any(one.places for one in self.sets):
            raise UserError(
                f"--evaluate-on {self.config.evaluate_on}: none of {len(self.records)} samples fits into --length "
                f"{self.config.length}; raise it or take another set"
            )
        self.losses = row_loss_function(setup)
        self.answers = Answers(self.config, setup.tokenizer)

    def due(self, step: int) -> bool:
        """Whether an evaluation follows this step: every so many, and at the end."""
        every = self.config.evaluate_every
        return every is not None and (step % every == 0 or step == self.config.steps)

    def run(self, step: int, state: TrainState) -> Result:
        """Evaluate, and write the page of this step and the index.

        Args:
            step: steps made.
            state: its parameters are read.
        """
        sums = {}
        for one in self.sets:
            found = [self.losses(state.params, batch) for batch in on_devices(one.batches, self.setup.mesh)]
            sums[one.mode.name] = gathered(found, one.places, len(self.records))
        said, note = self._answers(state)
        notes = [note, *(self._left_out(one) for one in self.sets)]
        result = make_result(step, self.records, sums, said, self.sets[0].mode.name, " ".join(filter(None, notes)))
        if jax.process_index() == 0:
            file = self._write(result)
            losses = ", ".join(f"{mode} {loss:.3f}" for mode, loss in result.losses.items())
            console.print(f"step {step}: held-out loss {losses}; {file}")
        return result

    def _answers(self, state: TrainState) -> tuple[list[Said] | None, str]:
        """Return the answers, or None and why there are none."""
        if jax.process_count() > 1:
            return None, "A run of several processes writes no answers; `dsocr read` does, with its model."
        mode = self.sets[0].mode
        try:
            return self.answers.read(state.params, mode, self.records), ""
        except UserError as error:
            return None, f"No answers: {error}."
        except jax.errors.JaxRuntimeError as error:
            if "RESOURCE_EXHAUSTED" not in str(error):
                raise
            return None, "No answers: beside the training the device's memory has no room for reading."

    def _left_out(self, one: ModeSet) -> str:
        """What to say of samples that are too long."""
        count = len(self.records) - len(one.places)
        every = len(self.records)
        return f"Too long for a row in mode {one.mode.name}: {count} of {every} samples." if count else ""

    def _write(self, result: Result) -> Path:
        folder = self.config.out / FOLDER
        folder.mkdir(exist_ok=True)
        # What stands there of this and later steps belongs to work that was lost.
        with MetricsFile(folder / LINES, result.step - 1) as lines:
            lines.write(result.line())
        every = read_metrics(folder / LINES)
        file = page.write_page(folder, self.config.out.name, result, [line["step"] for line in every])
        page.write_index(folder, self.config.out.name, every)
        return file
