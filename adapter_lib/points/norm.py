"""Where a method changes a norm: y = x̂ ⊙ w + b becomes y plus what the adapters add to w and b.

x̂, the normalised input without the affine part, is what the output grows by when the weight grows by one; so
a weight that stands for 1 + w (Gemma) needs no rule of its own. How x̂ comes about is told by trying the norm.
"""

import copy
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn

from adapter_lib.engine import Call, LeafState, evaluate
from adapter_lib.points.base import first_input, hang, like_of, unhang
from adapter_lib.points.leaf import MapPoint
from adapter_lib.spec.configs import Place
from adapter_lib.spec.errors import AttachError

_EPSILONS = ("eps", "variance_epsilon", "epsilon", "norm_eps")
# Sizes of inputs to try: the small ones make the epsilon visible.
_SIZES = (3.0, 0.1, 1e-3)
_TOLERANCE = 1e-4


class NormPoint(MapPoint):
    """Shows its parts x̂ as the state's x and the norm's output as y."""

    def __init__(self, place: Place, module: nn.Module, call: Call) -> None:
        """Raises AttachError for a module that neither centres nor scales as layer norm or RMS norm do."""
        super().__init__(place, module, call)
        self.is_centred, self.epsilon = _law(module, place.width_in)

    def install(self) -> None:
        hang(self.served[0], "norm", self)
        # First of all hooks: a site may replace what the norm gives, and has the last word.
        self.handles.append(self.served[0].register_forward_hook(self._act, prepend=True, with_kwargs=True))

    def uninstall(self) -> None:
        self.drop_hooks()
        unhang(self.served[0], "norm")

    def project(self, x: Tensor) -> Tensor:
        """x̂ ⊙ w for an x̂ [..., d]."""
        return x * self.weight().to(x.dtype)

    def project_with(self, x: Tensor, weight: Tensor) -> Tensor:
        return x * weight

    def _act(
        self, module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any], output: Tensor
    ) -> Tensor:
        if self.plan is None:
            return output
        normal = normalised(first_input(args, kwargs), self.is_centred, self.epsilon)
        return evaluate(self.plan, LeafState(normal, output, output, self.info())).y


def normalised(x: Tensor, is_centred: bool, epsilon: float | None) -> Tensor:
    """x̂ [..., d] of x in float32 (float64 stays): (x - mean) / sqrt(var + ε), or x / sqrt(mean(x²) + ε).

    epsilon: None is the smallest step of x's own type, as in torch's RMS norm.
    """
    epsilon = torch.finfo(x.dtype).eps if epsilon is None else epsilon
    x = x if x.dtype == torch.float64 else x.float()
    x = x - x.mean(-1, keepdim=True) if is_centred else x
    return x * torch.rsqrt(x.square().mean(-1, keepdim=True) + epsilon)


def _law(norm: nn.Module, width: int) -> tuple[bool, float | None]:
    """(whether the norm takes the mean off, its epsilon)."""
    device = like_of(norm).device
    # Values of all sizes in no simple order; no random numbers are drawn.
    given = torch.arange(3.0 * width, device=device).square().sin().view(1, 3, width)
    trials = [given * size for size in _SIZES]
    try:
        wanted = [_grown(norm, trial) for trial in trials]
    except (RuntimeError, TypeError, ValueError) as error:
        raise AttachError(f"{type(norm).__name__} is no norm that can be adapted: {error}") from error
    for epsilon in _candidates(norm):
        for is_centred in (True, False):
            found = [normalised(trial, is_centred, epsilon) for trial in trials]
            if all(torch.allclose(a, b, atol=_TOLERANCE) for a, b in zip(found, wanted, strict=True)):
                return is_centred, epsilon
    raise AttachError(
        f"{type(norm).__name__} is neither a layer norm nor an RMS norm over its last {width} values, so its "
        "weight and bias cannot be adapted."
    )


def _candidates(norm: nn.Module) -> Iterator[float | None]:
    for name in _EPSILONS:
        if hasattr(norm, name):
            found = getattr(norm, name)
            yield None if found is None else float(found)


def _grown(norm: nn.Module, x: Tensor) -> Tensor:
    """What the norm gives more when its weight grows from 0 to 1."""
    zero, one = (_with_weight(norm, value, x) for value in (0.0, 1.0))
    return one - zero


def _with_weight(norm: nn.Module, value: float, x: Tensor) -> Tensor:
    """The output of a copy whose weight is one value and whose bias is zero, in float32."""
    twin = copy.copy(norm)
    own = {name: parameter for name, parameter in norm._parameters.items() if parameter is not None}
    filled = {
        name: nn.Parameter(torch.full_like(p, value if name == "weight" else 0.0, dtype=torch.float32))
        for name, p in own.items()
    }
    twin.__dict__["_parameters"] = {**norm._parameters, **filled}
    with torch.no_grad():
        result: Tensor = twin.forward(x)
    return result
