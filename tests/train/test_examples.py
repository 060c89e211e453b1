"""The ten samples of examples/finetune, as users find them."""

from pathlib import Path

from dsocr_jax.config import preset
from dsocr_jax.tokenizer import Tokenizer
from train.cli import load_config
from train.config import TrainConfig
from train.data.sources import open_sets
from train.lines import answers, example_of_sample, read_samples

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "examples" / "finetune"
FILE = FOLDER / "documents.jsonl"


def test_ten_samples_in_a_small_folder():
    (source,) = open_sets(TrainConfig(data=(str(FILE),)))
    assert source.counts == {"documents": 10}
    assert sum(file.stat().st_size for file in FOLDER.iterdir() if file.is_file()) < 300_000


def test_pictures_of_the_folder_are_those_of_the_lines():
    text = FILE.read_text(encoding="utf-8")
    assert all(f'"{file.name}"' in text for file in FOLDER.glob("*.png"))


def test_every_sample_fits_the_recipe_nano_and_has_its_answers():
    config, model, tokenizer = load_config(ROOT / "configs" / "nano.py"), preset("nano"), Tokenizer.load()
    pictures = []
    for sample in read_samples(FILE):
        example = example_of_sample(sample, tokenizer, model, config.model_modes[0])
        assert len(example.tokens) <= config.length
        parts = list(answers(example, model.eos_token_id))
        written = [tokenizer.decode(example.tokens[part].tolist()[:-1]) for part in parts]
        assert written == [answer for _, answer in sample.turns]
        pictures.append(len(example.pictures))
    assert sorted(pictures) == [1] * 9 + [2]
