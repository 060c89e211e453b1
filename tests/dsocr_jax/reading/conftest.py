"""Quick and little compilation: most of the time of these tests is spent on it, and none measures speed."""

from collections.abc import Iterator

import jax
import pytest

from dsocr_jax.reading import engine, shapes, vision

QUICK = ("test_engine", "test_reader", "test_command", "test_choose", "test_flow")


@pytest.fixture(scope="module", autouse=True)
def quick_compilation(request: pytest.FixtureRequest) -> Iterator[None]:
    """Compile without optimisation, and for one number of prompts and views, where the small model is read with."""
    if request.module.__name__.rpartition(".")[2] not in QUICK:
        yield
        return
    before = jax.config.values["jax_disable_most_optimizations"]
    jax.config.update("jax_disable_most_optimizations", True)
    with pytest.MonkeyPatch.context() as patch:
        for module in (engine, shapes):
            patch.setattr(module, "GROUPS", (4,))
        patch.setattr(vision, "VIEW_BUCKETS", (4,))
        yield
    jax.config.update("jax_disable_most_optimizations", before)
