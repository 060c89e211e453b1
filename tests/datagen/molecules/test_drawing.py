import dataclasses
import hashlib
import json
import subprocess
import sys
from typing import Any

import numpy as np
import pytest

from datagen.family import Rejected
from datagen.molecules.depiction import Bond
from datagen.molecules.drawing import bounding_box, check_inside, check_labels, fit
from datagen.molecules.labels import write_labels
from datagen.molecules.marks import Scale, draw_marks
from datagen.molecules.raster import Area, Disc, Letter, Line, Marks, paint
from datagen.molecules.settings import EASY, STANDARD
from datagen.molecules.styles import BLACK, STYLES, WHITE
from dsocr_jax.answers import check_label

LEVELS = {"easy": EASY, "standard": STANDARD}
SCALE = Scale(40.0, 2.0, 20.0)

FRESH = """
import hashlib, json, sys
import numpy as np
from datagen.family import Rejected
from datagen.molecules import FAMILY
for level in ("easy", "standard"):
    for attempt in range(100):
        rng = np.random.default_rng([4, attempt])
        try:
            drawn = FAMILY.render(FAMILY.compose(rng, FAMILY.settings[level]), rng, FAMILY.settings[level])
        except Rejected:
            continue
        print(hashlib.sha256(drawn.image.tobytes()).hexdigest(), drawn.label, json.dumps(drawn.meta, sort_keys=True))
        break
"""


def marks_of(drawer: Any, smiles: str, scale: Scale = SCALE, **changes: Any) -> Marks:
    depiction = drawer.depict(smiles, **changes)
    style = drawer.style(**{"straight": False, "chiral_hydrogens": False, "methyls": False, **changes})
    return draw_marks(depiction, write_labels(depiction, style), style, scale, np.random.default_rng(0))


def lines(marks: Marks) -> list[Line]:
    return [shape for shape in marks.shapes if isinstance(shape, Line)]


def areas(marks: Marks) -> list[Area]:
    return [shape for shape in marks.shapes if isinstance(shape, Area)]


@pytest.mark.parametrize("level", LEVELS)
def test_draws_are_labels_within_the_limits(drawer: Any, level: str):
    settings = LEVELS[level]
    for seed in range(12):
        content, drawn = drawer.draw(settings, seed)
        check_label("molecules", drawn.label)
        assert drawn.label == content.smiles
        assert settings.atoms[0] <= drawn.meta["atoms"] <= settings.atoms[1]
        assert drawn.meta["bond"] >= settings.min_bond
        assert max(drawn.image.shape) <= settings.sides[1]
        assert json.loads(json.dumps(drawn.meta)) == drawn.meta


def test_a_fresh_process_draws_the_same(drawer: Any):
    fresh = subprocess.run([sys.executable, "-c", FRESH], capture_output=True, text=True, check=True).stdout
    here = [drawer.draw(settings, 4)[1] for settings in LEVELS.values()]
    expected = [
        f"{hashlib.sha256(d.image.tobytes()).hexdigest()} {d.label} {json.dumps(d.meta, sort_keys=True)}" for d in here
    ]
    assert fresh.splitlines() == expected


@pytest.mark.parametrize("name", STYLES)
@pytest.mark.parametrize("rdkit", [0.0, 1.0])
def test_nothing_is_cut_off(drawer: Any, name: str, rdkit: float):
    settings = dataclasses.replace(STANDARD, rdkit=rdkit, styles=(name,))
    for seed in range(3):
        image = drawer.draw(settings, seed)[1].image.astype(int)
        edge = np.concatenate([image[:2], image[-2:]]).reshape(-1, *image.shape[2:])
        sides = np.concatenate([image[:, :2], image[:, -2:]]).reshape(-1, *image.shape[2:])
        paper = image[0, 0]
        assert np.abs(np.concatenate([edge, sides]) - paper).max() < 30, seed
        assert np.abs(image - paper).max() > 90


def test_easy_molecules_need_no_marks(drawer: Any):
    for seed in range(20):
        content, drawn = drawer.draw(EASY, seed)
        assert not set("@/\\+-.") & set(content.smiles)
        assert drawn.image.shape == (192, 192)


def test_benzene_is_nine_lines_without_letters(drawer: Any):
    marks = marks_of(drawer, "c1ccccc1")
    assert len(lines(marks)) == 9
    assert marks.letters == []


def test_second_lines_of_a_ring_lie_inside(drawer: Any):
    marks = marks_of(drawer, "c1ccccc1")
    middle = np.mean([(line.x0, line.y0) for line in lines(marks)], axis=0)
    apart = [np.hypot(*(np.array([line.x0 + line.x1, line.y0 + line.y1]) / 2 - middle)) for line in lines(marks)]
    inner = 40 * (np.cos(np.pi / 6) - drawer.style().gap)
    assert sum(a < 0.95 * 40 * np.cos(np.pi / 6) for a in apart) == 3
    assert min(apart) == pytest.approx(inner, rel=0.02)


