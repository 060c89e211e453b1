"""Numbers that were published, for plots and tables beside ours."""

#: DeepSeek-OCR's paper, Table 2: English pages of Fox with 600 to 1300 text tokens. Vision tokens → precision in
#: percent for each bin of 100 text tokens, from 600-700 on.
PRECISION = {
    64: (96.5, 93.8, 83.8, 85.9, 79.3, 76.4, 59.1),
    100: (98.5, 97.3, 96.8, 96.8, 91.5, 89.8, 87.1),
}
#: The same table's compression: text tokens over vision tokens.
COMPRESSION = {
    64: (10.5, 11.8, 13.2, 15.1, 16.5, 17.7, 19.7),
    100: (6.7, 7.5, 8.5, 9.7, 10.6, 11.3, 12.6),
}
#: Where the bins begin, how wide they are, and the pages in each.
FIRST, WIDTH = 600, 100
PAGES = (7, 28, 28, 14, 11, 8, 4)


def published_precision(low: int, high: int, vision_tokens: float | None) -> float | None:
    """Return the published precision of a bin (0 to 1), or None where the paper has no such bin or mode.

    Args:
        low, high: text tokens, the bin's first and the one behind its last.
        vision_tokens: of the mode.
    """
    if high - low != WIDTH or (low - FIRST) % WIDTH or vision_tokens not in PRECISION:
        return None
    index = (low - FIRST) // WIDTH
    column = PRECISION[int(vision_tokens)]
    return column[index] / 100 if 0 <= index < len(column) else None
