"""One sample: a pure function of seed, family, index, split, level and degradation, and of the versions in use.

Nothing is shared between samples, so any machine can make any part of a set, in any order, and get the same bytes.
"""

import hashlib
import zlib
from collections import Counter
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np

from datagen import boxes, families
from datagen import degradation as degradations
from datagen.family import Rejected
from dsocr_jax.errors import UserError
from dsocr_jax.prompts import prompt_text

#: Raised by one whenever any family would draw the same seed differently than before.
GENERATOR_VERSION = 4

#: One content in this many belongs to the test split, whatever the seed and the set.
TEST_SHARE = 10

#: Attempts at one sample before the engine gives up. A test sample takes `TEST_SHARE` attempts on average, so even
#: a family that rejects nine draws in ten fails this by chance less than once in 10,000 samples.
MAX_ATTEMPTS = 1000

#: Sets the dice of degradation apart from those of drawing.
_DEGRADATION = 1

Split = Literal["train", "test", "all"]
SPLITS: tuple[Split, ...] = get_args(Split)


@dataclass(frozen=True)
class Sample:
    """A picture with its prompt and label.

    Attributes:
        image: uint8, ``[height, width]`` gray or ``[height, width, 3]`` RGB.
        prompt: the text of the user's turn: that of the family, or the one that its remark ``prompt`` names.
        label: the answer; boxes in it are those of the picture as it is, degraded or not.
        kind: the family's name.
        meta: the family's remarks, and the engine's: ``level``, ``content`` (`content_digest`), and ``degradation``,
            what was done to the picture after it was drawn (empty when nothing was).
        id: the sample's index within its kind.
        seed: the set's seed.
    """

    image: np.ndarray
    prompt: str
    label: str
    kind: str
    meta: dict[str, Any]
    id: int
    seed: int


def content_digest(kind: str, key: str) -> str:
    """Return the SHA-256 (hexadecimal) that stands for a content: equal contents, equal digests."""
    return hashlib.sha256((kind + key).encode()).hexdigest()


def split_of(digest: str) -> Literal["train", "test"]:
    """Return the split that a content belongs to, in every set: no test content is ever trained on."""
    return "test" if int(digest, 16) % TEST_SHARE == 0 else "train"


def make_sample(
    seed: int,
    family: str,
    index: int,
    split: Split,
    level: str,
    *,
    degradation: str = "none",
    settings: Any = None,
    rejected: Counter[str] | None = None,
) -> Sample:
    """Make one sample.

    Args:
        seed: the set's seed, 0 or more.
        family: the family's name.
        index: the sample's index within its kind, 0 or more.
        split: the split that its content must belong to; "all" takes every content.
        level: "easy" or "standard".
        degradation: one of `datagen.degradation.NAMES`. It has dice of its own: with "none" the same sample comes
            out as it was before it was degraded.
        settings: the family's; by default those of the level.
        rejected: counts the draws that could not be used, by reason.

    Raises:
        RuntimeError: the family fails (what it raised is the cause). The message says how to make the same draw again.
        UserError: no attempt could be used, a library that the family draws with cannot be loaded, or the family's own.
    """
    from dsocr_jax.answers import check_label
    from dsocr_jax.answers.errors import AnswerError

    maker = families.load(family)
    settings = maker.settings[level] if settings is None else settings
    reasons: Counter[str] = Counter() if rejected is None else rejected
    failed = f"make_sample({seed}, {family!r}, {index}, {split!r}, {level!r}, degradation={degradation!r}) failed"
    why = f"no draw was of the split {split}"
    for attempt in range(MAX_ATTEMPTS):
        entropy = [seed, zlib.crc32(family.encode()), index, attempt]
        rng = _generator(entropy)
        try:
            content = maker.compose(rng, settings)
            digest = content_digest(family, content.key)
            if split not in ("all", split_of(digest)):
                continue
            drawn = maker.render(content, rng, settings)
            check_label(family, drawn.label)
            detail = drawn.meta.get(degradations.SMALLEST_TEXT)
            dice = _generator([*entropy, _DEGRADATION])
            image, applied = degradations.apply(drawn.image, degradation, dice, detail)
            label = boxes.follow(drawn.label, drawn.image.shape[:2], applied)
        except Rejected as error:
            reasons[error.reason] += 1
            why = error.reason
        except AnswerError as error:
            reasons["label not in its form"] += 1
            why = f"label not in its form: {error}"
        except UserError:
            raise
        except ImportError as error:
            raise UserError(
                f"{family} cannot be drawn here: {error}; a library is missing (of RDKit's, Debian has libxrender1, "
                "libxext6 and libexpat1)"
            ) from error
        except Exception as error:
            raise RuntimeError(f"{failed} in attempt {attempt}: {error!r}") from error
        else:
            meta = {**drawn.meta, "degradation": applied, "level": level, "content": digest}
            prompt = prompt_text(drawn.meta.get("prompt", maker.prompt))
            return Sample(image, prompt, label, family, meta, index, seed)
    raise UserError(
        f"{failed}: none of {MAX_ATTEMPTS} draws could be used, the last because of: {why}; other settings or a larger "
        "source leave more to draw"
    )


def _generator(entropy: list[int]) -> np.random.Generator:
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence(entropy)))
