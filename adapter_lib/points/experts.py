"""Where a method changes a mixture of experts: two weight tensors [experts, out, in] of one module.

A non-linearity stands between them and a router chooses who sees what, so no hook could add what an update
does: the experts are run once more with their weights changed. The module itself is never touched.
"""

import inspect
from collections.abc import Mapping
from typing import Any

from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle

from adapter_lib.engine import (
    Call,
    ExpertsState,
    Plan,
    Present,
    Several,
    compile_plan,
    evaluate,
)
from adapter_lib.points import maps
from adapter_lib.points.base import hang, like_of, unhang
from adapter_lib.points.deltas import members_of
from adapter_lib.points.leaf import MapPoint
from adapter_lib.spec.composition import Block
from adapter_lib.spec.configs import Place
from adapter_lib.spec.errors import AttachError

_NAMES = {"experts.up": ("gate_up_proj", "up_proj"), "experts.down": ("down_proj",)}
# What the router hands over: hidden states, the chosen experts, their weights.
_GIVEN = 3


def expert_tensors(module: nn.Module | None) -> dict[str, tuple[str, Tensor]]:
    """Role → the name and the tensor [experts, out, in] of a module that holds experts; empty for any other.

    The module must take flattened tokens and, for each, the experts that a router chose.
    """
    if module is None or len(_argument_names(module)) < _GIVEN:
        return {}
    found: dict[str, tuple[str, Tensor]] = {}
    for role, names in _NAMES.items():
        for name in names:
            weight = getattr(module, name, None)
            if isinstance(weight, Tensor) and weight.dim() == 3:
                found[role] = name, _as_rows(module, weight)
                break
    return found


class ExpertsPoint(MapPoint):
    """The point of one of the two tensors: it shows it to its parts, and merges."""

    def __init__(self, place: Place, module: nn.Module, call: Call) -> None:
        super().__init__(place, module, call)
        self.tensor = expert_tensors(module)[place.role][0]
        # The points of both tensors, in a tuple: none is the child of another.
        self.together: tuple[ExpertsPoint, ...] = (self,)

    def like(self) -> Tensor:
        return like_of(self.served[0])

    def bias(self) -> Tensor | None:
        return None

    def project(self, x: Tensor) -> Tensor:
        raise AttachError(f"{self.place.role} is a tensor per expert, which no input meets as a whole.")

    def project_with(self, x: Tensor, weight: Tensor) -> Tensor:
        return self.project(x)

    def compiled(self, block: Block | None) -> Plan | None:
        """One plan for both tensors, which the first of their points follows."""
        if block is None or self is not self.together[0]:
            return None
        names = dict.fromkeys(name for point in self.together for name in point.parts())
        blocks = {key: part for point in self.together for key, part in point.blocks().items()}
        return compile_plan(block, Present({name: self._joined(name) for name in names}, blocks))

    def _joined(self, name: str) -> Several:
        parts = [point.parts()[name] for point in self.together if name in point.parts()]
        members = [member for part in parts for member in members_of(part)]
        return Several({str(number): member for number, member in enumerate(members)})

    def _own_weight(self) -> Tensor:
        weight = getattr(self.served[0], self.tensor)
        if not maps.is_plain(weight):
            raise AttachError(f"The experts' {self.tensor} is not plain numbers (is the model quantised?).")
        found: Tensor = weight
        return found

    def _own_bias(self) -> Tensor | None:
        return None

    def _numbers(self) -> Tensor:
        return self._own_weight()

    def _as_rows(self, weight: Tensor) -> Tensor:
        return _as_rows(self.served[0], weight)


class ExpertsHook(nn.Module):
    """The hooks of a module that holds experts; its children are the points of its tensors."""

    def __init__(self, places: Mapping[str, Place], experts: nn.Module, call: Call) -> None:
        super().__init__()
        self._served = (experts,)
        self._points = tuple(ExpertsPoint(place, experts, call) for place in places.values())
        for point in self._points:
            point.together = self._points
            self.add_module(point.place.role.replace(".", "_"), point)
        self._names = _argument_names(experts)[:_GIVEN]
        # What the router handed over, kept between the two hooks of one call: threads must not share a model.
        self._given: tuple[Tensor, ...] | None = None
        hang(experts, "experts", self)
        self._handles: list[RemovableHandle] = [
            experts.register_forward_pre_hook(self._catch, with_kwargs=True),
            experts.register_forward_hook(self._act),
        ]

    def points(self) -> dict[str, ExpertsPoint]:
        """The points by role."""
        return {point.place.role: point for point in self._points}

    def is_empty(self) -> bool:
        """True if nothing needs the points any more."""
        return all(point.is_empty() for point in self._points)

    def uninstall(self) -> None:
        """Take the hooks and the points off the model."""
        for handle in self._handles:
            handle.remove()
        unhang(self._served[0], "experts")

    def _catch(self, module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        if self._points[0].plan is None:
            return None
        named = dict(zip(self._names, args, strict=False)) | kwargs
        self._given = tuple(named[name] for name in self._names)
        # The module's own run is of no use: one token is enough for it.
        return (*(value[:1] for value in self._given), *args[_GIVEN:]), {
            name: value for name, value in kwargs.items() if name not in self._names
        }

    def _act(self, module: nn.Module, args: tuple[Any, ...], output: Tensor) -> Tensor:
        plan, point = self._points[0].plan, self._points[0]
        if plan is None or self._given is None:
            return output
        given, self._given = self._given, None
        return evaluate(plan, ExpertsState.of(given, self._run, point.info())).output()

    def _run(self, given: tuple[Tensor, ...], deltas: Mapping[str, Tensor]) -> Tensor:
        """The experts' own forward with deltas added to their weights."""
        module = self._served[0]
        changed: dict[str, Tensor] = {}
        for point in self._points:
            if (delta := deltas.get(point.place.role)) is not None:
                weight = getattr(module, point.tensor)
                changed[point.tensor] = weight + _as_rows(module, delta).to(weight.dtype)
        # The class's own forward: hooks and whatever replaces it on the module belong to the module's call.
        forward: Any = type(module).forward
        output: Tensor = forward(_Changed(module, changed), *given)
        return output


class _Changed:
    """Stands for a module in a forward of its class, with some tensors in the place of its own."""

    def __init__(self, module: nn.Module, tensors: Mapping[str, Tensor]) -> None:
        self._module = module
        self._tensors = tensors

    def __getattr__(self, name: str) -> Any:
        return self._tensors[name] if name in self._tensors else getattr(self._module, name)


def _argument_names(module: nn.Module) -> tuple[str, ...]:
    return tuple(inspect.signature(type(module).forward).parameters)[1:]


def _as_rows(module: nn.Module, weight: Tensor) -> Tensor:
    """A tensor of this module's with outputs before inputs, or the way back."""
    return weight.transpose(1, 2) if getattr(module, "is_transposed", False) else weight
