"""Evaluations while a run goes on: held-out losses, answers beside truths, curves; ``RUN/evaluations``."""

from train.evaluation.run import Evaluations

__all__ = ["Evaluations"]
