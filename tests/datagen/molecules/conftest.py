"""Molecules and drawings of one kind, for the tests of this folder."""

import dataclasses

import numpy as np
import pytest

from datagen.family import Drawn, Rejected
from datagen.molecules import FAMILY
from datagen.molecules.chemistry import Molecule, molecule
from datagen.molecules.depiction import Depiction
from datagen.molecules.layout import lay_out
from datagen.molecules.settings import STANDARD, MoleculeSettings
from datagen.molecules.styles import STYLES, Style, draw_style
from dsocr_jax.answers.smiles import parse_smiles

#: Nothing left to chance but the style's measures.
CALM = dataclasses.replace(
    STANDARD, styles=("acs",), rotated=0.0, mirrored=0.0, wavy=0.0, crossed=0.0, abbreviated=0.0, rdkit=0.0, flat=0.0
)


class Drawer:
    """Draws for tests."""

    calm = CALM

    @staticmethod
    def style(name: str = "acs", seed: int = 0, **changes: object) -> Style:
        assert name in STYLES
        plain = draw_style(np.random.default_rng(seed), dataclasses.replace(CALM, styles=(name,)))
        return dataclasses.replace(plain, **changes)  # type: ignore[arg-type]

    def depict(self, smiles: str, *, seed: int = 0, settings: MoleculeSettings = CALM, **changes: object) -> Depiction:
        style = self.style(**{"straight": False, "chiral_hydrogens": False, "methyls": False, **changes})  # type: ignore[arg-type]
        return lay_out(molecule(parse_smiles(smiles)), style, np.random.default_rng(seed), settings)[1]

    @staticmethod
    def draw(settings: MoleculeSettings, seed: int) -> tuple[Molecule, Drawn]:
        """Return the first usable draw from ``seed`` on."""
        for attempt in range(100):
            rng = np.random.default_rng([seed, attempt])
            try:
                content = FAMILY.compose(rng, settings)
                return content, FAMILY.render(content, rng, settings)
            except Rejected:
                continue
        raise AssertionError("100 draws rejected")

    @staticmethod
    def draw_one(smiles: str, settings: MoleculeSettings = CALM, seed: int = 0) -> Drawn:
        """Return a drawing of one molecule; layouts that are rejected are tried again."""
        for attempt in range(50):
            try:
                rng = np.random.default_rng([seed, attempt])
                return FAMILY.render(molecule(parse_smiles(smiles)), rng, settings)
            except Rejected:
                continue
        raise AssertionError("50 drawings rejected")


@pytest.fixture(scope="session")
def drawer() -> Drawer:
    return Drawer()
