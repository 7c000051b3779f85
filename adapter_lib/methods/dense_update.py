"""What methods share whose update of a weight is worked out as a whole before it is applied."""

from torch import Tensor

from adapter_lib.engine import LeafState, Part, WeightDelta


class DenseUpdate(Part):
    """y + ΔW x, with ΔW as `delta` gives it; updates of one map add up in a Stack."""

    def delta(self) -> Tensor:
        """ΔW, shaped as the map's weight: [out, in, *kernel]."""
        raise NotImplementedError

    def single(self, state: LeafState) -> LeafState:
        delta = self.delta()
        added = self.host.project_with(state.x.to(delta.dtype), delta)
        return state.with_y(state.y + added.to(state.y.dtype))

    def weight_delta(self) -> WeightDelta:
        return WeightDelta(self.delta())
