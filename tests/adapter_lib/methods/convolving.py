"""One part at one convolution, without a model around it."""

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from adapter_lib.engine import Call, LeafState
from adapter_lib.inject.layer_places import map_place
from adapter_lib.methods import method_of
from adapter_lib.points import LeafPoint
from adapter_lib.spec.configs import MethodConfig
from tests.adapter_lib.methods.weights import check

CONVOLUTIONS: tuple[dict[str, Any], ...] = (
    {},
    {"padding": 1},
    {"groups": 2, "dilation": 2},
    {"bias": False, "stride": 1},
)


def check_convolution(
    config: MethodConfig, settings: dict[str, Any], update: Callable[[Mapping[str, Tensor]], Tensor]
) -> None:
    """The part's output is that of the convolution with `update` (of its tensors) added to the kernel."""
    module = nn.Conv2d(4, 6, (3, 2), **{"stride": (2, 1)} | settings).double()
    x = torch.randn(3, 4, 9, 8, dtype=torch.float64)
    place = map_place("module.conv", 0, "", module)
    part = method_of(config).part(config, place, LeafPoint(place, module, Call()))
    with torch.no_grad():
        for parameter in part.parameters():
            parameter.normal_(std=0.3)
        y = module(x)
        found = part.single(LeafState(x, y, y)).y
        delta = update(dict(part.named_parameters())).reshape(module.weight.shape)
        module.weight.add_(delta)
        check(found, module(x))
    merged = part.weight_delta()
    assert merged is not None
    assert merged.weight is not None
    check(merged.weight.detach(), delta)
