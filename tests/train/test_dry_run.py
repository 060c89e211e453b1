"""What a run would take: counted by hand at a small size, and refused where it cannot fit."""

import dataclasses

import pytest
from jax.sharding import PartitionSpec as P

from dsocr_jax.config import preset
from dsocr_jax.errors import UserError
from dsocr_jax.model.backends import Backends
from tests.train import tiny
from train.checks import check
from train.config import BackendsConfig, MeshConfig, OptimizerConfig, TrainConfig
from train.dry_run import dry_run
from train.estimate import Devices, Load, decoder_activations, hours, loads, logits, memory
from train.sharding import Row

CONFIG = TrainConfig(model=tiny.MODEL, length=32, rows=8, loss_chunk=16)
#: What GPUs compute with in 32 bits.
GPU = {
    "relative": "folded",
    "attention": "xla",
    "grouped": "triton",
    "layers": "scanned",
    "remat": "dots",
    "gathered": "kept",
}
LOAD = Load(tokens=64, rows=2, views={64: 4})


def test_a_device_has_its_share_of_the_rows():
    config = dataclasses.replace(CONFIG, accumulate=2)
    assert loads(config, [{64: 3}, {}], shards=2) == [Load(64, 2, {64: 6}), Load(64, 2, {})]


def test_kept_by_the_decoder_by_hand():
    # One sparse layer of 32 channels with two heads of 16, 4 experts of 16, two chosen, two shared.
    layer_input, attention, routed, shared, router = 32, 4 * 32, 2 * (2 * 16), 2 * 2 * 16 + 32, 4
    experts = routed + shared + router
    working = 2 * (attention + experts) + 2 * 2 * 32
    dense = 2 * (attention + 2 * 32 + 32)
    assert dense < working
    found = decoder_activations(CONFIG, LOAD, Backends(grouped="triton", remat="dots"), width=2)
    assert found == 64 * 2 * (layer_input + attention + experts + working)
    full = decoder_activations(CONFIG, LOAD, Backends(grouped="triton", remat="full"), width=2)
    assert full == 64 * 2 * (layer_input + working)


def test_logits_by_hand():
    # 16 positions of 2 rows over 288 words in float32 and 16 bits, and the head's gradient in float32.
    assert logits(CONFIG, LOAD, width=2) == 2 * 16 * 288 * 6 + 4 * 288 * 32


def test_state_is_counted_to_the_byte():
    config = dataclasses.replace(CONFIG, compute_dtype="bfloat16", accumulate=2, freeze=("^encoder/",))
    params = [Row("decoder/a", (10,), "float32", P(), 40), Row("encoder/b", (5,), "float32", P(), 20)]
    found = memory(config, params, [Row("0/mu/decoder/a", (10,), "bfloat16", P(), 20)], LOAD, Backends())
    assert (found["parameters"], found["moments"], found["copy to compute with"]) == (60, 20, 30)
    assert found["gradients"] == 10 * (2 + 4)  # in 16 bits for a part, added up in float32


