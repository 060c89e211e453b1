"""Settings for every test: the CPU alone, as eight devices, exact matrix products, array shapes checked.

The tests marked ``gpu`` run where JAX_PLATFORMS names a GPU: ``JAX_PLATFORMS=cuda pytest -m gpu``.
"""

import os
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import jax
import pytest
from jaxtyping import install_import_hook

if "cuda" not in os.environ.get("JAX_PLATFORMS", ""):
    jax.config.update("jax_platforms", "cpu")
    jax.config.update("jax_num_cpu_devices", 8)
jax.config.update("jax_default_matmul_precision", "highest")

# The shapes that the model's signatures promise are checked at every call; outside the tests they cost nothing.
install_import_hook(["dsocr_jax.model", "dsocr_jax.reading.repetition"], "beartype.beartype")

# How long an example takes says more about the machine's other work than about the code.
hypothesis.settings.register_profile("untimed", deadline=None)
hypothesis.settings.load_profile("untimed")

#: Compiled programs are forgotten between modules when a process has grown beyond this, in bytes.
GROWN = 3 * 2**30


@pytest.fixture(scope="module", autouse=True)
def forget_programs() -> Iterator[None]:
    """Keep a process that compiles thousands of programs from taking all memory."""
    yield
    pages = int(Path("/proc/self/statm").read_text().split()[1]) if Path("/proc/self/statm").exists() else 0
    if pages * os.sysconf("SC_PAGE_SIZE") > GROWN:
        jax.clear_caches()
