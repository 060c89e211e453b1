"""Colours of series and slices: hand-made lists in the manner of common programs, and how far colours are apart."""

import functools

Colour = tuple[int, int, int]

#: The least CIE76 difference between two colours of a chart (2.3 is just noticeable side by side).
MIN_DIFFERENCE = 18.0
#: The least difference from the ground, for filled areas and for thin lines.
MIN_CONTRAST = 12.0
MIN_LINE_CONTRAST = 26.0
#: Luminance (0 to 255) above which black text is easier to read than white.
BRIGHT = 140


def colours(text: str) -> tuple[Colour, ...]:
    """Return the colours written as hexadecimal codes."""
    return tuple((code >> 16, code >> 8 & 255, code & 255) for code in (int(part, 16) for part in text.split()))


PALETTES: dict[str, tuple[Colour, ...]] = {
    # Office suites
    "office": colours("4472c4 ed7d31 a5a5a5 ffc000 5b9bd5 70ad47 264478 9e480e 636363 997300"),
    "office_new": colours("156082 e97132 196b24 0f9ed5 a02b93 4ea72e 0b3c50 b7471a"),
    "office_old": colours("4f81bd c0504d 9bbb59 8064a2 4bacc6 f79646 2c4d75 772c2a"),
    "spreadsheet": colours("3366cc dc3912 ff9900 109618 990099 0099c6 dd4477 66aa00 b82e2e 316395"),
    "spreadsheet_soft": colours("4285f4 ea4335 fbbc04 34a853 ff6d01 46bdc6 7baaf7 f07b72"),
    "libre": colours("004586 ff420e ffd320 579d1c 7e0021 83caff 314004 aecf00 4b1f6f ff950e"),
    # Plotting libraries
    "tab": colours("1f77b4 ff7f0e 2ca02c d62728 9467bd 8c564b e377c2 7f7f7f bcbd22 17becf"),
    "deep": colours("4c72b0 dd8452 55a868 c44e52 8172b3 937860 da8bc3 8c8c8c ccb974 64b5cd"),
    "muted": colours("4878d0 ee854a 6acc64 d65f5f 956cb4 8c613c dc7ec0 797979 d5bb67 82c6e2"),
    "gg": colours("f8766d 00ba38 619cff b79f00 00bfc4 f564e3 7cae00 c77cff"),
    "vega": colours("4c78a8 f58518 e45756 72b7b2 54a24b eeca3b b279a2 ff9da6 9d755d bab0ac"),
    "echarts": colours("5470c6 91cc75 fac858 ee6666 73c0de 3ba272 fc8452 9a60b4 ea7ccc"),
    "echarts_old": colours("c23531 2f4554 61a0a8 d48265 91c7ae 749f83 ca8622 bda29a 6e7074 546570"),
    "plotly": colours("636efa ef553b 00cc96 ab63fa ffa15a 19d3f3 ff6692 b6e880 ff97ff fecb52"),
    "highcharts": colours("7cb5ec 434348 90ed7d f7a35c 8085e9 f15c80 e4d354 2b908f"),
    # Print
    "broadsheet": colours("0f5499 990f3d ff7faa 00a0dd 593380 96cc28 cc2c31 7a6a58"),
    "weekly": colours("006ba2 3ebcd2 379a8b ebb434 b4ba39 9a607f d1b07c db444b"),
    "daily": colours("1a6ea0 e0842c 7a9a3a b03a48 6a5a8c 50a0a8 c8a83c 555555"),
    "journal": colours("e64b35 4dbbd5 00a087 3c5488 f39b7f 8491b4 91d1c2 7e6148"),
    "medical": colours("bc3c29 0072b5 e18727 20854e 7876b1 6f99ad ffdc91 ee4c97"),
    "safe": colours("0072b2 e69f00 009e73 cc79a7 56b4e9 d55e00 787878 f0e442"),
    "bright": colours("4477aa ee6677 228833 ccbb44 66ccee aa3377 bbbbbb 222255"),
    "report_green": colours("1e6b3c 7ab648 a9c9a4 f2b134 4b8f8c 2f4858 c3d69b 88714a"),
    "report_teal": colours("00677f 00a499 ffb81c e04e39 7a99ac 3a5dae a4bcc2 5c462b"),
    "bank": colours("002f6c 009cde a7a8a9 e4002b 685bc7 43b02a ff9e1b 6cace4"),
    "statistics": colours("206095 27a0cc a8bd3a f66068 871a5b 003c57 22d0b6 746cb1"),
    "earth": colours("8c510a d8b365 5ab4ac 01665e bf812d 80a49c 4d3b2a c7a17a"),
    # By hand
    "pastel": colours("8dd3c7 bebada fb8072 80b1d3 fdb462 b3de69 fccde5 bc80bd ccbb50"),
    "soft": colours("66c2a5 fc8d62 8da0cb e78ac3 a6d854 ffd92f e5c494 a3a3a3"),
    "sea": colours("1b4965 62b6cb ca6702 9b2226 0a9396 ee9b00 94d2bd 3c3c5a"),
    "sunset": colours("003f5c ff6361 58508d ffa600 bc5090 2f8f7c 7a5195 c9c96a"),
    "candy": colours("ef476f ffd166 06d6a0 118ab2 073b4c f78c6b 9b5de5 83d483"),
    "neon": colours("00e5ff ff4081 c6ff00 ffab40 7c4dff 69f0ae ffee58 ff6e40"),
    "night": colours("8ab4f8 fdd663 81c995 f28b82 c58af9 78d9ec fcad70 ff8bcb"),
    "retro": colours("264653 e9c46a e76f51 2a9d8f f4a261 8ab17d 6d597a b56576"),
    # One hue
    "blues": colours("08519c 6baed6 9ecae1 3182bd c6dbef 08306b 2171b5 deebf7"),
    "greens": colours("00592b 41ab5d a1d99b 238b45 c7e9c0 003d1a 74c476"),
    "oranges": colours("a63603 fd8d3c fdbe85 d94801 fdd0a2 5e1f02 f16913"),
    "purples": colours("54278f 9e9ac8 cbc9e2 6a51a3 2d0a55 807dba dadaeb"),
    "grays": colours("252525 969696 636363 bdbdbd d9d9d9 404040 7a7a7a"),
    "navy_gold": colours("14213d fca311 8d99ae 3d5a80 e0b354 98c1d9 5c677d"),
    "red_gray": colours("b5121b 7f7f7f 3b3b3b d98880 bfbfbf 641e16 e6b0aa"),
}


