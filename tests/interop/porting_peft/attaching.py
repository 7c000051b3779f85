"""Puts a ported adapter on a prepared model, tensor by tensor."""

from typing import Any

import torch
from torch import Tensor

from adapter_lib.formats.expected import shared_key, tensor_key
from tests.interop.porting_peft.checkpoint import NotPortableError
from tests.interop.porting_peft.ported import Ported


def attach(model: Any, name: str, ported: Ported) -> int:
    """Add and activate the adapter, every parameter of it filled; how many tensors that were.

    Raises NotPortableError if keys or shapes are not exactly those that the adapter has.
    """
    model.add_adapter(name, ported.config)
    places = _parameters(model.adapter_runtime.injection, name)
    odd = sorted(set(places) ^ set(ported.tensors))
    if odd:
        raise NotPortableError(f"These tensors are on one side only: {', '.join(odd)}.")
    _copy(places, ported.tensors)
    _copy(dict(model.named_parameters()), ported.backbone)
    model.set_active_adapters(name)
    return len(places)


def _parameters(injection: Any, name: str) -> dict[str, Tensor]:
    found: dict[str, Tensor] = {}
    for key, part in injection.parts(name).items():
        found |= {tensor_key(key, tensor): value for tensor, value in part.named_parameters()}
    for number, shared in injection.shared_parts(name).items():
        found |= {shared_key(number, tensor): value for tensor, value in shared.named_parameters()}
    return found


def _copy(places: dict[str, Tensor], tensors: dict[str, Tensor]) -> None:
    with torch.no_grad():
        for key, tensor in tensors.items():
            if places[key].shape != tensor.shape:
                shapes = f"{list(tensor.shape)}, not {list(places[key].shape)}"
                raise NotPortableError(f"The tensor for {key} has the shape {shapes}.")
            places[key].copy_(tensor)
