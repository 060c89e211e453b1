"""Samples that are drawn while training goes on: ``live:LEVEL`` or ``live:LEVEL:charts,pages``. They have no end.

Words behind it change the level's settings (``live:middle:pages pages.words=[2,30]``, as ``dsocr-data build --change``
does), say what is done to its pictures (``degradation=light``) where that is not what the run's configuration says, and
where the samples of a kind begin (``pages@120000``), so that a stream goes on behind an earlier run's.
"""

from datagen import families, manifest
from datagen import settings as family_settings
from datagen.degradation import NAMES
from datagen.family import LEVELS
from datagen.sample import GENERATOR_VERSION, make_sample
from dsocr_jax.errors import UserError
from train.data.samples import Picture, Sample, Unusable

LIVE = "live:"

_DEGRADED = "degradation="

UNDRAWN = "sample that its generator fails to draw"


class LiveSource:
    """Samples of the training split, each drawn when it is asked for; see `train.data.samples.Source`.

    Args:
        entry: as in ``data`` of the configuration.
        seed: of the drawing.
        degradation: what is done to the pictures.
        grey: whether the model takes pictures in grey, which then need no colours.

    Raises:
        UserError: there is no such level, family or setting.
    """

    most_pictures = 1

    def __init__(self, entry: str, seed: int, degradation: str, grey: bool = False) -> None:
        what, *words = entry.removeprefix(LIVE).split()
        degradation, words = _degradation(words, degradation, entry)
        self.level, _, names = what.partition(":")
        if self.level not in LEVELS:
            raise UserError(f"--data {entry}: there is no level {self.level!r}; there are {', '.join(LEVELS)}")
        try:
            kinds = families.expand(names.split(",") if names else ["all"])
            changes = family_settings.read_changes([word for word in words if "=" in word], self.level, kinds)
        except UserError as error:
            raise UserError(f"--data {entry}: {error}") from None
        self.name, self.seed, self.degradation, self.grey = entry, seed, degradation, grey
        self.counts: dict[str, int | None] = dict.fromkeys(kinds)
        self.first = _first([word for word in words if "=" not in word], entry, kinds)
        config = manifest.SetConfig(dict.fromkeys(kinds, 1), seed, "train", self.level, 1, degradation, changes)
        self._settings = {kind: config.settings(kind) for kind in changes}
        self.fingerprint = manifest.config_hash({**config.as_json(), **manifest.versions(config)}, GENERATOR_VERSION)
        self._modules = dict(families.MODULES)

    def read(self, kind: str, index: int) -> Sample:
        """Draw a sample.

        Raises:
            Unusable: the generator has a fault; what names the sample says how to draw it again.
            UserError: the settings leave nothing to draw, or something that drawing needs is not installed.
        """
        from PIL import Image

        families.MODULES.update(self._modules)  # in a process of its own
        index += self.first.get(kind, 0)
        settings = self._settings.get(kind)
        try:
            drawn = make_sample(
                self.seed, kind, index, "train", self.level, degradation=self.degradation, settings=settings
            )
        except UserError as error:  # so would the others end
            raise UserError(f"--data {self.name}: {error}") from error
        except RuntimeError as error:
            raise Unusable(UNDRAWN, f"{self.name} ({error})") from error
        picture = Image.fromarray(drawn.image)
        if not self.grey:
            picture = picture.convert("RGB")
        pictures = (Picture(lambda: picture.size, lambda: picture, finished=True),)
        return Sample(f"{self.name} {kind} {index}", ((drawn.prompt, drawn.label),), pictures)


def without_first(entry: str) -> str:
    """Return a live entry without the words that say where its samples begin."""
    return " ".join(word for word in entry.split() if "@" not in word or "=" in word)


def _degradation(words: list[str], usual: str, entry: str) -> tuple[str, list[str]]:
    """Return the degradation that the last such word names, and the other words."""
    named = [word.removeprefix(_DEGRADED) for word in words if word.startswith(_DEGRADED)]
    name = named[-1] if named else usual
    if name not in NAMES:
        raise UserError(f"--data {entry}: there is no degradation {name!r}; known are {', '.join(NAMES)}")
    return name, [word for word in words if not word.startswith(_DEGRADED)]


def _first(words: list[str], entry: str, kinds: tuple[str, ...]) -> dict[str, int]:
    found = {}
    for word in words:
        kind, _, number = word.partition("@")
        if kind not in kinds or not number.isdecimal():
            raise UserError(
                f"--data {entry}: {word!r} is neither KIND@NUMBER nor KIND.SETTING=VALUE of {', '.join(kinds)}"
            )
        found[kind] = int(number)
    return found
