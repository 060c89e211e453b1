"""From samples to examples: pictures decoded, degraded and cut into views, words made tokens."""

from collections import Counter

import numpy as np

from datagen import degradation as degradations
from datagen.records import Record
from dsocr_jax.batch import Context, Example, make_dialogue, make_document, make_example
from dsocr_jax.config import ModelConfig
from dsocr_jax.errors import UserError
from dsocr_jax.modes import NO_TILES, Mode, choose_grid, count_tokens, has_tiles
from dsocr_jax.prompts import IMAGE, PROMPTS
from dsocr_jax.tokenizer import Tokenizer
from dsocr_jax.windows import TooLong, text_views
from train.data.packing import Size
from train.data.samples import Picture, Sample, Unusable

#: Characters of a text that are looked at for each token of a row: tokens of more characters are rare.
CHARACTERS = 64

UNDECODED = "picture that cannot be read"
#: Of samples that a rival of the encoder cannot take, which is given text in the picture's place.
NO_TEXT, TOO_LONG = "answer that is not a page's plain text", "text that is too long for a rival"


def example_of(
    record: Record, tokenizer: Tokenizer, model: ModelConfig, mode: Mode, picture_of: Record | None = None
) -> Example:
    """Return a record as prompt, picture and answer; the picture may be that of another record."""
    return make_example(tokenizer, model, mode, record.prompt, context_of(picture_of or record, model), record.label)


def context_of(record: Record, model: ModelConfig) -> Context:
    """Return what the encoder is given of a record: its picture, or to a rival its text.

    Raises:
        UserError: its label is not its plain text, which a rival needs.
    """
    if model.rival is None:
        return record.pil()
    if not asks_for_text(record.prompt):
        raise UserError(f"{record.kind} {record.id}: {NO_TEXT}, which is what a rival is given; evaluate on others")
    return record.label


def asks_for_text(prompt: str) -> bool:
    """Whether the answer to a prompt is the page's plain text."""
    return prompt.strip() == PROMPTS["free"]


def build(
    sample: Sample,
    tokenizer: Tokenizer,
    model: ModelConfig,
    mode: Mode,
    length: int,
    degradation: str,
    rng: np.random.Generator,
) -> Example:
    """Return the example of a sample; a text that stands alone is cut at ``length`` tokens.

    Raises:
        Unusable: a picture cannot be read, or a rival cannot take the text.
    """
    if sample.text is not None:
        return make_document(tokenizer, model, sample.text[: CHARACTERS * length], length)
    pictures: list[Context] = []
    if model.rival is not None and sample.pictures:
        try:
            return make_dialogue(tokenizer, model, mode, sample.turns, [_text_of(sample)])
        except TooLong as error:
            raise Unusable(TOO_LONG, f"{sample.name} ({error})") from None
    for picture in sample.pictures:
        try:
            decoded = picture.decode()
        except (UserError, OSError) as error:
            raise Unusable(UNDECODED, f"{sample.name} ({error})") from None
        if degradation != "none" and not picture.finished:
            from PIL import Image

            pixels, _ = degradations.apply(np.asarray(decoded), degradation, rng, picture.detail)
            decoded = Image.fromarray(pixels).convert("RGB")
        pictures.append(decoded)
    return make_dialogue(tokenizer, model, mode, sample.turns, pictures)


def measure(sample: Sample, tokenizer: Tokenizer, model: ModelConfig, mode: Mode, length: int) -> Size:
    """Return the size of a sample's example without decoding its pictures (as they are before degradation).

    Raises:
        Unusable: a picture's size cannot be found, or a rival cannot take the text.
    """
    if sample.text is not None:
        return Size(len(make_document(tokenizer, model, sample.text[: CHARACTERS * length], length).tokens), {})
    words = [piece for question, _ in sample.turns for piece in question.strip().split(IMAGE) if piece]
    words += [answer for _, answer in sample.turns]
    tokens = 1 + sum(len(tokenizer.encode(piece)) for piece in words) + len(sample.turns)
    views: Counter[int] = Counter()
    if model.rival is not None and sample.pictures:
        try:
            text_views(tokenizer.encode(_text_of(sample)), model, mode)
        except TooLong as error:
            raise Unusable(TOO_LONG, f"{sample.name} ({error})") from None
    for picture in sample.pictures:
        grid = NO_TILES if model.rival is not None else choose_grid(*_measured(picture, sample.name), mode)
        tokens += count_tokens(mode, grid, model.stride)
        views[mode.base_size] += 1
        if has_tiles(grid):
            views[mode.tile_size] += grid[0] * grid[1]
    return Size(tokens, dict(views), len(sample.pictures))


def _measured(picture: Picture, name: str) -> tuple[int, int]:
    try:
        return picture.measure()
    except (UserError, OSError) as error:
        raise Unusable(UNDECODED, f"{name} ({error})") from None


def _text_of(sample: Sample) -> str:
    """Return the text of the page that a sample shows: its only answer."""
    if len(sample.turns) != 1 or len(sample.pictures) != 1 or not asks_for_text(sample.turns[0][0]):
        raise Unusable(NO_TEXT, sample.name)
    return sample.turns[0][1]