@functools.lru_cache(maxsize=4096)
def lab(colour: Colour) -> tuple[float, float, float]:
    """Return an sRGB colour in CIELAB (white point D65)."""
    linear = [v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in (part / 255 for part in colour)]
    rows = ((0.4124, 0.3576, 0.1805), (0.2126, 0.7152, 0.0722), (0.0193, 0.1192, 0.9505))
    xyz = [sum(a * b for a, b in zip(row, linear, strict=True)) for row in rows]
    x, y, z = (
        v ** (1 / 3) if v > 0.008856 else 7.787 * v + 16 / 116 for v in (xyz[0] / 0.95047, xyz[1], xyz[2] / 1.08883)
    )
    return 116 * y - 16, 500 * (x - y), 200 * (y - z)


def difference(first: Colour, second: Colour) -> float:
    """Return the CIE76 difference (Euclidean in CIELAB) of two colours."""
    a, b = lab(first), lab(second)
    return float(((a[0] - b[0]) ** 2 + (a[1] - b[1]) ** 2 + (a[2] - b[2]) ** 2) ** 0.5)


@functools.lru_cache(maxsize=8192)
def choose_colours(palette: str, count: int, turn: int, ground: Colour, thin: bool) -> tuple[Colour, ...]:
    """Return up to ``count`` colours that can be told apart, and from the ground they are drawn on.

    Args:
        palette: a key of `PALETTES`; its own order is kept.
        count: how many are wanted; fewer come back if the palette has not that many.
        turn: with which of its colours to begin.
        ground: what they are drawn on.
        thin: whether they are colours of lines and points, which must stand out more.
    """
    listed = PALETTES[palette]
    turn %= len(listed)
    least = MIN_LINE_CONTRAST if thin else MIN_CONTRAST
    chosen: list[Colour] = []
    base = listed[turn:] + listed[:turn]
    # More than a palette has: tints and shades of it, as office programs do.
    tints = [mix(colour, (255, 255, 255), 0.45) for colour in base]
    shades = [mix(colour, (0, 0, 0), 0.4) for colour in base]
    for colour in (*base, *tints, *shades):
        if len(chosen) == count:
            break
        apart = all(difference(colour, other) >= MIN_DIFFERENCE for other in chosen)
        if apart and difference(colour, ground) >= least:
            chosen.append(colour)
    return tuple(chosen)


@functools.lru_cache(maxsize=4096)
def contrast(colour: Colour) -> Colour:
    """Return black or white, whichever is easier to read on ``colour``."""
    red, green, blue = colour
    return (0, 0, 0) if 0.299 * red + 0.587 * green + 0.114 * blue > BRIGHT else (255, 255, 255)


@functools.lru_cache(maxsize=8192)
def mix(first: Colour, second: Colour, share: float) -> Colour:
    """Return ``first`` with ``share`` (0 to 1) of ``second``."""
    return (
        round(first[0] + (second[0] - first[0]) * share),
        round(first[1] + (second[1] - first[1]) * share),
        round(first[2] + (second[2] - first[2]) * share),
    )
