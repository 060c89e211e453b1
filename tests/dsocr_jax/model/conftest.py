"""Quick compilation: most of the time of these tests is spent on it, and none of them measures speed."""

from collections.abc import Iterator

import jax
import pytest

QUICK = ("test_attention", "test_grouped", "test_scan", "test_cached", "test_sharded", "test_ops", "test_backends")


@pytest.fixture(scope="module", autouse=True)
def quick_compilation(request: pytest.FixtureRequest) -> Iterator[None]:
    """Compile without optimisation, except where large pictures are read: there it would cost more than it saves."""
    before = jax.config.values["jax_disable_most_optimizations"]
    jax.config.update("jax_disable_most_optimizations", request.module.__name__.rpartition(".")[2] in QUICK)
    yield
    jax.config.update("jax_disable_most_optimizations", before)
