"""The recipe of weights: values and hashes that any rewrite of it must give."""

import hashlib

import numpy as np
import pytest

from dsocr_jax.parity import synthetic


@pytest.mark.parametrize(
    ("name", "shape", "seed", "first", "digest"),
    [
        ("model.norm.weight", (80,), "s0", (0.9960938, 1.046875, 0.9921875), "7fe69b67650cc73b"),
        ("model.layers.1.mlp.gate.weight", (8, 80), "s0", (0.09814453, 0.09667969, -0.2099609), "1ddfb8acf34e92b0"),
        (
            "model.sam_model.pos_embed",
            (1, 64, 64, 64),
            "s0-small",
            (-0.0002746582, -0.0001478195, -0.001228333),
            "3b41ae6a63102a43",
        ),
    ],
)
def test_tensors(name: str, shape: tuple[int, ...], seed: str, first: tuple[float, ...], digest: str) -> None:
    tensor = synthetic.tensor(name, shape, seed)
    np.testing.assert_allclose(tensor.reshape(-1)[:3].astype(np.float32), first, rtol=1e-6)
    assert hashlib.sha256(tensor.tobytes()).hexdigest().startswith(digest)


def test_long_noise_does_not_depend_on_its_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = synthetic.noise("key", 1000)
    monkeypatch.setattr(synthetic, "CHUNK", 64)
    np.testing.assert_array_equal(synthetic.noise("key", 1000), whole)


def test_the_spread_is_the_scale() -> None:
    values = synthetic.normal("key", (100_000,), 0.5)
    assert abs(values.mean()) < 0.01 and abs(values.std() - 0.5) < 0.01
