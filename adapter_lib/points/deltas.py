"""What merging an adapter's parts does to the weights they serve."""

from torch import Tensor, nn

from adapter_lib.engine import Part, Several, WeightDelta
from adapter_lib.spec.errors import AttachError


def members_of(part: Part | Several) -> list[Part]:
    """The parts of a union's members in the order in which they act, or the one part."""
    return part.members() if isinstance(part, Several) else [part]


def delta_of(name: str, part: Part) -> WeightDelta:
    """The update that one part of the adapter `name` stands for. Raises AttachError if it is none."""
    delta = None if part.gate is not None else part.weight_delta()
    if delta is None:
        raise AttachError(f"{name!r} is no update of weights, so it cannot be merged into them.")
    return delta


def check_writable(name: str, module: nn.Module, weight: Tensor) -> None:
    """Raises AttachError for a weight that is worked out anew in every call, as with weight norm."""
    if not isinstance(weight, nn.Parameter):
        raise AttachError(
            f"{name!r} cannot be merged: the weight of {type(module).__name__} is computed from other "
            "parameters (is it normalised or parametrised?). Let the adapter act unmerged."
        )
