"""From a tower to the point that puts soft prompts among its tokens."""

from typing import Any

from torch import nn

from adapter_lib.engine import Call
from adapter_lib.families import FoundTower, Resolved, paths
from adapter_lib.inject.atlas import Spot
from adapter_lib.points import PromptPoint, PromptTower, StatePromptPoint, TokenPromptPoint
from adapter_lib.spec.errors import AttachError


def prompt_point(spot: Spot, call: Call) -> PromptPoint:
    """The point for a tower, not yet installed. Raises AttachError for one that cannot have prompts."""
    if spot.tower is None or spot.model is None:
        raise AttachError("Soft prompts need a tower of layers to act in.")
    tower = _modules(spot.module, spot.tower, spot.model)
    cls = StatePromptPoint if tower.tokens is None else TokenPromptPoint
    return cls(spot.place, tower, call)


def _modules(stack: nn.Module, tower: FoundTower, model: Resolved) -> PromptTower:
    table, base = tower.table, model.base
    tokens = None if table.tokens is None else paths.find(base, table.tokens)
    pooler = stack._modules.get("pooler")
    norm = None if table.norm is None else paths.find(base, table.norm)
    is_decoder = bool(getattr(getattr(stack, "config", None), "is_decoder", False))
    return PromptTower(
        stack,
        tower.layers,
        tokens,
        embed=None if table.embed is None else paths.find(base, table.embed),
        exit=(_container(stack, tower.layers[0]) or norm) if tokens is None or pooler is not None else None,
        pooler=pooler,
        readers=tuple(_readers(tower, model)),
        is_decoder=table.role == "decoder" or (tokens is not None and is_decoder),
    )


def _container(stack: nn.Module, layer: nn.Module) -> nn.Module | None:
    """The child of a stack that runs the layers, where the stack does not do so itself."""
    for child in stack.children():
        if not isinstance(child, nn.ModuleList) and layer in child.modules():
            return child
    return None


def _readers(tower: FoundTower, model: Resolved) -> Any:
    """The stacks of the towers that attend to this tower's output."""
    for other in model.towers:
        path = other.table.layer.xattn
        if other is not tower and path is not None and paths.find(other.layers[0], path) is not None:
            yield paths.get(model.base, other.table.stack)