def test_benzene_may_have_a_circle(drawer: Any):
    marks = marks_of(drawer, "c1ccccc1", circles=True)
    assert len(lines(marks)) == 6
    assert sum(isinstance(shape, Disc) and shape.width > 0 for shape in marks.shapes) == 1
    # Where rings share bonds, or hold nitrogen, the double bonds stay.
    assert not any(isinstance(s, Disc) and s.width for s in marks_of(drawer, "c1ccc2ccccc2c1", circles=True).shapes)
    assert not any(isinstance(s, Disc) and s.width for s in marks_of(drawer, "c1ccncc1", circles=True).shapes)


def test_bonds_are_as_long_as_asked(drawer: Any):
    first = lines(marks_of(drawer, "CCC"))[0]
    assert np.hypot(first.x1 - first.x0, first.y1 - first.y0) == pytest.approx(40, abs=0.01)


def test_solid_and_hashed_wedges_are_drawn(drawer: Any):
    marks = {tag: marks_of(drawer, f"CC[C{tag}](C)(F)Cl") for tag in ("@", "@@")}
    depictions = {tag: drawer.depict(f"CC[C{tag}](C)(F)Cl") for tag in ("@", "@@")}
    plain = marks_of(drawer, "CCC(C)(F)Cl")
    assert areas(plain) == []
    for tag, depiction in depictions.items():
        kinds = [bond.mark for bond in depiction.bonds]
        assert len(areas(marks[tag])) == kinds.count("solid")
        more = len(lines(marks[tag])) - len(lines(plain))
        assert more >= 3 if "hashed" in kinds else more == -kinds.count("solid")
    assert {bond.mark for d in depictions.values() for bond in d.bonds} >= {"solid", "hashed"}


def test_a_solid_wedge_is_narrow_at_its_centre(drawer: Any):
    for tag in ("@", "@@"):
        depiction = drawer.depict(f"CC[C{tag}](C)(F)Cl")
        wedges = areas(marks_of(drawer, f"CC[C{tag}](C)(F)Cl"))
        for bond, area in zip([b for b in depiction.bonds if b.mark == "solid"], wedges, strict=True):
            centre = depiction.places[bond.begin] * (40, -40)
            near = sorted(area.points, key=lambda point: np.hypot(*(np.array(point) - centre)))
            assert np.hypot(*np.subtract(near[0], near[1])) < 0.4 * np.hypot(*np.subtract(near[2], near[3]))


def test_bonds_stop_at_labels(drawer: Any):
    depiction = drawer.depict("CCO")
    (bond,) = [b for b in depiction.bonds if "O" in (depiction.atoms[b.begin].element, depiction.atoms[b.end].element)]
    oxygen = bond.begin if depiction.atoms[bond.begin].element == "O" else bond.end
    place = depiction.places[oxygen] * (40, -40)
    ends = [(x, y) for line in lines(marks_of(drawer, "CCO")) for x, y in ((line.x0, line.y0), (line.x1, line.y1))]
    assert min(np.hypot(*(np.array(end) - place)) for end in ends) > 0.3 * SCALE.letter


def test_labels_are_letters_with_small_numbers(drawer: Any):
    letters = marks_of(drawer, "CCCN").letters
    sizes = {letter.character: letter.size for letter in letters}
    assert set(sizes) == {"N", "H", "2"}
    assert sizes["2"] < sizes["N"] == sizes["H"] == SCALE.letter


def test_coloured_bonds_change_in_the_middle(drawer: Any):
    red, other = (255, 0, 0), (0, 0, 255)
    marks = marks_of(drawer, "CCO", halves=True, colours={"O": red, "N": other})
    assert {line.colour for line in lines(marks)} == {BLACK, red}
    marks = marks_of(drawer, "CCO", halves=False, colours={"O": red})
    assert {line.colour for line in lines(marks)} == {BLACK}
    assert {letter.colour for letter in marks.letters} == {red}


def test_a_bond_over_another_leaves_a_gap(drawer: Any):
    crossing = drawer.depict("C1CC2CCC1C2", seed=1)
    bonds = (Bond(0, 1, 1, "", 0), Bond(2, 3, 1, "", 1))
    places = np.array([[0, 0], [1, 0], [0.5, 0.6], [0.5, -0.6]], float)
    made = dataclasses.replace(
        crossing, atoms=crossing.atoms[:4], places=places, bonds=bonds, rings=((0, 1, 2), (0, 1, 2, 3))
    )
    shapes = draw_marks(made, {}, drawer.style(paper=WHITE), SCALE, np.random.default_rng(0)).shapes
    colours = [shape.colour for shape in shapes if isinstance(shape, Line)]
    assert colours == [BLACK, WHITE, BLACK]


