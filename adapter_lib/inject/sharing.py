"""One Parameter in the parts of several adapters, and back to one each."""

from collections import Counter
from collections.abc import Mapping, Sequence

from torch import nn

from adapter_lib.engine import Part
from adapter_lib.spec.errors import AttachError

# An adapter's parts (a union's members singly), in the order of places.
Parts = Sequence[Part]


def share(adapters: Mapping[str, Parts]) -> int:
    """Put the first adapter's parameters into the others' parts; returns how many there are of them.

    Raises AttachError if they do not fit, and then nothing has changed.
    """
    (first, given), *others = adapters.items()
    shareable = [[name for name in part.shareable if name in part._parameters] for part in given]
    if not any(shareable):
        raise AttachError(f"{first!r} has no parameters that adapters can share; MTL-LoRA's can be.")
    for name, parts in others:
        if _layout(parts) != _layout(given):
            raise AttachError(
                f"{name!r} cannot share parameters with {first!r}: they differ in method, places or shapes."
            )
    for _, parts in others:
        for part, source, names in zip(parts, given, shareable, strict=True):
            for name in names:
                part.register_parameter(name, source._parameters[name])
    return sum(map(len, shareable))


def unshare(adapters: Mapping[str, Parts], everywhere: Sequence[Part]) -> int:
    """Give every one of the adapters a copy of its own; returns how many parameters were shared.

    everywhere: the parts of all adapters there are.
    """
    counts = Counter(id(p) for part in everywhere for p in part._parameters.values() if p is not None)
    shared: set[int] = set()
    for parts in adapters.values():
        for part in parts:
            for name in part.shareable:
                held = part._parameters.get(name)
                if held is not None and counts[id(held)] > 1:
                    shared.add(id(held))
                    part.register_parameter(name, nn.Parameter(held.detach().clone(), held.requires_grad))
    return len(shared)


def sharing_groups(adapters: Mapping[str, Parts]) -> tuple[tuple[str, ...], ...]:
    """The adapters that have parameters in common, group by group; those that share nothing are left out."""
    groups: dict[int, list[str]] = {}
    for name, parts in adapters.items():
        held = (part._parameters.get(tensor) for part in parts for tensor in part.shareable)
        first = next((id(parameter) for parameter in held if parameter is not None), None)
        if first is not None:
            groups.setdefault(first, []).append(name)
    return tuple(tuple(names) for names in groups.values() if len(names) > 1)


def _layout(parts: Parts) -> list[tuple[object, ...]]:
    """What must be equal: the method, the place, and the shapes of what is shared."""
    return [
        (type(part), part.place, *(tuple(part._parameters[n].shape) for n in part.shareable))  # type: ignore[union-attr]
        for part in parts
    ]
