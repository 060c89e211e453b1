"""Metrics of evaluations while training goes on."""

import pytest

from train.evaluation.result import scores_of

TITLE = "<|ref|>title<|/ref|><|det|>[[10, 10, 90, 20]]<|/det|>"
IMAGE = "<|ref|>image<|/ref|><|det|>[[1, 2, 3, 4]]<|/det|>"
BOXED = f"{TITLE}\n# One two\n\n{IMAGE}"


@pytest.mark.parametrize(
    ("answer", "truth", "exact", "distance"),
    [
        (BOXED, BOXED, 1.0, 0.0),
        (BOXED.replace("90", "95"), BOXED, 0.0, 0.0),
        ("# One two", BOXED, 0.0, 0.0),
        ("<|ref|>title<|/ref|><|det|>[[10, 1", BOXED, 0.0, 1.0),
        ("# One two", "# One two", 1.0, 0.0),
    ],
)
def test_boxes_of_pages_do_not_count_as_text(answer: str, truth: str, exact: float, distance: float) -> None:
    scores = scores_of("pages", [answer], [truth])
    assert (scores["exact"], scores["edit_dist"]) == (exact, distance)


def test_other_kinds_are_scored_as_they_are() -> None:
    assert scores_of("molecules", ["CCO"], ["CCO"])["exact"] == 1.0
