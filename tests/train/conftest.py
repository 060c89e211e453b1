"""Quick compilation, and one folder with a tokenizer and a sample set for all tests of training."""

from collections.abc import Iterator
from pathlib import Path

import jax
import pytest
from jax.experimental.compilation_cache import compilation_cache

from tests.train import tiny


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder as `tiny.tiny_config` expects it."""
    folder = tmp_path_factory.mktemp("train")
    tiny.write_tokenizer(folder)
    tiny.write_set(folder / "data", {"charts": 20, "pages": 12})
    return folder


@pytest.fixture(scope="session")
def compile_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where compiled programs are kept for the next test of this session that needs the same one."""
    return tmp_path_factory.mktemp("compiled")


@pytest.fixture(scope="module", autouse=True)
def quick_compilation(compile_cache: Path) -> Iterator[None]:
    """Compilation takes most of the time here: do it without optimisation, and once."""
    settings = {
        "jax_disable_most_optimizations": True,
        "jax_compilation_cache_dir": str(compile_cache),
        "jax_persistent_cache_min_compile_time_secs": 0,
        "jax_persistent_cache_min_entry_size_bytes": 0,
    }
    before = {name: jax.config.values[name] for name in settings}
    for name, value in settings.items():
        jax.config.update(name, value)
    compilation_cache.reset_cache()
    yield
    for name, value in before.items():
        jax.config.update(name, value)
    compilation_cache.reset_cache()
