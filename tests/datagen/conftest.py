import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from datagen import families

# Worker processes take over this path and import the fake family by its name.
sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let "pages" be the fake family, and the only one there is."""
    monkeypatch.setattr(families, "MODULES", {"pages": "fake_family"})
    families.load.cache_clear()
    yield
    families.load.cache_clear()
