"""The second renderer: RDKit's own raster drawer, with the style's options."""

import io
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from datagen.family import Rejected
from datagen.molecules.marks import Scale
from datagen.molecules.styles import Style
from datagen.molecules.typefaces import path

if TYPE_CHECKING:
    from rdkit.Chem import Mol

#: RDKit's coordinates have bonds of this length.
UNIT = 1.5
#: Largest letters, of the bond length: RDKit keeps more room around labels than we, and would hide short bonds.
LETTER = 0.45
#: How much the edge of a picture may differ from the paper; beyond that, something was cut off.
EDGE = 24


def rdkit_picture(prepared: "Mol", style: Style, scale: Scale, size: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """Return RDKit's picture of a molecule with coordinates and wedges, and where its atoms are.

    Returns:
        uint8 ``[height, width, 3]``, and float64 ``[atoms, 2]`` in pixels from the top left corner.

    Raises:
        Rejected: the drawing reaches the edge of the picture.
    """
    from rdkit.Chem.Draw import rdMolDraw2D

    drawer = rdMolDraw2D.MolDraw2DCairo(*size)
    options: Any = drawer.drawOptions()
    options.includeMetadata = False
    options.prepareMolsBeforeDrawing = False
    options.fixedBondLength = scale.bond / UNIT
    options.bondLineWidth = max(1.0, scale.stroke)
    options.scaleBondWidth = False
    options.fixedFontSize = max(6, round(min(scale.letter, LETTER * scale.bond)))
    options.multipleBondOffset = style.gap
    options.explicitMethyl = style.methyls
    options.atomLabelDeuteriumTritium = style.deuterium
    options.fontFile = str(path(style.font))
    options.setBackgroundColour(tuple(value / 255 for value in style.paper))
    if not style.colours:
        options.useBWAtomPalette()
    drawer.DrawMolecule(prepared)
    drawer.FinishDrawing()
    spots = [drawer.GetDrawCoords(number) for number in range(prepared.GetNumAtoms())]
    image = np.array(Image.open(io.BytesIO(drawer.GetDrawingText())).convert("RGB"))
    edge = np.concatenate([image[0], image[-1], image[:, 0], image[:, -1]]).astype(int)
    if np.abs(edge - style.paper).max() > EDGE:
        raise Rejected("cut off")
    return image, np.array([(spot.x, spot.y) for spot in spots])
