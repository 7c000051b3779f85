"""What merging an adapter's parts does to the weights they serve."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import NamedTuple, TypeVar

import torch
from torch import Tensor, nn

from adapter_lib.engine import Part, Several, WeightDelta
from adapter_lib.spec.composition import Average, Block, Stack
from adapter_lib.spec.errors import AttachError

S = TypeVar("S")
Parts = Mapping[str, Part | Several]


class Numbers(NamedTuple):
    """A weight, shaped as `Host.weight` shows it, and a bias."""

    weight: Tensor
    bias: Tensor | None


class Rounding(NamedTuple):
    """How much merging changed a map's numbers, and how much of that its type could not hold (Frobenius)."""

    change: float
    lost: float


def members_of(part: Part | Several) -> list[Part]:
    """The parts of a union's members in the order in which they act, or the one part."""
    return part.members() if isinstance(part, Several) else [part]


def delta_of(name: str, part: Part) -> WeightDelta:
    """The update that one part of the adapter `name` stands for. Raises AttachError if it is none."""
    delta = None if part.gate is not None else part.weight_delta()
    if delta is None:
        raise AttachError(f"{name!r} is no update of weights, so it cannot be merged into them.")
    return delta


def named(block: Block) -> str:
    """The adapters of a composition, as errors name them."""
    return ", ".join(map(repr, block.names()))


def check_writable(block: Block, module: nn.Module, weight: Tensor) -> None:
    """Raises AttachError for a weight that is worked out anew in every call, as with weight norm."""
    if not isinstance(weight, nn.Parameter):
        raise AttachError(
            f"{named(block)} cannot be merged: the weight of {type(module).__name__} is computed from other "
            "parameters (is it normalised or parametrised?). Let the adapter act unmerged."
        )


def merged_numbers(block: Block, parts: Parts, numbers: Numbers, module: nn.Module) -> Numbers:
    """What a composition makes of a module's weight and bias. Raises AttachError if it cannot be merged."""

    def act(name: str, before: Numbers) -> Numbers:
        for part in members_of(parts[name]):
            delta = delta_of(name, part)
            if delta.bias is not None and before.bias is None:
                raise AttachError(f"{name!r} changes a bias, and {type(module).__name__} has none.")
            before = _changed(before, delta)
        return before

    def mean(results: Sequence[Numbers], shares: Sequence[float]) -> Numbers:
        biases = [each.bias for each in results if each.bias is not None]
        weight = _weighted([each.weight for each in results], shares)
        return Numbers(weight, _weighted(biases, shares) if biases else None)

    return _through(block, numbers, parts, act, mean)


def merged_columns(block: Block, parts: Parts, factor: Tensor) -> Tensor:
    """What a composition multiplies the inputs of a map by, on top of `factor` [in]. Raises AttachError."""

    def act(name: str, before: Tensor) -> Tensor:
        for part in members_of(parts[name]):
            columns = delta_of(name, part).columns
            before = before if columns is None else before * columns.to(before.dtype)
        return before

    return _through(block, factor, parts, act, _weighted)


def rounding(before: Tensor | None, wanted: Tensor | None, held: Tensor | None) -> Rounding:
    """The figures of one tensor: as it was, as it should be, as it is held."""
    if before is None or wanted is None or held is None:
        return Rounding(0.0, 0.0)
    norms = (wanted - wide(before), wanted - wide(held))
    return Rounding(*(float(torch.linalg.vector_norm(each)) for each in norms))


@contextmanager
def widened(parts: Iterable[nn.Module]) -> Iterator[None]:
    """Within, the parameters of these parts are in float64, so that what they work out is too."""
    modules = [module for part in parts for module in part.modules()]
    narrow = [dict(module._parameters) for module in modules]
    try:
        for module in modules:
            for name, parameter in module._parameters.items():
                if parameter is not None:
                    module._parameters[name] = nn.Parameter(wide(parameter.detach()), requires_grad=False)
        yield
    finally:
        for module, parameters in zip(modules, narrow, strict=True):
            module._parameters.update(parameters)


def wide(tensor: Tensor) -> Tensor:
    """The tensor in float64, or in float32 where the device has no other."""
    return tensor.float() if tensor.device.type == "mps" else tensor.double()


def _through(
    node: str | Block,
    state: S,
    parts: Parts,
    act: Callable[[str, S], S],
    mean: Callable[[Sequence[S], Sequence[float]], S],
) -> S:
    """The rules of the blocks for weights; what is not here changes nothing, as in a forward."""
    if isinstance(node, str):
        return act(node, state) if node in parts else state
    if isinstance(node, Stack):
        for child in node.children:
            state = _through(child, state, parts, act, mean)
        return state
    if not isinstance(node, Average):
        raise AttachError(
            f"What {type(node).__name__} does depends on the input, so it cannot be merged into weights; "
            "adapters, Stack and Average can."
        )
    if not any(name in parts for name in node.names()):
        return state
    return mean([_through(child, state, parts, act, mean) for child in node.children], node.shares())


def _changed(numbers: Numbers, delta: WeightDelta) -> Numbers:
    weight, bias = numbers
    if delta.rows is not None:
        rows = delta.rows.to(weight.dtype)
        weight = weight * rows.view(-1, *(1 for _ in weight.shape[1:]))
        bias = None if bias is None else bias * rows
    if delta.weight is not None:
        weight = weight + delta.weight.to(weight.dtype)
    if delta.bias is not None and bias is not None:
        bias = bias + delta.bias.to(bias.dtype)
    return Numbers(weight, bias)


def _weighted(tensors: Sequence[Tensor], shares: Sequence[float]) -> Tensor:
    return torch.stack([share * tensor for tensor, share in zip(tensors, shares, strict=True)]).sum(0)
