"""Examples and batches: token ids, pictures, and where each picture's vectors go.

A batch holds its pictures by view size, so that pictures of any mode, and rows without a picture, mix in
one batch of fixed shapes. ``vision_index`` says for every position which row of the vision table
(`dsocr_jax.model.encoder`) stands there; the layout itself is computed in `dsocr_jax.modes` alone.
"""

import dataclasses
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import jax
import numpy as np
from PIL import Image

from dsocr_jax.config import ModelConfig
from dsocr_jax.errors import UserError
from dsocr_jax.modes import FIRST_ROW, Mode, count_tokens, picture_layout, view_side
from dsocr_jax.preprocess import Views, preprocess
from dsocr_jax.prompts import IMAGE
from dsocr_jax.tokenizer import BOS, Tokenizer
from dsocr_jax.windows import parts_of, text_views, view_spec

#: In ``vision_index``: this position is text.
TEXT = -1
#: In ``labels``: this position is not in the loss.
IGNORED = -100

ViewCounts = Mapping[int, int]

#: A numpy array before the batch is put on devices, a `jax.Array` after.
HostOrDevice = Any

#: What the encoder is given of a page: an upright RGB picture, or to a rival (`ModelConfig.rival`) the page's own text.
Context = Image.Image | str


@dataclasses.dataclass(frozen=True)
class Example:
    """One row before batching.

    Attributes:
        tokens: int32 [t], placeholders included.
        labels: int32 [t], aligned with ``tokens`` (the loss shifts); `IGNORED` outside the answer.
        views: the picture's views, or None for text alone.
        mode: the mode that the views were made in.
        more: views of further pictures, in the order of their placeholders.
    """

    tokens: np.ndarray
    labels: np.ndarray
    views: Views | None = None
    mode: Mode | None = None
    more: tuple[Views, ...] = ()

    @property
    def pictures(self) -> tuple[Views, ...]:
        """The views of every picture."""
        return () if self.views is None else (self.views, *self.more)


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True)
class Batch:
    """Rows padded on the right to one length; a row holds one example, or several packed behind each other.

    Attributes:
        tokens: int32 [b, t].
        labels: int32 [b, t].
        segments: int32 [b, t], 0 for padding, else the number of the example within its row, from 1.
        positions: int32 [b, t], counted from 0 within each example.
        vision_index: int32 [b, t], `TEXT` or a row of the group's vision table.
        views: uint8 [g, n, S, S, 3] by size S, or for a rival int32 windows of text (`dsocr_jax.windows.view_spec`);
            rows of group i are ``i * b / g`` to ``(i + 1) * b / g``.
        kinds: int32 [b, t], the number of the kind of sample at every position (0 for padding), or None.
        groups: g; one for each shard of a data-parallel batch, so that no device needs another's pictures.
    """

    tokens: HostOrDevice
    labels: HostOrDevice
    segments: HostOrDevice
    positions: HostOrDevice
    vision_index: HostOrDevice
    views: dict[int, HostOrDevice]
    kinds: HostOrDevice | None = None
    groups: int = dataclasses.field(default=1, metadata={"static": True})

    @property
    def mask(self) -> HostOrDevice:
        """False for padding."""
        return self.segments > 0


def look(tokenizer: Tokenizer, config: ModelConfig, mode: Mode, page: Context) -> Views:
    """Return what the encoder is given of a page.

    Raises:
        UserError: it is given text and reads pictures, or the other way round, or the text does not fit.
    """
    if config.rival is None:
        if isinstance(page, str):
            raise UserError("this model reads pictures, and was given a text")
        return preprocess(page, mode, config.grey)
    if not isinstance(page, str):
        raise UserError(
            f"this model cannot read a picture: its encoder is given the text itself ({config.rival.kind}); `dsocr "
            "evaluate compression` holds it against models that read"
        )
    return text_views(tokenizer.encode(page), config, mode)


def make_example(
    tokenizer: Tokenizer,
    config: ModelConfig,
    mode: Mode | None,
    prompt: str,
    picture: Context | None = None,
    answer: str | None = None,
    max_length: int | None = None,
) -> Example:
    """Tokenise a prompt, with its picture's placeholders, and an answer that ends in EOS.

    Args:
        picture: see `Context`; needs ``mode``.
        answer: None when the model is to write it.
        max_length: most tokens of the row.

    Raises:
        UserError: the row is longer than ``max_length``, or the encoder cannot take the page (`look`).
    """
    views = look(tokenizer, config, mode, picture) if picture is not None and mode is not None else None
    placeholders = count_tokens(mode, views.grid, config.stride) if views is not None and mode is not None else 0
    start = tokenizer.prompt_ids(prompt, placeholders)
    end = [] if answer is None else [*tokenizer.encode(answer), config.eos_token_id]
    if max_length is not None and len(start) + len(end) > max_length:
        raise UserError(f"a row of {len(start) + len(end)} tokens is longer than {max_length}")
    tokens = np.array(start + end, np.int32)
    labels = np.array([IGNORED] * len(start) + end, np.int32)
    return Example(tokens, labels, views, mode if views is not None else None)


