"""The schedule by itself: every stage has one number for its parameters and turns one number into another."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.sharding import AxisType
from jax.sharding import PartitionSpec as P

from train.pipeline import bubble
from train.pipeline.schedule import AXIS, Stage, run_schedule


def chain(stage: int, stages: int, param, incoming, number):
    """Return what a stage hands on and adds to the objective; the first one reads the microbatch instead."""
    outgoing = jnp.tanh(param * jnp.where(stage == 0, number, incoming) + 0.1 * number)
    return outgoing, jnp.where(stage == stages - 1, jnp.sum(outgoing**2), 0.0)


def toy(stage: int, stages: int, trains: bool, calls: list[int]) -> Stage:
    def run(param, incoming, number):
        calls.append(stage)
        outgoing, objective = chain(stage, stages, param if trains else jax.lax.stop_gradient(param), incoming, number)
        figures = {"objective": objective} if stage == stages - 1 else {}
        return outgoing, objective, {**figures, f"seen {stage}": jnp.sum(number)} if trains else figures

    return Stage(run, trains)


def piped(stages: list[Stage], params, numbers):
    """Return all stages' gradients and figures."""
    mesh = jax.make_mesh((len(stages),), (AXIS,), (AxisType.Auto,), devices=jax.devices()[: len(stages)])

    @jax.jit
    @partial(jax.shard_map, mesh=mesh, in_specs=(P(AXIS), P()), out_specs=(P(AXIS), P()), check_vma=False)
    def run(params, numbers):
        gradient, figures = run_schedule(stages, params, numbers, jnp.zeros(1))
        return gradient, jax.lax.psum(figures, AXIS)

    return run(params, numbers)


def plain(params, numbers):
    """Return the objective of the chain of all stages."""
    total = 0.0
    for number in numbers:
        x = jnp.zeros(1)
        for stage in range(len(params)):
            x, objective = chain(stage, len(params), params[stage], x, number)
            total += objective
    return total


@pytest.mark.parametrize(("count", "microbatches"), [(1, 2), (2, 2), (2, 5), (3, 1), (4, 4), (4, 11)])
def test_every_microbatch_passes_every_stage_once_and_comes_back(count, microbatches):
    rng = np.random.default_rng(count * microbatches)
    params, numbers = rng.normal(size=count).astype(np.float32), rng.normal(size=(microbatches, 1)).astype(np.float32)
    stages = [toy(stage, count, True, []) for stage in range(count)]
    gradient, figures = piped(stages, params, numbers)
    objective, right = jax.value_and_grad(plain)(params, numbers)
    np.testing.assert_allclose(gradient, right, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(figures.pop("objective"), objective, rtol=1e-5)
    assert figures.keys() == {f"seen {stage}" for stage in range(count)}
    for seen in figures.values():
        np.testing.assert_allclose(seen, numbers.sum(), rtol=1e-4, atol=1e-6)


def test_stage_without_training_runs_forward_alone():
    calls: list[int] = []
    stages = [toy(stage, 3, stage > 0, calls) for stage in range(3)]
    params, numbers = np.ones(3, np.float32), np.ones((3, 1), np.float32)
    gradient, _ = piped(stages, params, numbers)
    # Its shapes, and forward; the middle one also backward; the last one backward alone.
    assert [calls.count(stage) for stage in range(3)] == [2, 3, 2]
    assert gradient[0] == 0
    np.testing.assert_allclose(gradient[1:], jax.grad(plain)(params, numbers)[1:], rtol=1e-5)


def test_bubble_is_what_is_left_of_the_ticks():
    assert bubble(1, 3) == 0
    assert bubble(4, 4) == 3 / 7
