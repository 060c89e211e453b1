"""What the model asks of whoever spreads it over devices: the modules themselves know of no mesh."""

import dataclasses
from typing import Any, Protocol, runtime_checkable


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


@dataclasses.dataclass(frozen=True)
class Here:
    """All that is needed is there: one device, or parameters that are whole on every device."""

    def layer(self, params: Any) -> Any:
        """As they are."""
        return params


HERE = Here()
