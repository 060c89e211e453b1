import dataclasses
import subprocess
import sys
from pathlib import Path

import pytest

from dsocr_jax.config import preset
from dsocr_jax.errors import UserError
from tests.train import tiny
from train.checks import check
from train.cli import load_config, parse
from train.config import MeshConfig, OptimizerConfig, TrainConfig, differences, flatten

ROOT = Path(__file__).parents[2]


def optimizer(**changes: object) -> dict[str, OptimizerConfig]:
    return {"optimizer": OptimizerConfig(**{"warmup": 2, **changes})}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"steps": 0}, "--steps must be at least 1"),
        ({"workers": -1}, "--workers must be 0 or more"),
        ({"rows": 0}, "--rows must be at least 1"),
        ({"accumulate": 3}, "--rows 8 does not split into --accumulate 3 equal parts"),
        ({"seed": -1}, "--seed"),
        ({"degradation": "fog"}, "--degradation 'fog' is not one of none, light"),
        ({"data": ()}, "--data: no sample set"),
        ({"length": 300}, "more than the model's 256 positions"),
        ({"length": 3}, "no room for an answer"),
        ({"modes": ()}, "at least one mode"),
        ({"modes": ("tiny", "tiny")}, "named twice"),
        ({"modes": ("tinny",)}, "did you mean 'tiny'"),
        ({"model": "nona"}, "unknown model preset"),
        ({"mixture": {"charts": -1.0}}, "the weight of charts is -1"),
        ({"mixture": {"charts": 0.0}}, "every weight is 0"),
        ({"mesh": MeshConfig(data=-1, fsdp=-1)}, "only one axis"),
        ({"mesh": MeshConfig(tensor=0)}, "--mesh.tensor"),
        ({"freeze": ("(",)}, "not a regular expression"),
        (optimizer(warmup=6), "warmup 6 is not shorter than --steps 6"),
        (optimizer(peak_lr=0.0), "peak-lr must be above 0"),
        (optimizer(clip=0.0), "None switches clipping off"),
        (optimizer(b2=1.0), "b2 must be in"),
        (optimizer(schedule="constant", final_fraction=0.1), "final-fraction has no effect with a constant schedule"),
        (optimizer(schedule="constant", step_every=3), "step-every has no effect with a constant schedule"),
        (optimizer(schedule="cosine", step_factor=0.3), "step-factor has no effect with a cosine schedule"),
        (optimizer(schedule="step", final_fraction=0.1), "final-fraction has no effect with a step schedule"),
        (optimizer(schedule="step", step_every=9), "leave a cut before the last step"),
        (optimizer(schedule="step"), "step-every 2000 must"),
        (optimizer(weight_decay=0.0, decay=("kernel$",)), "decay has no effect"),
    ],
)
def test_refuses_what_is_wrong_or_without_effect(tmp_path, changes, message):
    with pytest.raises(UserError, match=message.replace("(", r"\(")):
        check(tiny.tiny_config(tmp_path, **changes))


def test_names_all_problems_at_once(tmp_path):
    with pytest.raises(UserError, match=r"--steps.*; --seed"):
        check(tiny.tiny_config(tmp_path, steps=0, seed=-1))


def test_shipped_configurations_are_valid():
    files = sorted((ROOT / "configs").glob("*.py"))
    assert files
    for file in files:
        config = load_config(file)
        given = {"init_from": Path("model")} if config.lora else {}  # adapters need a model to adapt
        check(dataclasses.replace(config, data=(Path("somewhere"),), **given))


def write(path: Path, text: str) -> Path:
    path.write_text("from train.config import OptimizerConfig, TrainConfig\n" + text)
    return path


def test_command_line_overrides_nested_fields(tmp_path):
    file = write(tmp_path / "c.py", "config = TrainConfig(steps=9, rows=4)")
    words = "--steps 7 --optimizer.peak-lr 0.5 --mixture charts 2 pages 1 --data a b --mesh.fsdp 2 --dry-run"
    options = parse([str(file), *words.split()])
    config = options.config
    assert options.dry_run
    assert (config.steps, config.rows, config.optimizer.peak_lr, config.mesh.fsdp) == (7, 4, 0.5, 2)
    assert config.mixture == {"charts": 2, "pages": 1}
    assert config.data == ("a", "b")


def test_model_may_be_written_out_in_the_file_and_replaced_by_a_preset(tmp_path):
    file = write(tmp_path / "c.py", "from dsocr_jax.config import preset\nconfig = TrainConfig(model=preset('test'))")
    assert parse([str(file)]).config.model_config == preset("test")
    assert parse([str(file), "--model", "nano"]).config.model_config == preset("nano")


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        ("--stpes 3", "--steps"),
        ("--optimizer.peek-lr 3", "--optimizer.peak-lr"),
        ("--optimizer.schedule cosin", "cosine"),
    ],
)
def test_mistyped_option_is_an_error_that_names_the_right_one(tmp_path, capsys, words, hint):
    file = write(tmp_path / "c.py", "config = TrainConfig()")
    with pytest.raises(SystemExit) as exit:
        parse([str(file), *words.split()])
    assert exit.value.code == 2
    assert hint in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "holds nothing"),
        ("config = 3", "config is a int"),
        ("config = TrainConfig()\nother = TrainConfig()", "holds config, other"),
        ("config = TrainConfig(stepz=3)", "unexpected keyword argument 'stepz'"),
        ("config = ", "SyntaxError"),
    ],
)
def test_file_must_hold_one_configuration(tmp_path, text, message):
    with pytest.raises(UserError, match=message):
        load_config(write(tmp_path / "c.py", text))


def test_missing_file_and_missing_argument_are_told(tmp_path):
    with pytest.raises(UserError, match="no such configuration file"):
        parse([str(tmp_path / "none.py")])
    with pytest.raises(UserError, match="name a configuration file first"):
        parse(["--steps", "3"])


def test_help_needs_no_heavy_library():
    code = (
        "import sys; sys.argv = ['x', '--help']\n"
        "import train.cli\n"
        "try: train.cli.main()\n"
        "except SystemExit as end: assert not end.code, end.code\n"
        "heavy = {'jax', 'grain', 'optax', 'orbax', 'matplotlib', 'rdkit'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "--optimizer.peak-lr" in done.stdout


def test_differences_leave_out_what_does_not_matter(tmp_path):
    config = tiny.tiny_config(tmp_path)
    moved = dataclasses.replace(config, steps=99, out=Path("x"), data=(Path("y"),), mesh=MeshConfig(fsdp=2), keep=9)
    assert differences(flatten(config), flatten(moved)) == []
    other = dataclasses.replace(config, seed=1, optimizer=dataclasses.replace(config.optimizer, peak_lr=0.5))
    assert differences(flatten(config), flatten(other)) == ["optimizer.peak_lr: 0.01 → 0.5", "seed: 0 → 1"]


def test_a_preset_and_its_sizes_are_the_same_run():
    assert differences(flatten(TrainConfig(model="test")), flatten(TrainConfig(model=preset("test")))) == []
    changed = differences(flatten(TrainConfig(model="test")), flatten(TrainConfig(model="released")))
    assert any(line.startswith("model.decoder.layers: 3 → 12") for line in changed)
