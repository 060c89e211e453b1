import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from datagen import records
from dsocr_jax.batch import IGNORED, collate
from dsocr_jax.errors import UserError
from dsocr_jax.weights.checkpoint import load_model, save_model
from dsocr_jax.weights.params import abstract_model
from tests.train import tiny
from train.data import example_of
from train.heldout import Options, derangement, measure, summary


@pytest.fixture(scope="module")
def model(folder, tmp_path_factory):
    """Folder of a model with random parameters."""
    path = tmp_path_factory.mktemp("heldout") / "model"
    save_model(path, tiny.MODEL, tiny.random_params(abstract_model(tiny.MODEL)[1]), folder / "tokenizer.json")
    return path


@given(st.integers(2, 50), st.integers(0, 2**32))
def test_every_sample_gets_another_samples_picture(count, seed):
    partner = derangement(count, np.random.default_rng(seed))
    assert sorted(partner) == list(range(count))
    assert (partner != np.arange(count)).all()


def test_summary_by_hand():
    figures = summary(np.array([1.0, 2.0, 3.0]), np.array([2.0, 5.0, 5.0]))
    assert figures["samples"] == 3
    assert (figures["own"], figures["swapped"], figures["gap"]) == (2.0, 4.0, 2.0)
    assert figures["gap_se"] == pytest.approx(np.sqrt(((1 - 2) ** 2 + (3 - 2) ** 2 + 0) / 2 / 3))


def test_losses_are_those_of_each_row_alone_with_and_without_its_picture(model, tmp_path):
    data = tiny.write_set(tmp_path / "test", {"charts": 2, "pages": 3}, split="test")
    found = measure(Options(model, data, tmp_path / "out.json", batch_size=4))
    config, network, tokenizer = load_model(model)

    @jax.jit
    def logits(batch):
        return network.logits(network.hidden_states(batch)[0])

    def loss(index: int, picture: int) -> float:
        record, other = (records.decode(records.encode(tiny.sample("charts", i))) for i in (index, picture))
        example = example_of(record, tokenizer, config, config.modes[0], picture_of=other)
        scores = np.asarray(jax.nn.log_softmax(logits(collate([example], config, 64))))[0]
        places = [i for i, label in enumerate(example.labels) if label != IGNORED]
        return -np.mean([scores[i - 1, example.labels[i]] for i in places])

    assert found["split"] == "test"
    assert found["kinds"]["charts"]["own"] == pytest.approx((loss(0, 0) + loss(1, 1)) / 2, rel=1e-5)
    assert found["kinds"]["charts"]["swapped"] == pytest.approx((loss(0, 1) + loss(1, 0)) / 2, rel=1e-5)
    assert found["kinds"]["charts"]["gap"] != 0
    assert [found[key]["samples"] for key in ("all",)] + [found["kinds"]["pages"]["samples"]] == [5, 3]
    assert jnp.isfinite(found["all"]["gap_se"])


def test_mode_must_exist_and_samples_must_fit(model, tmp_path):
    data = tiny.write_set(tmp_path / "test", {"charts": 2}, split="test", long={"charts": [1]})
    with pytest.raises(UserError, match="did you mean 'tiny'"):
        measure(Options(model, data, tmp_path / "out.json", mode="tinny"))
    with pytest.raises(UserError, match="of charts, only 1 samples fit"):
        measure(Options(model, data, tmp_path / "out.json", batch_size=4))
