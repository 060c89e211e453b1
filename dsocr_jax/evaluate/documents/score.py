"""All numbers of one page: edit distances of text, formulas, tables and order, and TEDS."""

import html
import re

from dsocr_jax.answers import AnswerError
from dsocr_jax.evaluate.documents.blocks import Block, parse_markdown
from dsocr_jax.evaluate.documents.html_tables import normal_table, table_tree
from dsocr_jax.evaluate.documents.match import match_blocks, match_tables, order_distance
from dsocr_jax.evaluate.documents.normal import normal_text
from dsocr_jax.evaluate.documents.truth import FORMULA, Truth
from dsocr_jax.evaluate.scoring import Row
from dsocr_jax.evaluate.teds import tree_similarity
from dsocr_jax.evaluate.text import page_edit_dist

#: Characters of an answer that are looked at; a page has a tenth of them.
MAX_CHARS = 50_000
#: Tables with more nodes are not compared as trees (the time grows with the square); they are counted.
MAX_NODES = 3000

_CELL = re.compile(r"<t[dh]\b[^<>]*>((?:(?!<t[dh]\b).)*?)</t[dh]>", re.DOTALL | re.IGNORECASE)
_TAG = re.compile(r"<[^<>]*>")


def score_document(answer: str, truth: Truth) -> Row:
    """Score one page.

    ``text_edit``, ``formula_edit`` and ``table_edit`` are edits over lengths, each summed over the page's blocks;
    ``order_edit`` is that of the reading order; all are None on a page without such blocks. ``_table_teds``,
    ``_table_teds_structure`` and ``_tables`` are sums over the page's tables.
    """
    parsed = parse_markdown(answer[:MAX_CHARS])
    tables, left = match_tables(truth.tables, [text for _, text in parsed.tables])
    # Tables that are no table of the truth may be text that was read as a table; without a true table they are nothing.
    blocks = list(parsed.blocks)
    if truth.tables and left:
        places = {text: place for place, text in parsed.tables}
        blocks += [block for text in left for block in _cells(text, places[text])]
        inline = [block for block in blocks if block.form == "inline"]
        blocks = sorted((b for b in blocks if b.form != "inline"), key=lambda block: block.place) + inline
    matches = match_blocks(truth.blocks, blocks)
    texts = [(match.read, match.true) for match in matches if match.category != FORMULA]
    formulas = [(match.read, match.true) for match in matches if match.category == FORMULA]
    normal = [(normal_table(read), normal_table(true)) for true, read in tables]
    row: Row = {
        "text_edit": page_edit_dist(texts) if texts else None,
        "formula_edit": page_edit_dist(formulas) if formulas else None,
        "table_edit": page_edit_dist(normal) if normal else None,
        "order_edit": order_distance(matches),
    }
    similar = [pair for read, true in normal if (pair := _teds(read, true)) is not None]
    row["_tables"] = float(len(similar)) if tables else None
    row["_table_teds"] = sum(whole for whole, _ in similar) if tables else None
    row["_table_teds_structure"] = sum(structure for _, structure in similar) if tables else None
    row["_tables_too_large"] = float(len(normal) - len(similar)) if tables else None
    return row


def _teds(read: str, true: str) -> tuple[float, float] | None:
    """Return TEDS of two tables in normal form, with texts and without; None for a table too large to compare."""
    wanted = table_tree(true)
    try:
        found = table_tree(read)
    except AnswerError:
        return 0.0, 0.0
    if wanted.nodes > MAX_NODES:
        return None
    if found.nodes > MAX_NODES:
        return 0.0, 0.0
    return tree_similarity(found, wanted), tree_similarity(found, wanted, structure_only=True)


def _cells(table: str, place: int) -> list[Block]:
    """Return the texts of a table's cells as blocks of text."""
    texts = [html.unescape(_TAG.sub("", cell)).strip() for cell in _CELL.findall(table)]
    return [Block("text", text, normal, place) for text in texts if (normal := normal_text(text))]
