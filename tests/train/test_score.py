"""Samples of lines looked at (`train.show_mask`) and measured (`train.score`)."""

import io

import jax
import numpy as np
import pytest
from PIL import Image
from rich.console import Console

from dsocr_jax.batch import IGNORED, collate, make_dialogue
from dsocr_jax.errors import UserError
from dsocr_jax.evaluate.text import edit_dist
from dsocr_jax.tokenizer import Tokenizer
from dsocr_jax.weights.checkpoint import load_model, save_model
from dsocr_jax.weights.params import abstract_model
from tests.train import tiny
from train import score, show_mask
from train.lines import answers, example_of_sample, find_sample, read_samples

TINY = tiny.MODEL.modes[0]
EOS = tiny.MODEL.eos_token_id


def picture(side: int = 64) -> Image.Image:
    return Image.fromarray(np.random.default_rng(side).integers(0, 256, (side, side, 3), np.uint8))


@pytest.fixture(scope="module")
def tokenizer(folder):
    return Tokenizer.load(folder / "tokenizer.json")


@pytest.fixture(scope="module")
def dialogue(tokenizer):
    """Two turns, the second with a picture of its own."""
    turns = (("<image>\nRead.", "abba"), ("<image>And?", "ok"))
    return make_dialogue(tokenizer, tiny.MODEL, TINY, turns, [picture(), picture(80)])


def test_answers_are_the_stretches_that_count(dialogue, tokenizer):
    texts = [tokenizer.decode(dialogue.tokens[part].tolist()) for part in answers(dialogue, EOS)]
    assert [text.removesuffix(tokenizer.decode([1])) for text in texts] == ["abba", "ok"]
    assert (dialogue.labels != IGNORED).sum() == sum(part.stop - part.start for part in answers(dialogue, EOS))


def test_answers_behind_each_other_are_two(tokenizer):
    example = make_dialogue(tokenizer, tiny.MODEL, TINY, (("Go.", "on"), ("", "and on")))
    assert [tokenizer.decode(example.tokens[part].tolist()[:-1]) for part in answers(example, EOS)] == ["on", "and on"]


def test_pieces_join_placeholders_and_say_what_counts(dialogue, tokenizer):
    found = show_mask.pieces(dialogue, tokenizer, tiny.MODEL)
    # One placeholder, a newline after it, and the separator.
    assert [piece for piece, _ in found if piece.startswith("<image>")] == ["<image> x 3"] * 2
    assert "".join(piece for piece, counts in found if counts) == "abba<｜end▁of▁sentence｜>ok<｜end▁of▁sentence｜>"
    assert ("⏎", False) in found


def test_marks_stand_around_what_counts():
    text = show_mask.marked([("a", False), ("b", True), ("c", True), ("d", False), ("e", True)])
    assert text.plain == "a⟦b│c⟧d⟦e⟧"
    coloured = {text.plain[span.start : span.end]: span.style for span in text.spans}
    assert (coloured["b"], coloured["d"]) == (show_mask.COUNTED, show_mask.OTHER)


def test_show_prints_the_sample_asked_for(folder):
    out = io.StringIO()
    show_mask.show(show_mask.Options(folder / "data", line=2), Console(file=out, width=500))
    first, second = out.getvalue().splitlines()
    assert first.endswith("count in the loss (⟦ to ⟧)")
    label = find_sample(folder / "data", 2).turns[0][1]
    assert second.replace("│", "").endswith(f"⟦{label}<｜end▁of▁sentence｜>⟧")


def test_show_refuses_a_line_that_is_not_there(folder):
    with pytest.raises(UserError, match=r"--line 33: no sample there; .* has 32"):
        show_mask.show(show_mask.Options(folder / "data", line=33), Console(file=io.StringIO()))


def test_prompt_of_a_turn_holds_what_stands_before_its_answer(dialogue, tokenizer):
    first, second = (score.before(dialogue, part.start, tiny.MODEL) for part in answers(dialogue, EOS))
    assert (len(first.pictures), len(second.pictures)) == (1, 2)
    assert tokenizer.decode(second.tokens.tolist()).endswith("abba<｜end▁of▁sentence｜><image><image><image>And?")
    assert (second.labels == IGNORED).all()
    collate([first, second], tiny.MODEL, 48)  # placeholders and views agree, or this would refuse


@pytest.fixture(scope="module")
def measured(folder, tmp_path_factory):
    """What was measured of a random model: five samples in batches of four, so that the last is filled up."""
    place = tmp_path_factory.mktemp("score")
    params = tiny.random_params(abstract_model(tiny.MODEL)[1])
    save_model(place / "model", tiny.MODEL, params, folder / "tokenizer.json")
    tiny.write_set(place / "data", {"charts": 3, "pages": 2})
    result = score.measure(score.Options(place / "data", place / "model", max_new_tokens=3, rows=4))
    return result, list(read_samples(place / "data")), load_model(place / "model")


def test_loss_and_answer_are_what_the_scores_say(measured, tokenizer):
    result, samples, loaded = measured
    line, example = result["lines"][-1], example_of_sample(samples[-1], tokenizer, tiny.MODEL, TINY)
    batch = collate([example], tiny.MODEL, len(example.tokens))
    scores = jax.jit(lambda model, batch: model.logits(model.hidden_states(batch)[0]))(loaded.model, batch)[0]
    (part,) = answers(example, EOS)
    before = np.asarray(scores, np.float64)[part.start - 1 : part.stop - 1]
    chosen = before[np.arange(len(before)), example.tokens[part]]
    assert line["loss"] == pytest.approx((np.log(np.exp(before).sum(axis=-1)) - chosen).mean(), rel=1e-4)
    first = tokenizer.decode([int(before[0].argmax())])
    assert line["answers"][0]["written"].startswith(first)


def test_every_answer_is_held_against_its_own_truth(measured):
    result, samples, _ = measured
    assert [line["sample"] for line in result["lines"]] == [sample.name for sample in samples]
    found = [answer for line in result["lines"] for answer in line["answers"]]
    assert [answer["truth"] for answer in found] == [sample.turns[0][1] for sample in samples]
    distances = [answer["edit_distance"] for answer in found]
    assert distances == [edit_dist(answer["written"], answer["truth"]) for answer in found]
    assert result["edit_distance"] == pytest.approx(np.mean(distances))
    assert result["loss"] == pytest.approx(np.mean([line["loss"] for line in result["lines"]]))  # equally long answers
