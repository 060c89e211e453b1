"""Make clean pictures look printed, scanned, faxed, photographed or compressed, without harm to what they say."""

from datagen.degrade.settings import LEVELS, PARTS, PRESETS, Degradation, Dose, only

__all__ = ["LEVELS", "PARTS", "PRESETS", "Degradation", "Dose", "degrade", "map_points", "only"]


def __getattr__(name: str) -> object:
    # Settings are read by command lines, which must not wait for OpenCV.
    if name == "degrade":
        from datagen.degrade.apply import degrade

        return degrade
    if name == "map_points":
        from datagen.degrade.warp import map_points

        return map_points
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
