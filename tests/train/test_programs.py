"""The step of a run, compiled ahead: for which shapes, once each, and with the same results."""

from collections import Counter
from types import SimpleNamespace
from typing import Any

import jax
import jax.numpy as jnp
import pytest

from dsocr_jax.batch import Batch
from tests.train import tiny
from tests.train.test_data import make
from train.data import Feed
from train.programs import Programs


@pytest.mark.parametrize("where", [{}, {"groups": 2}, {"groups": 4, "process": 1, "processes": 2}])
def test_announced_shapes_are_those_of_the_batches(folder, where):
    config = tiny.tiny_config(folder, modes=("tiny", "small"), rows=4)
    source = make(config, **where)
    with Feed(source, 0) as feed:
        for step in range(2):
            batch = next(feed).batch
            announced = source.shapes(source.mode_of(step))
            own = jax.tree.map(lambda x: (x.shape[0] // source.processes, *x.shape[1:]), announced)
            assert jax.tree.leaves(own) == jax.tree.leaves(jax.tree.map(lambda x: x.shape, batch))
            assert [x.dtype for x in jax.tree.leaves(announced)] == [x.dtype for x in jax.tree.leaves(batch)]
            assert announced.groups == batch.groups * source.processes


class Counted:
    """What `jax.jit` returns, and how often it was asked to compile or called."""

    def __init__(self, function: Any) -> None:
        self.jitted, self.seen = jax.jit(function), Counter[str]()

    def lower(self, *shapes: Any) -> Any:
        self.seen["lowered"] += 1
        lowered = self.jitted.lower(*shapes)

        def compile_() -> Any:
            self.seen["compiled"] += 1
            return lowered.compile()

        return SimpleNamespace(compile=compile_)

    def __call__(self, *arguments: Any) -> Any:
        self.seen["called"] += 1
        return self.jitted(*arguments)


def batch_of(length: int) -> Batch:
    rows = jnp.arange(2 * length, dtype=jnp.int32).reshape(2, length)
    return Batch(rows, rows, rows, rows, rows, {}, groups=1)


def test_announced_programs_serve_and_others_are_compiled_when_asked_for():
    counted = Counted(lambda state, batch: (state + batch.tokens.sum(), {"rows": batch.tokens[0]}))
    programs = Programs(counted, jax.ShapeDtypeStruct((), jnp.int32))  # type: ignore[arg-type]
    announced = [jax.tree.map(lambda x: jax.ShapeDtypeStruct(x.shape, x.dtype), batch_of(n)) for n in (3, 4, 3)]
    programs.begin(announced)
    for length in (3, 4, 5):
        state, metrics = programs(jnp.int32(7), batch_of(length))  # type: ignore[arg-type]
        assert int(state) == 7 + sum(range(2 * length))  # type: ignore[call-overload]
        assert metrics["rows"].shape == (length,)
    programs.begin(announced)
    assert counted.seen == {"lowered": 2, "compiled": 2, "called": 1}


def test_an_error_of_the_compiler_is_raised_where_its_program_is_needed():
    class Broken(Counted):
        def lower(self, *shapes: Any) -> Any:
            def compile_() -> Any:
                raise RuntimeError("no such kernel")

            return SimpleNamespace(compile=compile_)

    programs = Programs(Broken(lambda state, batch: (state, {})), jnp.int32(0))  # type: ignore[arg-type]
    programs.begin([batch_of(3)])
    with pytest.raises(RuntimeError, match="no such kernel"):
        programs(jnp.int32(0), batch_of(3))  # type: ignore[arg-type]
