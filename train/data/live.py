"""Samples that are drawn while training goes on: ``live:LEVEL`` or ``live:LEVEL:charts,pages``. They have no end."""

from datagen import families, manifest
from datagen.family import LEVELS
from datagen.sample import GENERATOR_VERSION, make_sample
from dsocr_jax.errors import UserError
from train.data.samples import Picture, Sample

LIVE = "live:"


class LiveSource:
    """Samples of the training split, each drawn when it is asked for; see `train.data.samples.Source`.

    Args:
        entry: as in ``data`` of the configuration.
        seed: of the drawing.
        degradation: what is done to the pictures.

    Raises:
        UserError: there is no such level or family.
    """

    most_pictures = 1

    def __init__(self, entry: str, seed: int, degradation: str) -> None:
        self.level, _, names = entry.removeprefix(LIVE).partition(":")
        if self.level not in LEVELS:
            raise UserError(f"--data {entry}: there is no level {self.level!r}; there are {', '.join(LEVELS)}")
        try:
            kinds = families.expand(names.split(",") if names else ["all"])
        except UserError as error:
            raise UserError(f"--data {entry}: {error}") from None
        self.name, self.seed, self.degradation = entry, seed, degradation
        self.counts: dict[str, int | None] = dict.fromkeys(kinds)
        config = manifest.SetConfig(dict.fromkeys(kinds, 1), seed, "train", self.level, 1, degradation)
        self.fingerprint = manifest.config_hash({**config.as_json(), **manifest.versions(config)}, GENERATOR_VERSION)
        self._modules = dict(families.MODULES)

    def read(self, kind: str, index: int) -> Sample:
        """Draw a sample."""
        from PIL import Image

        families.MODULES.update(self._modules)  # in a process of its own
        try:
            drawn = make_sample(self.seed, kind, index, "train", self.level, degradation=self.degradation)
        except RuntimeError as error:
            raise UserError(f"--data {self.name}: {error}") from error
        picture = Image.fromarray(drawn.image).convert("RGB")
        pictures = (Picture(lambda: picture.size, lambda: picture, finished=True),)
        return Sample(f"{self.name} {kind} {index}", ((drawn.prompt, drawn.label),), pictures)
