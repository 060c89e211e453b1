"""Mixture of experts: a softmax router, routed SwiGLU experts and a shared one (paper, section 3.3)."""

import dataclasses
from functools import partial

import jax
import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Float, Int

from dsocr_jax.config import DecoderConfig
from dsocr_jax.model.backends import DEFAULT, Backends
from dsocr_jax.model.grouped import Layout, count_rows, over_groups
from dsocr_jax.model.layers import SwiGLU, linear
from dsocr_jax.model.scan import keep_product


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True)
class Routing:
    """What the routers did, all float32.

    Attributes:
        loss: their balance loss, weighted.
        no_room: share of the (token, expert) pairs that found no room (`dsocr_jax.model.grouped.over_groups`).
        load: share of the pairs that each expert got; all positions count, padding included.
    """

    loss: Float[Array, ""]
    no_room: Float[Array, ""]
    load: Float[Array, "*l e"]


class Experts(nnx.Module):
    """The routed experts' weights, stacked on the first axis."""

    def __init__(self, config: DecoderConfig, rngs: nnx.Rngs):
        e, h, f = config.experts, config.hidden, config.expert_ffn
        self.gate = nnx.Param(rngs.params.normal((e, h, f)) * h**-0.5)
        self.up = nnx.Param(rngs.params.normal((e, h, f)) * h**-0.5)
        self.down = nnx.Param(rngs.params.normal((e, f, h)) * f**-0.5)

    def __call__(
        self, x: Float[Array, "g t h"], chosen: Int[Array, "g t k"], weights: Float[Array, "g t k"], backends: Backends
    ) -> tuple[Float[Array, "g t h"], Float[Array, ""]]:
        """Sum of each token's chosen experts, times its weights (float32, as the original sums).

        Each group is sorted by expert apart from the others.

        Returns:
            The sums, and the share of (token, expert) pairs that found no room, see `over_groups`.
        """
        own = {"gate": self.gate[...], "up": self.up[...], "down": self.down[...]}
        return backends.placement.experts(partial(routed, backends), own, x, chosen, weights)


def routed(
    backends: Backends,
    experts: dict[str, Array],
    x: Float[Array, "g t h"],
    chosen: Int[Array, "g t k"],
    weights: Float[Array, "g t k"],
    some: bool = False,
) -> tuple[Float[Array, "g t h"], Float[Array, ""]]:
    """Return what `Experts` returns, computed where this is called.

    Args:
        backends: its ``grouped`` and ``capacity`` are used.
        experts: gate, up and down, stacked on the first axis.
        x, chosen, weights: see `Experts`.
        some: a choice may be the number of experts: nobody, which adds nothing.
    """
    gate, up, down = experts["gate"], experts["up"], experts["down"]
    if backends.grouped == "triton":
        from dsocr_jax.model.kernels.routed import routed_mlp  # its imports are slow

        # Without a GPU what the kernels compute is done step by step: for tests, very slow.
        interpret = jax.default_backend() != "gpu"
        return routed_mlp(x, weights, gate, up, down, chosen, None, interpret, some), jnp.zeros((), jnp.float32)
    groups, tokens, k = chosen.shape
    flat = chosen.reshape(groups, tokens * k)
    order = jnp.argsort(flat, axis=-1, stable=True)
    sizes = jax.vmap(lambda ids: count_rows(ids, gate.shape[0]))(flat)

    def group(layout: Layout, x: Array, order: Array, weights: Array, chosen: Array) -> Array:
        rows = layout.arrange(x[order // k])
        gated = keep_product(layout.product(rows, gate))
        hidden = jax.nn.silu(gated) * keep_product(layout.product(rows, up))
        sorted_rows = layout.restore(keep_product(layout.product(hidden, down)))
        out = sorted_rows[jnp.argsort(order)].reshape(tokens, k, -1).astype(jnp.float32)
        if some:  # rows that no expert has may hold anything
            out = jnp.where((chosen < gate.shape[0])[..., None], out, 0.0)
        return jnp.einsum("tkh,tk->th", out, weights).astype(x.dtype)

    return over_groups(group, sizes, tokens * k, backends, x, order, weights, chosen)


def balance(
    probabilities: Float[Array, "b t e"], chosen: Int[Array, "b t k"], weight: float
) -> tuple[Float[Array, ""], Float[Array, " e"]]:
    """Return the router's loss per sequence, averaged, and the share of all choices that fell on each expert.

    The loss is how often an expert is chosen times its mean probability. All positions count, pictures and padding
    included, as in the original.
    """
    b, t, e = probabilities.shape
    k = chosen.shape[-1]
    counts = jax.vmap(lambda ids: count_rows(ids.reshape(-1), e))(chosen)
    fraction = jax.lax.stop_gradient(counts * (e / (k * t)))
    loss = weight * jnp.mean(jnp.sum(fraction * probabilities.mean(axis=1), axis=-1))
    return loss, counts.sum(axis=0) / jnp.float32(b * t * k)


class MoE(nnx.Module):
    """Routed experts plus one shared expert that every token passes."""

    def __init__(self, config: DecoderConfig, rngs: nnx.Rngs):
        self.router = linear(config.hidden, config.experts, rngs, bias=False)
        self.experts = Experts(config, rngs)
        self.shared = SwiGLU(config.hidden, config.shared_experts * config.expert_ffn, rngs)
        self.top_k = config.top_k
        self.loss_weight = config.router_loss

    def route(self, x: Float[Array, "*b h"]) -> tuple[Float[Array, "*b e"], Float[Array, "*b k"], Int[Array, "*b k"]]:
        """Probabilities of all experts, and the chosen ones' weights (not renormalised) and numbers; float32."""
        logits = x.astype(jnp.float32) @ self.router.kernel[...].astype(jnp.float32)
        probabilities = jax.nn.softmax(logits, axis=-1)
        # The choice is named, and the weights are found by it, so that a layer with `remat="dots"` chooses only once.
        chosen = keep_product(jax.lax.top_k(jax.lax.stop_gradient(probabilities), self.top_k)[1])
        asked = chosen[..., None] == jnp.arange(probabilities.shape[-1])
        weights = jnp.sum(jnp.where(asked, probabilities[..., None, :], 0), axis=-1)
        return probabilities, weights, chosen

    def __call__(
        self, x: Float[Array, "b t h"], groups: int = 1, backends: Backends = DEFAULT
    ) -> tuple[Float[Array, "b t h"], Routing]:
        """Output, and what the router did.

        Args:
            groups: the rows of ``x`` fall into this many equal groups whose tokens are sorted by expert
                apart from each other, so that data-parallel devices need not exchange tokens.
            backends: its ``grouped`` and ``capacity`` are used.
        """
        b, t, h = x.shape
        with jax.named_scope("router"):
            probabilities, weights, chosen = self.route(x)
        rows, ids, scales = (part.reshape(groups, b * t // groups, -1) for part in (x, chosen, weights))
        with jax.named_scope("experts"):
            sums, beyond = self.experts(rows, ids, scales, backends)
        with jax.named_scope("router"):
            loss, load = balance(probabilities, chosen, self.loss_weight)
        with jax.named_scope("shared"):
            return sums.reshape(b, t, h) + self.shared(x), Routing(loss, beyond, load)
