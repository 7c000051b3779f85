"""Linear maps whose weights are packed (bitsandbytes, torchao): what is known of them.

Neither library is needed here: a packed weight brings its own.
"""

import importlib
from typing import Any

import torch
from torch import Tensor, nn

from adapter_lib.points.base import like_of


def dequantised(module: nn.Module) -> Tensor | None:
    """The numbers that a packed weight stands for, [out, in]; None for one that is not packed.

    Known are bitsandbytes' 8-bit and 4-bit weights and tensor classes with a `dequantize` of their own, as
    torchao's.
    """
    weight: Any = getattr(module, "weight", None)
    if type(weight) in (Tensor, nn.Parameter, type(None)):
        return None
    with torch.no_grad():
        if getattr(getattr(weight, "quant_state", None), "packing_format_for_cpu", False):
            return _by_products(module)
        if getattr(weight, "quant_state", None) is not None:
            functional: Any = importlib.import_module("bitsandbytes.functional")
            found: Tensor = functional.dequantize_4bit(weight.data, weight.quant_state)
            return found
        if (rows := _row_scales(module)) is not None:
            # int8 codes of [out, in], a row's largest value standing for 127.
            codes, scales = rows
            return codes.to(scales.dtype) * (scales[:, None] / 127)
        if type(weight).dequantize is not Tensor.dequantize:
            unpacked: Tensor = weight.dequantize()
            return unpacked
    return None


def like(module: nn.Module) -> Tensor:
    """A tensor of the device and type that parameters beside this module should have.

    That of its own parameters, or what a packed weight is multiplied in, or float32. Raises AttachError for
    a module without parameters.
    """
    weight: Any = getattr(module, "weight", None)
    if any(p.is_floating_point() for p in module.parameters()) or not isinstance(weight, Tensor):
        return like_of(module)
    computed_in = getattr(module, "compute_dtype", None) or torch.float32
    return torch.empty(0, dtype=computed_in, device=weight.device)


def _by_products(module: Any) -> Tensor:
    """The weight told by what the module makes of the unit vectors: 4-bit codes that were laid out anew.

    bitsandbytes does that on some CPUs once a module has run in eval mode; products are then in bfloat16.
    """
    units = torch.eye(module.in_features, dtype=like(module).dtype, device=module.weight.device)
    products: Tensor = module.forward(units)
    return (products if module.bias is None else products - module.bias).t().contiguous()


def _row_scales(module: Any) -> tuple[Tensor, Tensor] | None:
    """bitsandbytes' 8-bit codes and scales, which move from the weight to the module's state in a forward."""
    for holder in (getattr(module, "state", None), module.weight):
        scales = getattr(holder, "SCB", None)
        if isinstance(scales, Tensor):
            codes = getattr(holder, "CB", None)
            return (codes if isinstance(codes, Tensor) else module.weight.data), scales
    return None
