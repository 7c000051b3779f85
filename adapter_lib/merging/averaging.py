"""The weighted mean of adapters' parameters."""

from collections.abc import Collection, Mapping, Sequence

import torch
from torch import Tensor, nn

from adapter_lib.engine import Several
from adapter_lib.inject import Injection, Key
from adapter_lib.methods import method_of
from adapter_lib.spec.configs import MethodConfig
from adapter_lib.spec.errors import AttachError

Name = tuple[Key | None, str, str]
"""A parameter: its place, the number of its member in a union (or ""), its name in the part."""


def check_equal(configs: Mapping[str, MethodConfig]) -> MethodConfig:
    """The config that all have. Raises AttachError if they differ."""
    (first, config), *others = configs.items()
    for name, other in others:
        if other != config:
            raise AttachError(
                f"{name!r} has another config than {first!r}: parameters are averaged between equal ones. "
                "combine_adapters() makes one LoRA of different updates of weights."
            )
    return config


def check_has_mean(config: MethodConfig) -> None:
    """Raises AttachError for a method whose parameters cannot be averaged."""
    for member in config.members():
        if reason := method_of(member).no_mean:
            raise AttachError(
                f"The parameters of {member.name()} cannot be averaged: {reason}. combine_adapters() makes a "
                "LoRA of the mean of the updates."
            )


def mean(tensors: Sequence[Tensor], weights: Sequence[float]) -> Tensor:
    """Σ wᵢ tᵢ, summed in float32 at least, in the tensors' own type."""
    wide = torch.promote_types(tensors[0].dtype, torch.float32)
    total = sum(
        (weight * tensor.to(wide) for tensor, weight in zip(tensors[1:], weights[1:], strict=True)),
        start=weights[0] * tensors[0].to(wide),
    )
    return total.to(tensors[0].dtype)


def parameters_of(injection: Injection, name: str) -> dict[Name, nn.Parameter]:
    """Every parameter of an adapter; those that its places share under the place None."""
    found: dict[Name, nn.Parameter] = {}
    for key, part in injection.parts(name).items():
        members = part.named_members() if isinstance(part, Several) else {"": part}
        for number, member in members.items():
            found |= {(key, number, own): value for own, value in member.named_parameters()}
    for number, shared in injection.shared_parts(name).items():
        found |= {(None, number, own): value for own, value in shared.named_parameters()}
    return found


def mean_parameters(
    injection: Injection, names: Sequence[str], weights: Sequence[float], *, without: Collection[str] = ()
) -> dict[Name, Tensor]:
    """The weighted mean of every parameter of adapters that have one config.

    without: the numbers of union members that are left out ("" for all of an adapter that is no union).
    """
    found = [parameters_of(injection, name) for name in names]
    kept = [own for own in found[0] if own[1] not in without]
    return {own: mean([each[own].detach() for each in found], weights) for own in kept}


def write_parameters(injection: Injection, name: str, values: Mapping[Name, Tensor]) -> None:
    """Write values into the parameters of these names that an adapter has."""
    with torch.no_grad():
        for own, parameter in parameters_of(injection, name).items():
            if own in values:
                parameter.copy_(values[own])
