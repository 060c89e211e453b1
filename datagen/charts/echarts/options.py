"""ECharts' options by pyecharts' classes, as plain data."""

from typing import Any

from datagen.charts.look import Look
from datagen.charts.palettes import Colour
from dsocr_jax.errors import UserError

try:
    from pyecharts import options as opts
except ImportError:
    raise UserError("charts by ECharts need pyecharts; run `pip install 'dsocr-jax[echarts]'`.") from None

from datagen.charts.echarts.styles import css

__all__ = ["label", "opts", "plain", "text_style"]


def plain(node: Any) -> Any:
    """Return options as dictionaries, lists, texts and numbers, without those that are not given."""
    node = getattr(node, "opts", node)
    if isinstance(node, dict):
        return {key: plain(value) for key, value in node.items() if value is not None}
    if isinstance(node, (list, tuple)):
        return [plain(value) for value in node]
    return node


def text_style(face: str, size: float, colour: Colour, **more: Any) -> dict[str, Any]:
    """Return how a title or a legend is set; the face's name is the family, and its weight is part of the face."""
    style = opts.TextStyleOpts(color=css(colour), font_family=face, font_size=size, font_weight="normal", **more)
    return dict(plain(style))


def label(look: Look, colour: Colour, texts: list[str], **more: Any) -> dict[str, Any]:
    """Return how values are written: the text of each point, by its index."""
    face = look.bold if look.value_bold else look.font
    style = opts.LabelOpts(
        is_show=True, color=css(colour), font_family=face, font_size=look.value_size, font_weight="normal", margin=None,
        formatter="@texts", **more,
    )  # fmt: skip
    return {**plain(style), "texts": texts}