def make_dialogue(
    tokenizer: Tokenizer,
    config: ModelConfig,
    mode: Mode,
    turns: Sequence[tuple[str, str]],
    pictures: Sequence[Context] = (),
) -> Example:
    """Tokenise questions and answers behind each other, as the released model's plain format has them.

    Every answer ends in EOS and is labelled; nothing else is. The questions are stripped, as a prompt is.

    Args:
        turns: pairs of question and answer; the questions hold one ``<image>`` for each picture.
        pictures: see `Context`.

    Raises:
        UserError: there are more or fewer ``<image>`` than pictures, or the encoder cannot take one (`look`).
    """
    views = [look(tokenizer, config, mode, picture) for picture in pictures]
    places = iter([count_tokens(mode, made.grid, config.stride) for made in views])
    tokens, labels = [tokenizer.special_ids[BOS]], [IGNORED]
    for question, answer in turns:
        for i, piece in enumerate(question.strip().split(IMAGE)):
            ids = [config.image_token_id] * next(places, 0) if i else []
            ids += tokenizer.encode(piece) if piece else []
            tokens += ids
            labels += [IGNORED] * len(ids)
        ids = [*tokenizer.encode(answer), config.eos_token_id]
        tokens += ids
        labels += ids
    asked = sum(question.count(IMAGE) for question, _ in turns)
    if asked != len(views):
        raise UserError(f"{asked} {IMAGE} for {len(views)} pictures")
    arrays = np.array(tokens, np.int32), np.array(labels, np.int32)
    return Example(*arrays, views[0], mode, tuple(views[1:])) if views else Example(*arrays)


def make_document(tokenizer: Tokenizer, config: ModelConfig, text: str, length: int) -> Example:
    """Tokenise a text that has no picture: every token of it and its EOS are labelled; ``length`` tokens are kept."""
    ids = [tokenizer.special_ids[BOS], *tokenizer.encode(text), config.eos_token_id][:length]
    return Example(np.array(ids, np.int32), np.array([IGNORED, *ids[1:]], np.int32))


def view_counts(example: Example) -> Counter[int]:
    """How many views of each size the example brings."""
    counts: Counter[int] = Counter()
    for views in example.pictures:
        for size, array in parts_of(views):
            counts[size] += len(array)
    return counts


def pack(lengths: Sequence[int], length: int) -> list[list[int]]:
    """First fit: indices of examples for as many rows of ``length`` tokens as they need, in order of arrival."""
    rows: list[list[int]] = []
    left: list[int] = []
    for i, n in enumerate(lengths):
        fitting = next((r for r, space in enumerate(left) if n <= space), None)
        if fitting is None:
            rows.append([])
            left.append(length)
            fitting = len(rows) - 1
        rows[fitting].append(i)
        left[fitting] -= n
    return rows


def collate(
    examples: Sequence[Example],
    config: ModelConfig,
    length: int,
    views_per_group: ViewCounts | None = None,
    groups: int = 1,
) -> Batch:
    """Pad examples into one `Batch`, a row each; see `collate_rows`."""
    return collate_rows([[example] for example in examples], config, length, views_per_group, groups)


