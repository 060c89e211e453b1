"""A folder of fixtures: which files it holds and what each of them is."""

import dataclasses
import fnmatch
from pathlib import Path
from typing import Any

from dsocr_jax.config import ModelConfig
from dsocr_jax.errors import UserError
from dsocr_jax.parity.fixture import Fixture, read_fixture, read_json
from dsocr_jax.weights.checkpoint import read_config

CONFIG = "config.json"
SPREAD = "bfloat16.json"


@dataclasses.dataclass(frozen=True)
class FixtureFolder:
    """What is to be compared.

    Attributes:
        root: the folder.
        fixtures: by kind ("model", "operations", "preprocessing", "repetition"), in the order of their names.
        strays: files that belong to nothing that is known, with the reason.
        spreads: files that say how the original in bfloat16 differs from itself in float32.
    """

    root: Path
    fixtures: list[tuple[str, Fixture]]
    strays: list[tuple[str, str]]
    spreads: list[str]

    def config(self, fixture: Fixture, released: ModelConfig) -> ModelConfig:
        """Return the configuration of a fixture's model: the nearest ``config.json`` above it, or ``released``."""
        folder = (self.root / fixture.name).parent
        for place in (folder, *folder.parents):
            if (place / CONFIG).is_file():
                return read_config(place)
            if place == self.root:
                break
        return released

    def spread(self, fixture: Fixture) -> dict[str, Any] | None:
        """Return how far the original in bfloat16 is from itself in float32, if the fixture's folder says it."""
        file = (self.root / fixture.name).parent / SPREAD
        return read_json(file)["differences"] if file.is_file() else None


def open_folder(root: str | Path, only: str = "*", skip: str = "") -> FixtureFolder:
    """Read every fixture below ``root`` whose name ``only`` matches and ``skip`` does not; say what else lies there.

    Raises:
        UserError: the folder holds no fixture, none of that name, or one that cannot be read.
    """
    root = Path(root)
    if not root.is_dir():
        raise UserError(f"{root}: no such folder; name a folder of fixtures (pairs of NAME.json and NAME.npz)")
    names = sorted(str(file.relative_to(root).with_suffix("")) for file in root.rglob("*.json"))
    arrays = {str(file.relative_to(root).with_suffix("")) for file in root.rglob("*.npz")}
    fixtures: list[tuple[str, Fixture]] = []

    def wanted(name: str) -> bool:
        return fnmatch.fnmatch(name, only) and not fnmatch.fnmatch(name, skip)

    alone = [name for name in sorted(arrays - set(names)) if wanted(name)]
    strays = [(f"{name}.npz", f"there is no {name}.json beside it") for name in alone]
    known, spreads = [], []
    for name in names:
        file = f"{Path(name).name}.json"
        if file in (CONFIG, SPREAD):
            spreads += [name] if file == SPREAD and wanted(name) else []
            continue
        known.append(name)
        if not wanted(name):
            continue
        fixture = read_fixture(root, name) if name in arrays else _alone(root, name)
        kind = _kind(fixture) if fixture else None
        if fixture and kind:
            fixtures.append((kind, fixture))
        elif fixture:
            strays.append((f"{name}.json", "holds neither inputs of a model nor cases that are known"))
        else:
            strays.append((f"{name}.json", "is no fixture that is known, or its npz is missing"))
    if not known:
        raise UserError(f"{root}: holds no fixtures (pairs of NAME.json and NAME.npz); name another folder")
    if not fixtures and not strays:
        asked = f"'{only}'" + (f" and not '{skip}'" if skip else "")
        raise UserError(f"{root}: no fixture's name matches {asked}; there are {', '.join(known)}")
    return FixtureFolder(root, fixtures, strays, spreads)


def _alone(root: Path, name: str) -> Fixture | None:
    """A fixture without arrays: the repetition rules are one JSON file."""
    described = read_json(root / f"{name}.json")
    if isinstance(described, dict) and "arrays" not in described and isinstance(described.get("cases"), list):
        return Fixture(name, described, {})
    if isinstance(described, dict) and described.get("arrays"):
        return read_fixture(root, name)  # says which file is missing
    return None


def _kind(fixture: Fixture) -> str | None:
    cases = fixture.meta.get("cases") if isinstance(fixture.meta, dict) else None
    if isinstance(cases, dict):
        return "operations"
    if isinstance(cases, list) and cases and isinstance(cases[0], dict):
        return "preprocessing" if "modes" in cases[0] else "repetition" if "ids" in cases[0] else None
    if "input_ids" in fixture.entries or fixture.meta.get("base_size") is not None:
        return "model"
    return None