def test_labels_on_each_other_are_rejected(drawer: Any):
    depiction = drawer.depict("OCCO")
    style = drawer.style()
    labels = write_labels(depiction, style)
    check_labels(depiction, labels, Marks(), SCALE)
    oxygens = list(labels)
    places = depiction.places.copy()
    places[oxygens[1]] = places[oxygens[0]] + 0.2
    with pytest.raises(Rejected, match="labels overlap"):
        check_labels(dataclasses.replace(depiction, places=places), labels, Marks(), SCALE)


def test_a_line_through_a_label_is_rejected(drawer: Any):
    depiction = drawer.depict("CCO")
    labels = write_labels(depiction, drawer.style())
    x, y = (depiction.places[next(iter(labels))] * (40, -40)).tolist()
    beside, through = Line(x - 50, y + 30, x + 50, y + 30, 2, BLACK), Line(x - 50, y + 1, x + 50, y - 1, 2, BLACK)
    check_labels(depiction, labels, Marks([beside]), SCALE)
    with pytest.raises(Rejected, match="label over a bond"):
        check_labels(depiction, labels, Marks([through]), SCALE)


def test_labels_that_hide_a_bond_are_rejected(drawer: Any):
    with pytest.raises(Rejected, match="hidden"):
        marks_of(drawer, "OO", Scale(40.0, 2.0, 60.0))


def test_what_lies_outside_is_rejected(drawer: Any):
    depiction = drawer.depict("CCO")
    style = drawer.style()
    labels = write_labels(depiction, style)
    scale, page = fit(depiction, labels, style, np.random.default_rng(0), STANDARD)
    marks = draw_marks(depiction, labels, style, scale, np.random.default_rng(0))
    check_inside(marks, page, scale)
    marks.shapes.append(Line(0, 0, 5000, 0, 1, BLACK))
    with pytest.raises(Rejected, match="cut off"):
        check_inside(marks, page, scale)


@pytest.mark.parametrize("fitted", [0.0, 1.0])
def test_the_page_holds_the_box(drawer: Any, fitted: float):
    depiction = drawer.depict("CCCCCCCCCC(=O)NCCO")
    style = drawer.style()
    labels = write_labels(depiction, style)
    settings = dataclasses.replace(STANDARD, fitted=fitted)
    for seed in range(20):
        scale, page = fit(depiction, labels, style, np.random.default_rng(seed), settings)
        left, top, right, bottom = bounding_box(depiction, labels, scale)
        assert left + page.move[0] >= 0 and right + page.move[0] <= page.width + 1e-6
        assert top + page.move[1] >= 0 and bottom + page.move[1] <= page.height + 1e-6
        assert scale.bond >= settings.min_bond


def test_a_molecule_that_does_not_fit_is_rejected(drawer: Any):
    depiction = drawer.depict("C" * 60)
    with pytest.raises(Rejected, match="too large"):
        fit(depiction, {}, drawer.style(), np.random.default_rng(0), dataclasses.replace(STANDARD, sides=(200, 300)))


@pytest.mark.parametrize("width", [1.5, 2.0, 3.0, 5.0])
@pytest.mark.parametrize("angle", [0.0, 0.4, 1.0])
def test_lines_have_their_width(width: float, angle: float):
    step = 60 * np.cos(angle), 60 * np.sin(angle)
    image = paint(
        Marks([Line(20, 20, 20 + step[0], 20 + step[1], width, BLACK)]), "DejaVuSans", (100, 100), (0, 0), WHITE
    )
    assert (255 - image.astype(float)).sum() / 255 / 60 == pytest.approx(width, abs=0.2)


def test_pictures_are_gray_unless_something_has_a_colour():
    line = Line(10, 10, 50, 50, 2, BLACK)
    assert paint(Marks([line]), "DejaVuSans", (60, 60), (0, 0), WHITE).shape == (60, 60)
    red = paint(Marks([line], [Letter("O", 38, 20, 20, (255, 0, 0), 0)]), "DejaVuSans", (60, 60), (0, 0), WHITE)
    assert red.shape == (60, 60, 3)
    letters = red[4:22, 36:56].reshape(-1, 3)
    assert tuple(letters[letters[:, 1].argmin()]) == (255, 0, 0)


def test_rdkit_draws_the_same_molecule_where_ours_is(drawer: Any):
    ours = dataclasses.replace(drawer.calm, styles=("rdkit-black",), fitted=1.0)
    smiles = "CC(=O)Nc1ccc(O)cc1"
    pictures = [drawer.draw_one(smiles, dataclasses.replace(ours, rdkit=share)) for share in (0.0, 1.0)]
    assert [drawn.meta["renderer"] for drawn in pictures] == ["own", "rdkit"]
    assert pictures[0].image.shape[:2] == pictures[1].image.shape[:2]
    ink = [np.nonzero((p.image if p.image.ndim == 2 else p.image.min(-1)) < 128) for p in pictures]
    spans = [(int(np.ptp(rows)), int(np.ptp(columns))) for rows, columns in ink]
    assert np.allclose(spans[0], spans[1], rtol=0.15)
