"""DoRA's decomposition (Liu et al. 2024): the rows of a weight V get the norms m, W' = m ⊙ V / ‖V‖."""

import torch
from torch import Tensor, nn

from adapter_lib.engine import LeafState, Part, WeightDelta


class MagnitudePart(Part):
    """A part whose `_direction` D changes W to V = W + D, and whose rows then get learned norms.

    W' x = W x + (m / ‖V‖ - 1) W x + (m / ‖V‖) D x; ‖V‖ counts as a constant in the gradient (section 4.3).
    """

    magnitude: nn.Parameter

    def direction(self) -> Tensor:
        """D, shaped as the map's weight."""
        raise NotImplementedError

    def directed(self, x: Tensor) -> Tensor:
        """D x, as the map applies weights."""
        raise NotImplementedError

    def scales_bias(self) -> bool:
        """True if the ratio multiplies the map's bias too."""
        return False

    def start_magnitude(self) -> None:
        """m = ‖V‖: called when D has its starting value."""
        with torch.no_grad():
            self.magnitude.copy_(self._norms())

    def single(self, state: LeafState) -> LeafState:
        x = self.dropped(state)
        ratio = self._per_output(self.magnitude / self._norms())
        own = self._own(state) if x is state.x else self.host.project(x)
        own = own + self._scaled_bias(own)
        added = (ratio - 1) * own + ratio * self.directed(x)
        return state.with_y(state.y + added.to(state.y.dtype))

    def dropped(self, state: LeafState) -> Tensor:
        """The input after dropout; the very same tensor where none acts."""
        raise NotImplementedError

    def weight_delta(self) -> WeightDelta:
        weight, direction = self.host.weight(), self.direction()
        ratio = self.magnitude / self._norms()
        bias = self.host.bias() if self.scales_bias() else None
        of_bias = None if bias is None else (ratio - 1) * bias
        ratio = ratio.view(-1, *(1 for _ in weight.shape[1:]))
        return WeightDelta((ratio - 1) * weight + ratio * direction, bias=of_bias)

    def _norms(self) -> Tensor:
        """‖V‖ [out], without gradient."""
        with torch.no_grad():
            directed = self.host.weight() + self.direction()
            norms: Tensor = torch.linalg.vector_norm(directed.flatten(1), dim=1)
            return norms

    def _own(self, state: LeafState) -> Tensor:
        """W x, which is what the map gave but for its bias."""
        bias = self.host.bias()
        return state.base if bias is None else state.base - self._per_output(bias)

    def _scaled_bias(self, like: Tensor) -> Tensor:
        bias = self.host.bias() if self.scales_bias() else None
        return like.new_zeros(()) if bias is None else self._per_output(bias)

    def _per_output(self, values: Tensor) -> Tensor:
        """[out] ready to meet the map's outputs."""
        is_grid = self.place.kind == "conv"
        return values.view(-1, *(1 for _ in self.place.extent)) if is_grid else values