def collate_rows(
    rows: Sequence[Sequence[Example]],
    config: ModelConfig,
    length: int,
    views_per_group: ViewCounts | None = None,
    groups: int = 1,
    kinds: Sequence[Sequence[int]] | None = None,
) -> Batch:
    """Put the examples of each row behind each other and pad the rows into one `Batch` of numpy arrays.

    Args:
        rows: examples of each row; those of a row do not see each other.
        config: sizes and special ids.
        length: t; every row must fit.
        views_per_group: room for views by size in each group; None takes what is needed. Training gives
            it, so that every batch has the same shapes.
        groups: parts that the rows fall into, see `Batch`.
        kinds: the number of each example's kind, by row; None leaves `Batch.kinds` out.

    Raises:
        UserError: a row or its views do not fit, or placeholders and vision tokens differ in number.
    """
    if not rows or len(rows) % groups:
        raise UserError(f"{len(rows)} rows do not split into {groups} equal groups")
    per_group = len(rows) // groups
    views = _room(rows, config, per_group, views_per_group, groups)
    starts, start = {}, FIRST_ROW
    for size, array in views.items():
        starts[size] = start
        start += array.shape[1] * view_side(size, config.stride) ** 2
    shape = (len(rows), length)
    tokens = np.full(shape, config.pad_token_id, np.int32)
    labels = np.full(shape, IGNORED, np.int32)
    segments, positions = np.zeros(shape, np.int32), np.zeros(shape, np.int32)
    vision_index = np.full(shape, TEXT, np.int32)
    numbers = None if kinds is None else np.zeros(shape, np.int32)
    used: list[Counter[int]] = [Counter() for _ in range(groups)]
    for b, row in enumerate(rows):
        end = 0
        for number, example in enumerate(row, start=1):
            span = slice(end, end := end + len(example.tokens))
            if end > length:
                raise UserError(f"a row of {end} tokens does not fit into a batch of length {length}")
            tokens[b, span], labels[b, span], segments[b, span] = example.tokens, example.labels, number
            positions[b, span] = np.arange(len(example.tokens))
            if numbers is not None and kinds is not None:
                numbers[b, span] = kinds[b][number - 1]
            layout = _place(example, config, views, starts, used[b // per_group], b // per_group)
            places = np.flatnonzero(example.tokens == config.image_token_id)
            if len(places) != len(layout):
                raise UserError(f"{len(places)} placeholders for {len(layout)} vision tokens")
            vision_index[b, span.start + places] = layout
        positions[b, end:] = np.arange(end, length)
    return Batch(tokens, labels, segments, positions, vision_index, views, numbers, groups)


def regroup(parts: Sequence[Batch], config: ModelConfig, groups: int) -> Batch:
    """Join batches of which every row is a group of its own into one batch of ``groups`` groups.

    The rows stay as they are and in their order, and so do their views: row i of a group of n rows has the i-th n-th of
    the group's room.

    The arrays of a single part are not copied, but for the vision index.

    Args:
        parts: numpy leaves; equal room for views.
        config: sizes.
        groups: divides the number of rows.
    """
    rows = sum(len(part.tokens) for part in parts)
    if any(part.groups != len(part.tokens) for part in parts) or rows % groups:
        raise ValueError(f"{rows} rows, each a group of its own, do not form {groups} groups")
    n = rows // groups

    def join(arrays: Sequence[np.ndarray]) -> np.ndarray:
        return arrays[0] if len(arrays) == 1 else np.concatenate(arrays)

    index = join([part.vision_index for part in parts])
    views, place = {}, np.arange(rows)[:, None] % n
    shifts, first = np.zeros_like(index), FIRST_ROW
    for size in sorted(parts[0].views):
        array = join([part.views[size] for part in parts])
        each = array.shape[1] * view_side(size, config.stride) ** 2  # rows of the table that belong to a row's views
        # The views of this size stand behind n rows' smaller ones, and behind those of the rows before this one.
        shift = (n - 1) * (first - FIRST_ROW) + place * each
        shifts = np.where((index >= first) & (index < first + each), shift, shifts)
        views[size] = array.reshape(groups, n * array.shape[1], *array.shape[2:])
        first += each
    names = ("tokens", "labels", "segments", "positions", *(("kinds",) if parts[0].kinds is not None else ()))
    plain = {name: join([getattr(part, name) for part in parts]) for name in names}
    return Batch(**plain, vision_index=(index + shifts).astype(np.int32), views=views, groups=groups)


def _room(
    rows: Sequence[Sequence[Example]],
    config: ModelConfig,
    per_group: int,
    views_per_group: ViewCounts | None,
    groups: int,
) -> dict[int, np.ndarray]:
    """Empty views by size, sizes rising: as many as asked for, or as the fullest group needs."""
    needed: list[Counter[int]] = [Counter() for _ in range(groups)]
    for b, row in enumerate(rows):
        for example in row:
            needed[b // per_group] += view_counts(example)
    sizes = sorted(set().union(*needed))
    room = dict(views_per_group or {size: max(count[size] for count in needed) for size in sizes})
    for count in needed:
        for size, n in count.items():
            if n > room.get(size, 0):
                raise UserError(f"{n} views of {size} pixels in one group, and room for {room.get(size, 0)}")
    return {size: view_spec(config, size).room(groups, n) for size, n in sorted(room.items()) if n}


def _place(
    example: Example,
    config: ModelConfig,
    views: dict[int, np.ndarray],
    starts: dict[int, int],
    used: Counter[int],
    group: int,
) -> np.ndarray:
    """Copy one example's views into the batch and return the rows that its placeholders stand for."""
    layouts = [np.zeros(0, np.int32)]
    for picture in example.pictures:
        first = [0]  # of the tiles where there are none
        for size, array in parts_of(picture):
            slot = used[size]
            views[size][group, slot : slot + len(array)] = array
            used[size] += len(array)
            first.append(starts[size] + slot * view_side(size, config.stride) ** 2)
        assert example.mode is not None
        layouts.append(picture_layout(example.mode, picture.grid, config.stride, first[-2], first[-1]))
    return np.concatenate(layouts)
