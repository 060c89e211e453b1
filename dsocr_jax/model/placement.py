"""What the model asks of whoever spreads it over devices: the modules themselves know of no mesh."""

import dataclasses
from collections.abc import Callable
from typing import Any, Protocol, runtime_checkable

from jaxtyping import Array

#: Weights, tokens, their experts and these experts' weights → sums, and the share of pairs without room; it may be told
#: that the number of experts stands for nobody (``some=True``).
Routed = Callable[..., tuple[Array, Array]]


@runtime_checkable
class Placement(Protocol):
    """Brings parameters to where they are used. Must be hashable: it is part of the compiled program."""

    def layer(self, params: Any) -> Any:
        """Return a layer's parameters as the layer is to compute with them.

        It is called inside the layer's body, so that one layer at a time is brought, and again for its backward pass.

        Args:
            params: the parameters of one layer, as `flax.nnx.split` gives them; paths begin within the layer.
        """
        ...

    def look_up(self, embed: Any, ids: Array, dtype: Any) -> Array:
        """Return the embeddings of tokens.

        Args:
            embed: an `nnx.Embed`, its table as it is stored.
            ids: int32 [b, ...], spread over the devices like a batch.
            dtype: of the embeddings; None for the table's.
        """
        ...

    def experts(self, routed: Routed, weights: dict[str, Array], x: Array, chosen: Array, scales: Array) -> Any:
        """Return what ``routed(weights, x, chosen, scales)`` returns, however tokens and experts are spread.

        Args:
            routed: computes groups of tokens (`dsocr_jax.model.moe.routed`).
            weights: of the experts.
            x, chosen, scales: of the groups.
        """
        ...


@dataclasses.dataclass(frozen=True)
class Here:
    """All that is needed is there: one device, or parameters that are whole on every device."""

    def layer(self, params: Any) -> Any:
        """As they are."""
        return params

    def look_up(self, embed: Any, ids: Array, dtype: Any) -> Array:
        """From the table as it stands."""
        embedded: Array = embed(ids)
        return embedded if dtype is None else embedded.astype(dtype)

    def experts(self, routed: Routed, weights: dict[str, Array], x: Array, chosen: Array, scales: Array) -> Any:
        """Computed as it stands."""
        return routed(weights, x, chosen, scales)


HERE = Here()
