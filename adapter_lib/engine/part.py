"""What a method puts at one point: its parameters and its mathematics there."""

from collections.abc import Sequence
from typing import Any, ClassVar

from torch import Tensor, nn

from adapter_lib.spec.configs import MethodConfig, Place, Shapes

Groups = Sequence[Sequence["Part"]]


class Part(nn.Module):
    """One adapter at one place. A method subclasses it and says what `single` does to a state.

    Parameters are named and shaped as `config.shapes(place)` says. A part keeps no state between calls.
    """

    # True if `grouped` can evaluate a whole Parallel in one go; else the evaluator takes it apart.
    is_groupable: ClassVar[bool] = False

    def __init__(self, config: MethodConfig, place: Place, like: Tensor) -> None:
        """Make the parameters, uninitialised, with the device and type of `like`."""
        super().__init__()
        self.config = config
        self.place = place
        self.make(config.shapes(place), like)

    def make(self, shapes: Shapes, like: Tensor) -> None:
        """Make the parameters."""
        raise NotImplementedError

    def initialise(self) -> None:
        """Give the parameters their starting values; not called when a file will overwrite them."""
        raise NotImplementedError

    def single(self, state: Any) -> Any:
        """The state after this adapter acted on it."""
        raise NotImplementedError

    @staticmethod
    def grouped(groups: Groups, state: Any) -> Any:
        """The state after the parts of every channel (in order, one group per channel) acted on its rows."""
        raise NotImplementedError

    def weight_delta(self) -> Tensor | None:
        """What the adapter adds to the linear map's weight [out, in], or None if it is not such a method."""
        return None

    def overrides_norm(self) -> bool:
        """True if the adapter may want to speak after the model's own norm."""
        return False
