"""The model that comes with the package reads."""

from dataclasses import replace

import numpy as np
from PIL import Image

from datagen.pages.settings import MIDDLE
from datagen.sample import make_sample
from dsocr_jax.evaluate.text import word_set_precision
from dsocr_jax.reading.asking import ReadOptions
from dsocr_jax.reading.documents import Page
from dsocr_jax.reading.reader import Reader
from dsocr_jax.weights.checkpoint import load_model
from dsocr_jax.weights.shipped import choose_model

#: Least mean of the word-set precision: it was 0.996, and two words of a page that go wrong cost 0.003.
LEAST = 0.98
#: Held-out pages of at most 40 words, words and random letters, by their numbers.
PAGES, WORDS, SEED = 20, (5, 40), 2026


def test_twenty_pages_that_it_never_saw_are_read() -> None:
    chosen, settings = choose_model(None), replace(MIDDLE, words=WORDS)
    samples = [make_sample(SEED, "pages", i, "test", "middle", settings=settings) for i in range(PAGES)]
    reader = Reader(load_model(chosen.checkpoint, "float32"), ReadOptions(chosen.mode, max_new_tokens=256))
    pages = [Page(Image.fromarray(sample.image).convert("RGB"), str(i)) for i, sample in enumerate(samples)]
    answers = [answer.text for answer in reader.read(pages, ordered=True)]
    found = [word_set_precision(answer, one.label) for answer, one in zip(answers, samples, strict=True)]
    assert np.mean(found) >= LEAST, found
