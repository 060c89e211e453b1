import dataclasses
import json
from typing import Any

import numpy as np
import pytest

from datagen.molecules.settings import EASY, STANDARD
from datagen.molecules.verify import verify

SMILES = "C[C@H](N)C(=O)Nc1ccc(OC)cc1"


def test_what_is_drawn_passes(drawer: Any):
    for settings in (EASY, STANDARD, dataclasses.replace(STANDARD, rdkit=1.0, styles=("rdkit", "acs"))):
        for seed in range(8):
            drawn = drawer.draw(settings, seed)[1]
            assert verify(drawn.image, drawn.label, json.loads(json.dumps(drawn.meta))) == []


@pytest.mark.parametrize(
    ("label", "problems"),
    [("C[C@@H](N)C(=O)Nc1ccc(OC)cc1", 2), ("CC(N)C(=O)Nc1ccc(OC)cc1", 2), ("COc1ccc(NC(=O)[C@H](C)N)cc1", 0)],
)
def test_another_label_is_found(drawer: Any, label: str, problems: int):
    drawn = drawer.draw_one(SMILES)
    assert drawn.label == "COc1ccc(NC(=O)[C@H](C)N)cc1"
    assert len(verify(drawn.image, label, drawn.meta)) == problems


def test_a_bond_that_is_not_in_the_picture_is_found(drawer: Any):
    drawn = drawer.draw_one("CCCCCCCO")
    atoms, bonds = drawn.meta["drawing"]["atoms"], drawn.meta["drawing"]["bonds"]
    (x0, y0), (x1, y1) = (atoms[end][6:] for end in bonds[2][:2])
    image = drawn.image.copy()
    reach = drawn.meta["bond"] / 2
    x, y = (x0 + x1) / 2, (y0 + y1) / 2
    image[round(y - reach) : round(y + reach), round(x - reach) : round(x + reach)] = 255
    assert verify(image, drawn.label, drawn.meta) == ["bond 2 is not in the picture"]


def test_a_label_that_is_not_in_the_picture_is_found(drawer: Any):
    drawn = drawer.draw_one("CCCCCCCO")
    ((number, row),) = [(n, row) for n, row in enumerate(drawn.meta["drawing"]["atoms"]) if row[0] == "O"]
    image = drawn.image.copy()
    x, y, reach = row[6], row[7], 0.4 * drawn.meta["bond"]
    image[round(y - reach) : round(y + reach), round(x - reach) : round(x + reach)] = 255
    assert f"the label of atom {number} is not in the picture" in verify(image, drawn.label, drawn.meta)


def test_ink_on_the_edge_is_found(drawer: Any):
    drawn = drawer.draw_one("CCCCCCCO")
    image = np.pad(drawn.image[:, :-1], ((0, 0), (0, 1)))
    assert verify(image, drawn.label, drawn.meta) == ["there is ink on the edge of the picture"]
