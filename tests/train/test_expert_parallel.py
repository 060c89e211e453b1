"""Experts spread over devices compute what one device computes, forward and backward."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from dsocr_jax.model import moe
from dsocr_jax.model.backends import Backends
from train.config import MeshConfig
from train.expert_parallel import spread
from train.sharding import BATCH_AXES, make_mesh

GROUPS, TOKENS, HIDDEN, INNER, EXPERTS, TOP = 8, 6, 8, 4, 8, 3
MESHES = {
    "ring of 8": MeshConfig(data=1, expert=8),
    "ring of 2, data and tensor": MeshConfig(data=2, expert=2, tensor=2),
    "data and fsdp": MeshConfig(data=4, fsdp=2),
    "tensor": MeshConfig(data=2, tensor=4),
}


def routed(weights, x, chosen, scales, some=False):
    """All experts for all tokens; nobody's number chooses none."""
    count = weights["gate"].shape[0]
    hidden = jnp.einsum("gth,ehf->gtef", x, weights["gate"])
    hidden = jax.nn.silu(hidden) * jnp.einsum("gth,ehf->gtef", x, weights["up"])
    out = jnp.einsum("gtef,efh->gteh", hidden, weights["down"])
    share = jnp.sum(jax.nn.one_hot(chosen, count) * scales[..., None], axis=2)
    return jnp.einsum("gteh,gte->gth", out, share), jnp.mean(share > 0.5)


@pytest.fixture(scope="module")
def inputs():
    rng = np.random.default_rng(0)
    weights = {
        "gate": rng.normal(size=(EXPERTS, HIDDEN, INNER)),
        "up": rng.normal(size=(EXPERTS, HIDDEN, INNER)),
        "down": rng.normal(size=(EXPERTS, INNER, HIDDEN)),
    }
    x, scales = rng.normal(size=(GROUPS, TOKENS, HIDDEN)), rng.uniform(size=(GROUPS, TOKENS, TOP))
    chosen = np.stack([rng.permutation(EXPERTS)[:TOP] for _ in range(GROUPS * TOKENS)]).reshape(GROUPS, TOKENS, TOP)
    return jax.tree.map(lambda a: jnp.asarray(a, jnp.float32), (weights, x, scales)), jnp.asarray(chosen)


@pytest.mark.parametrize("name", MESHES)
def test_every_mesh_computes_what_one_device_computes(inputs, name):
    (weights, x, scales), chosen = inputs
    mesh = make_mesh(MESHES[name])

    def loss(function, weights, x, scales):
        out, _ = function(weights, x, chosen, scales)
        return jnp.sum(out * jnp.cos(jnp.arange(out.size).reshape(out.shape))), out

    def on_mesh(weights, x, chosen, scales):
        return spread(mesh, BATCH_AXES, routed, weights, x, chosen, scales)

    found, expected = (
        jax.jit(jax.value_and_grad(lambda *a, f=f: loss(f, *a), argnums=(0, 1, 2), has_aux=True))(weights, x, scales)
        for f in (on_mesh, routed)
    )
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=2e-5, atol=2e-5), found, expected)


@pytest.mark.parametrize("grouped", ["ragged", "blocked", "capacity", "triton"])
def test_a_ring_computes_the_same_in_every_form(inputs, grouped):
    (weights, x, scales), chosen = inputs
    mesh = make_mesh(MeshConfig(data=2, expert=4))
    form = partial(moe.routed, Backends(grouped=grouped))

    def loss(weights, x, scales):
        out, _ = spread(mesh, BATCH_AXES, form, weights, x, chosen, scales)
        return jnp.sum(jnp.sin(out)), out

    def plain(weights, x, scales):
        out, _ = routed(weights, x, chosen, scales)
        return jnp.sum(jnp.sin(out)), out

    found, expected = (
        jax.jit(jax.value_and_grad(f, argnums=(0, 1, 2), has_aux=True))(weights, x, scales) for f in (loss, plain)
    )
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=2e-4, atol=2e-4), found, expected)


def test_a_ring_never_holds_all_experts(inputs):
    (weights, x, scales), chosen = inputs
    mesh = make_mesh(MESHES["ring of 8"])
    run = jax.jit(lambda *a: spread(mesh, BATCH_AXES, routed, *a))
    text = run.lower(weights, x, chosen, scales).compile().as_text()
    assert "collective-permute" in text
    assert f"all-gather(f32[1,{HIDDEN},{INNER}]" not in text.replace("%", "")
