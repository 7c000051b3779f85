"""Modules with weights, whatever their class: widths, the weight as [out, in], the map without its bias."""

from collections.abc import Callable
from typing import Any, TypeGuard

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from transformers.pytorch_utils import Conv1D

from adapter_lib.spec.errors import AttachError

_CONVOLUTIONS = (nn.Conv1d, nn.Conv2d, nn.Conv3d)
_CONVOLVE: dict[type[nn.Module], Callable[..., Tensor]] = {
    nn.Conv1d: F.conv1d,
    nn.Conv2d: F.conv2d,
    nn.Conv3d: F.conv3d,
}

_PLAIN = (Tensor, nn.Parameter)


def is_map(module: nn.Module) -> bool:
    """True for the modules that an update of weights can be put on."""
    return isinstance(module, nn.Linear | Conv1D | nn.Embedding | nn.Conv1d | nn.Conv2d | nn.Conv3d)


def is_callable_map(module: nn.Module) -> bool:
    """True for a map that gives what its kind gives: not for routers, which models make of linear maps."""
    is_model_code = type(module).__module__.startswith("transformers.models.")
    return is_map(module) and not (is_model_code and "forward" in vars(type(module)))


def kind_of(module: nn.Module) -> str:
    """The kind of place it is: "linear", "conv" or "embedding". Raises AttachError for anything else."""
    if isinstance(module, nn.Linear | Conv1D):
        return "linear"
    if isinstance(module, nn.Embedding):
        return "embedding"
    if isinstance(module, _CONVOLUTIONS):
        return "conv"
    raise AttachError(
        f"{type(module).__name__} is no map that this library knows (linear, Conv1D, convolution, embedding)."
    )


def widths(module: nn.Module) -> tuple[int, int]:
    """(in, out); a convolution's `in` counts one group's channels. Raises AttachError."""
    kind = kind_of(module)
    found: Any = module
    if kind == "embedding":
        return found.num_embeddings, found.embedding_dim
    if kind == "conv":
        return found.in_channels // found.groups, found.out_channels
    return (
        (found.weight.shape[0], found.nf)
        if isinstance(module, Conv1D)
        else (found.in_features, found.out_features)
    )


def extent(module: nn.Module) -> tuple[int, ...]:
    """A convolution's kernel, else nothing."""
    return tuple(module.kernel_size) if isinstance(module, _CONVOLUTIONS) else ()


def as_rows(module: nn.Module, weight: Tensor) -> Tensor:
    """A weight of this module seen with its outputs first: [out, in, …]."""
    return weight.t() if isinstance(module, Conv1D | nn.Embedding) else weight


def project(module: nn.Module, x: Tensor) -> Tensor:
    """The module's weight applied to x, without the bias and without any hook."""
    given: Any = module
    if isinstance(module, Conv1D):
        return x @ module.weight
    if isinstance(module, _CONVOLUTIONS):
        return project_with(module, x, given.weight)
    if type(module) is nn.Linear:
        return F.linear(x, module.weight)
    # A quantised linear knows best how to multiply; its bias is taken off again.
    y: Tensor = given.forward(x)
    bias = getattr(module, "bias", None)
    return y if bias is None else y - bias.to(y.dtype)


def project_with(module: nn.Module, x: Tensor, weight: Tensor) -> Tensor:
    """What the module would make of x with another weight [any, in, *kernel] and without a bias."""
    given: Any = module
    if isinstance(module, nn.Embedding):
        return F.embedding(x, weight.t()) * scale(module)
    if not isinstance(module, _CONVOLUTIONS):
        return F.linear(x, weight)
    if given.padding_mode != "zeros":
        raise AttachError(f"A convolution with padding mode {given.padding_mode!r} cannot be adapted so.")
    convolve = next(found for kind, found in _CONVOLVE.items() if isinstance(module, kind))
    return convolve(x, weight, None, given.stride, given.padding, given.dilation, given.groups)


def scale(module: nn.Module) -> float:
    """The factor of a scaled embedding (transformers' `embed_scale`, a number or a buffer), else 1."""
    names = ("scalar_embed_scale", "embed_scale") if isinstance(module, nn.Embedding) else ()
    found = next((getattr(module, name) for name in names if hasattr(module, name)), None)
    return 1.0 if found is None else float(found)


def plain_weight(module: nn.Module) -> Tensor:
    """The weight in numbers. Raises AttachError for one that is packed."""
    weight = getattr(module, "weight", None)
    if not is_plain(weight):
        raise AttachError(
            f"The weight of {type(module).__name__} is not plain numbers (is the model quantised?): nothing "
            "can be merged into it. Let the adapter act unmerged, or load the model without quantisation."
        )
    return weight


def is_plain(weight: object) -> TypeGuard[Tensor]:
    """True for a tensor of floating-point numbers that is not packed."""
    # A packed weight is a class of its own over Tensor.
    return isinstance(weight, Tensor) and type(weight) in _PLAIN and weight.is_floating_point()


def plain_bias(module: nn.Module) -> Tensor | None:
    """The bias, or None."""
    bias = getattr(module, "bias", None)
    return bias if isinstance(bias, Tensor) and torch.is_floating_point(bias) else None
