"""Charts drawn by ECharts without a browser: options after pyecharts, SVG from V8, pixels from resvg.

Needs the extra ``echarts``.
"""

from datagen.charts.echarts.renderer import draw

__all__ = ["draw"]