def test_layers_that_wait_for_the_backward_pass_are_counted_where_they_are_split():
    rows = [
        Row("decoder/layers/1-2by1/attn/q/kernel", (2, 8, 8), "float32", P(None, "fsdp"), 2 * 8 * 8 * 4 // 4),
        Row("decoder/layers/0/norm/scale", (8,), "float32", P(), 32),  # whole everywhere
        Row("encoder/sam/blocks/0/attn/qkv/kernel", (8, 24), "float32", P("fsdp"), 8 * 24 * 4 // 4),  # frozen, first
        Row("decoder/lm_head/kernel", (8, 99), "float32", P("fsdp"), 8 * 99),  # of no layer
    ]
    config = dataclasses.replace(CONFIG, compute_dtype="bfloat16", freeze=("^encoder/sam/",))
    kept, again = (
        memory(config, rows, [], LOAD, Backends(remat="dots", gathered=gathered), fsdp=4)["gathered layers"]
        for gathered in ("kept", "again")
    )
    assert (kept, again) == (2 * 8 * 8 * 2, 0)
    assert memory(config, rows, [], LOAD, Backends(remat="none"), fsdp=4)["gathered layers"] == kept
    assert memory(config, rows, [], LOAD, Backends(remat="dots", gathered="kept"), fsdp=1)["gathered layers"] == 0


def test_gpus_are_planned_for_as_they_compute_whatever_this_machine_is(folder, capsys):
    config = tiny.tiny_config(folder, mesh=MeshConfig(data=1, fsdp=-1), rows=8)
    said = []
    for backends in (BackendsConfig(), BackendsConfig(**GPU)):
        dry_run(dataclasses.replace(config, backends=backends), Devices.parse("H100:4"))
        said.append(capsys.readouterr().out)
    assert said[0] == said[1]


def test_time_is_work_over_speed():
    assert hours(989e12 * 3600, Devices("H100", 4), share=0.5, steps=2) == 1.0


@pytest.mark.parametrize("words", ["H1000", "H100:0", "H100:x", ""])
def test_unknown_devices_are_refused(words):
    with pytest.raises(UserError, match="--on takes KIND:COUNT"):
        Devices.parse(words)


def test_a_dry_run_tells_arrays_parts_memory_work_and_cost(folder, capsys):
    config = tiny.tiny_config(folder, mesh=MeshConfig(data=1, fsdp=-1), rows=8)
    assert dry_run(config, Devices.parse("A100:4"), share=0.5, price=2.0) == 0
    said = capsys.readouterr().out
    for words in (
        *("experts/gate", "fsdp", "CLIP", "frozen", "4 A100 devices (fsdp 4)", "GiB per device, about", "tokens and"),
        *("TFLOP on average", "at an assumed 50% of the 312 TFLOP/s", "at 2 per device"),
    ):
        assert words in said
    assert not (config.out).exists()


def test_a_run_that_cannot_fit_is_refused_with_what_takes_most(folder):
    wide = dataclasses.replace(preset("released"), modes=tiny.MODEL.modes, image_token_id=tiny.MODEL.image_token_id)
    decoder = dataclasses.replace(wide.decoder, vocab_size=tiny.MODEL.decoder.vocab_size)
    config = tiny.tiny_config(
        folder,
        model=dataclasses.replace(wide, decoder=decoder),
        freeze=(),
        compute_dtype="bfloat16",
        backends=BackendsConfig(layers="scanned", remat="dots"),
    )
    with pytest.raises(UserError, match=r"does not fit: .* of each A100-40's 40 GB \(.* of moments"):
        dry_run(config, Devices.parse("A100-40"))


def test_dictionaries_of_a_file_are_replaced_as_a_whole(tmp_path):
    from train.cli import parse

    file = tmp_path / "run.py"
    file.write_text("from train.config import TrainConfig\n\nconfig = TrainConfig(mixture={'pages': 3, 'text': 1})\n")
    options = parse([str(file), "--mixture", "charts", "2", "pages", "0.5", "--init-parts", "^encoder/", "runs/a"])
    assert options.config.mixture == {"charts": 2.0, "pages": 0.5}
    assert str(options.config.init_parts["^encoder/"]) == "runs/a"
    assert parse([str(file)]).config.mixture == {"pages": 3, "text": 1}
    with pytest.raises(SystemExit):
        parse([str(file), "--mixture", "charts"])


def test_what_means_nothing_is_refused():
    broken = dataclasses.replace(
        CONFIG, data=("x",), mode_shares={"large": 1}, accumulate=0, optimizer=OptimizerConfig(warmup=1), max_bad=2.0
    )
    with pytest.raises(UserError) as error:
        check(broken)
    for words in ("--accumulate must be at least 1", "--mode-shares: large is not one of", "--max-bad must be"):
        assert words in str(error.value)
