"""Text that a parser should survive: valid answers of every form, ways to spoil them, and what has no end."""

from hypothesis import strategies as st

VALID = (
    "<|ref|>title<|/ref|><|det|>[[10, 20, 300, 40]]<|/det|>\n# A title\n\n"
    "<|ref|>image<|/ref|><|det|>[[0, 0, 999, 500], [1, 2, 3, 4]]<|/det|>\nText with \\(a \\coloneqq b\\).\n",
    "<table><tr><td></td><td>Orders</td></tr><tr><td>Mon</td><td>120 &amp; 5%</td></tr></table>",
    '# T\n<table border=1><thead><tr><th colspan="2">a</th><th rowspan=2>b<sup>2</sup></th></tr></thead>\n'
    "<tr><td>c</td><td>d<br/>e</td></tr></table> text <table><tr><td>1</td></tr></table>",
    '{"Line": {"line": ["(-8.0, -4.0) -- (8.0, -4.0)", "(8.0, -4.0) -- (0.0, 4.0)"], "line_type": ["-", "--"], '
    '"line_endpoint": ["A: (-8.0, -4.0)"]}, "Circle": {"circle_center": ["O: (0.0, 0.0)"], "radius": [3.31]}}',
    "CC(=O)Oc1ccccc1C(=O)O",
    "C[C@H](N)C(=O)O.[Na+].c1ccc2ccccc2c1",
    "A paragraph.\n\nAnother one, with\nlines and caf\u0065\u0301.",
)

#: Single pieces that break things: controls, directions, halves of characters, numbers, tags, marks, entities.
PIECES = (
    *(
        "\x00",
        "\x1b[2J",
        "\r",
        "\x85",
        "\u2028",
        "\u202e",
        "\u2066",
        "\ufeff",
        "\ud800",
        "\udfff",
        "\U0010ffff",
        "\u0301",
    ),
    *("9" * 400, "-1", "1e999", "NaN", "Infinity", "1_0", "٣", "0x1", "1.", ".5", "true", "null"),
    *("<table>", "</table>", "<tr>", "</tr>", "<td>", "</td>", "<td colspan=1000 rowspan=1000>", "<th", "<tbody>"),
    *("<|ref|>", "<|/ref|>", "<|det|>", "<|/det|>", "[[", "]]", "[1, 2, 3, 4]", "image"),
    *("{", "}", "[", "]", '"', "\\", "\\u0000", '"Line"', '"line_type"', " -- ", "(1.0, 2.0)", ": ", ", "),
    *("(", ")", "=", "#", "@", "%99", "[13C@@H]", "[*]", ">>", "C1CC1", "c1", "/", "\n"),
    *("&", "&#0;", "&#xd800;", "&#" + "9" * 50 + ";", "&amp", "&nGt;", "__import__('os').system('true')", "../../x"),
)

#: Pieces that, repeated, make parsers with a flaw slow or deep.
REPEATED = (
    *(
        "<",
        "<|",
        "<|ref|>",
        "<|det|>",
        "<|/det|>",
        "<|ref|>a<|/ref|><|det|>[[",
        "<|ref|>a<|/ref|><|det|>[[1,2,3,4]]<|/det|>",
    ),
    *(
        "[[1, 2, 3, 4], ",
        "[",
        "]",
        "1",
        " ",
        "\n",
        "\n ",
        " \n\n",
        "\t",
        "\u00a0",
        "\u0301",
        "e\u0301",
        "\u202e",
        "\x00",
    ),
    *(
        "<table>",
        "<table",
        "<td",
        "<td ",
        "<td>",
        "</td>",
        "<tr>",
        "<table><tr><td>",
        "<table><tr><td colspan=200>x</td></tr>",
    ),
    *("<table><tr><td>x</td></tr></table>", "<tr><td>x</td></tr>", "<td>x</td>", "<td colspan=2 ", "<b", "<b ", "</b>"),
    *(
        "&",
        "&amp;",
        "&#",
        "&#x",
        "&#99999999",
        "{",
        '{"Line": ',
        '"',
        '\\"',
        '"Line": {}, ',
        "(",
        "C(",
        "C1",
        "[C",
        "c1ccccc1",
    ),
    *("(1.0, 2.0) -- ", '"-", ', "x", "xy ", "\\coloneqq", "images/0.jpg ", "\ud800", "文", "- "),
)

#: What stands before the repeated piece, to bring a parser into the middle of its work.
BEFORE = (
    "",
    "<table><tr><td>",
    "<table>",
    "<|ref|>image<|/ref|><|det|>[[",
    '{"Line": {"line_type": ["',
    "{line_type",
    "<table><tr><td colspan=",
)


@st.composite
def spoiled(draw: st.DrawFn) -> str:
    """A valid answer after a few cuts, repetitions, moves and insertions."""
    text = draw(st.sampled_from(VALID))
    for _ in range(draw(st.integers(1, 5))):
        start = draw(st.integers(0, len(text)))
        end = min(len(text), start + draw(st.integers(0, 40)))
        piece = text[start:end]
        what = draw(st.integers(0, 4))
        if what == 0:
            text = text[:start] + text[end:]
        elif what == 1:
            text = text[:end] + piece * draw(st.sampled_from([1, 2, 50])) + text[end:]
        elif what == 2:
            text = text[:start] + draw(st.sampled_from(PIECES)) + text[end:]
        elif what == 3:
            text = text[:start]
        else:
            text = text[:start] + draw(st.sampled_from(VALID)) + text[end:]
    return text


def hostile() -> st.SearchStrategy[str]:
    """Text of all these sorts, and any text at all (lone surrogates included)."""
    any_text = st.text(st.characters(exclude_categories=[]), max_size=80)
    pieces = st.lists(st.sampled_from(PIECES + REPEATED), max_size=20).map("".join)
    endless = st.builds(
        lambda before, piece, count: before + piece * count,
        st.sampled_from(BEFORE),
        st.sampled_from(REPEATED),
        st.integers(0, 200),
    )
    return spoiled() | pieces | endless | any_text
