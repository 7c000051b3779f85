"""What merging an adapter's parts does to the weights they serve."""

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
