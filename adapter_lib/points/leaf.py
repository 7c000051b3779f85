"""Where a method changes a linear map: y = W x becomes y plus what the adapters add."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from transformers.pytorch_utils import Conv1D

from adapter_lib.engine import LeafState, evaluate
from adapter_lib.points.base import Point, hang, like_of, unhang
from adapter_lib.spec.configs import Place
from adapter_lib.spec.errors import AttachError


class LeafPoint(Point):
    """The point of one role of a linear map: all of it, or the columns [start, …) of a fused one."""

    def __init__(self, place: Place, linear: nn.Module, start: int = 0) -> None:
        super().__init__(place)
        # In a tuple, so that the served module does not become a child of its own child.
        self._served = (linear,)
        self.start = start
        self.merged: str | None = None
        self._original: Tensor | None = None

    def install(self) -> None:
        """Serve the whole linear map."""
        hang(self._served[0], "leaf", self)
        self.handles.append(self._served[0].register_forward_hook(self._act))

    def uninstall(self) -> None:
        self.drop_hooks()
        unhang(self._served[0], "leaf")

    def _act(self, module: nn.Module, args: tuple[Any, ...], output: Tensor) -> Tensor:
        if self.plan is None:
            return output
        return evaluate(self.plan, LeafState(args[0], output)).y

    def like(self) -> Tensor:
        return like_of(self._served[0])

    def merge(self, name: str) -> None:
        """Add an adapter's update to the base weight, keeping the original.

        Raises AttachError if it cannot be.
        """
        if self.merged is not None:
            raise AttachError(f"{self.merged!r} is merged already; reset_adapter() takes it out again.")
        delta = self.parts()[name].weight_delta()
        if delta is None:
            raise AttachError(f"{name!r} is no update of a weight, so it cannot be merged into one.")
        weight = self._weight()
        self._original = self._columns(weight).detach().clone()
        with torch.no_grad():
            self._columns(weight).add_(delta.to(weight.dtype))
        self.merged = name

    def reset(self) -> None:
        """Put the original weight back, bit for bit."""
        self.restore(self._weight())
        self.merged = self._original = None

    def restore(self, weight: Tensor) -> None:
        """Write the original numbers into a weight, if an adapter is merged."""
        if self._original is not None:
            with torch.no_grad():
                self._columns(weight).copy_(self._original)

    def _weight(self) -> Tensor:
        weight = self._served[0].weight
        if not isinstance(weight, Tensor) or not weight.is_floating_point():
            raise AttachError(
                f"The weight of {type(self._served[0]).__name__} is not plain numbers to merge into."
            )
        return weight

    def _columns(self, weight: Tensor) -> Tensor:
        """This role's part of a weight, seen as [out, in]."""
        rows = weight.t() if isinstance(self._served[0], Conv1D) else weight
        return rows[self.start : self.start + self.place.width_out]


class FusedPoint(nn.Module):
    """The hook of a fused linear map; its children are the points of its roles, in column order."""

    def __init__(self, places: Sequence[Place], linear: nn.Module) -> None:
        super().__init__()
        self._served = (linear,)
        self._widths = [place.width_out for place in places]
        starts = [sum(self._widths[:i]) for i in range(len(places))]
        self._points = tuple(LeafPoint(p, linear, start) for p, start in zip(places, starts, strict=True))
        for point in self._points:
            self.add_module(point.place.role.replace(".", "_"), point)
        hang(linear, "fused", self)
        self._handle = linear.register_forward_hook(self._act)

    def points(self) -> dict[str, LeafPoint]:
        """The points by role."""
        return {point.place.role: point for point in self._points}

    def uninstall(self) -> None:
        """Take the hook and the points off the model."""
        self._handle.remove()
        unhang(self._served[0], "fused")

    def _act(self, module: nn.Module, args: tuple[Any, ...], output: Tensor) -> Tensor:
        if all(point.plan is None for point in self._points):
            return output
        pieces = list(torch.split(output, self._widths, dim=-1))
        for i, point in enumerate(self._points):
            if point.plan is not None:
                pieces[i] = evaluate(point.plan, LeafState(args[0], pieces[i])).y
        return torch.cat(pieces, dim=-1)


def original_weight(linear: nn.Module) -> Tensor:
    """The weight of a linear map as it was before any adapter was merged into it."""
    merged = [m for m in linear.modules() if isinstance(m, LeafPoint) and m.merged is not None]
    weight = linear.weight
    if not isinstance(weight, Tensor):
        raise AttachError(f"{type(linear).__name__} has no weight.")
    if merged:
        weight = weight.detach().clone()
    for point in merged:
        point.restore(weight)
    return weight.detach()


def linear_widths(linear: nn.Module) -> tuple[int, int]:
    """(in, out) of an nn.Linear (or a subclass) or a Conv1D. Raises AttachError for anything else."""
    if isinstance(linear, nn.Linear):
        return linear.in_features, linear.out_features
    if isinstance(linear, Conv1D):
        return linear.weight.shape[0], linear.nf
    raise AttachError(
        f"{type(linear).__name__} is no linear map that this library knows (nn.Linear, Conv1D)."
    )
