"""Watching a model run with plain torch hooks: what goes into and comes out of every layer's modules."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import torch
from torch import Tensor, nn

from adapter_lib.families import FoundTower, Resolved, Site, paths, resolve
from tests.adapter_lib.zoo import MODELS


@dataclass
class LayerCall:
    """One call of one layer: its modules' first inputs and outputs by path, in the order of their calls."""

    tower: FoundTower
    layer: nn.Module
    ins: dict[str, list[Tensor]] = field(default_factory=dict)
    outs: dict[str, list[Tensor]] = field(default_factory=dict)

    def out(self, path: str) -> Tensor:
        """What the module at a path (`a|b`, `drop#1`) gave."""
        path, _, call = path.partition("#")
        return self.outs[self._there(path)][int(call or 0)]

    def given(self, path: str) -> Tensor:
        """What the module at a path (`norm#1`: in its second call) got first."""
        path, _, call = path.partition("#")
        return self.ins[self._there(path)][int(call or 0)]

    def ran(self, path: str) -> bool:
        """True if the module exists and was called."""
        return self._there(path.partition("#")[0]) in self.ins

    def h(self, site: Site) -> Tensor:
        """The sub-layer's output, times the layer's own factor where there is one."""
        factor = 1.0 if site.scale is None else getattr(self.layer, site.scale)
        return self.out(site.out) * factor

    def r(self, site: Site) -> Tensor:
        """The residual, with what stands beside the sub-layer."""
        r = self.given(site.caught)
        for path in site.added:
            r = r + self.out(path)
        return r

    def _there(self, path: str) -> str:
        names = {id(module): name for name, module in self.layer.named_modules()}
        found = paths.find(self.layer, path)
        return "(absent)" if found is None else names[id(found)]


def first(value: Any) -> Tensor:
    """The tensor, or the first of a tuple or a model output."""
    while not isinstance(value, Tensor):
        value = value[0]
    return value


def first_input(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Tensor | None:
    """The first tensor that a module was called with, if any."""
    return next((value for value in (*args, *kwargs.values()) if isinstance(value, Tensor)), None)


@contextmanager
def hooked(*handles: Any) -> Iterator[None]:
    """Hooks that are removed at the end."""
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def side_of(name: str) -> str:
    """Where rows are padded: in front for decoders."""
    return "left" if MODELS[name].kind == "decoder" else "right"


@cache
def resolved_of(name: str) -> tuple[nn.Module, Resolved]:
    """A zoo model and where things are in it; shared by all tests, which leave it as it was."""
    model = MODELS[name].build()
    return model, resolve(model)


@cache
def inputs_of(name: str) -> dict[str, Tensor]:
    """The zoo's inputs for a model."""
    return MODELS[name].inputs(side=side_of(name))


def run(name: str, model: nn.Module) -> Any:
    """One forward on the zoo's inputs."""
    with torch.no_grad():
        return model(**inputs_of(name))


@cache
def layer_calls(name: str) -> tuple[LayerCall, ...]:
    """All calls of all layers of a zoo model in one forward, in their order."""
    model, resolved = resolved_of(name)
    calls: list[LayerCall] = []
    with hooked(*_watch(resolved, calls)):
        run(name, model)
    return tuple(calls)


def _watch(resolved: Resolved, calls: list[LayerCall]) -> Iterator[Any]:
    for tower in resolved.towers:
        for layer in tower.layers:
            yield layer.register_forward_pre_hook(_opens(tower, calls))
            for path, module in layer.named_modules():
                yield module.register_forward_hook(_notes(layer, path, calls), with_kwargs=True)
                yield module.register_forward_pre_hook(_takes(layer, path, calls), with_kwargs=True)


def _opens(tower: FoundTower, calls: list[LayerCall]) -> Any:
    return lambda layer, args: calls.append(LayerCall(tower, layer))


def _takes(layer: nn.Module, path: str, calls: list[LayerCall]) -> Any:
    # Copies: some models go on writing into what they have handed over.
    def take(module: nn.Module, args: Any, kwargs: Any) -> None:
        call = next(call for call in reversed(calls) if call.layer is layer)
        given = first_input(args, kwargs)
        if given is not None:
            call.ins.setdefault(path, []).append(given.clone())

    return take


def _notes(layer: nn.Module, path: str, calls: list[LayerCall]) -> Any:
    def note(module: nn.Module, args: Any, kwargs: Any, out: Any) -> None:
        call = next(call for call in reversed(calls) if call.layer is layer)
        call.outs.setdefault(path, []).append(first(out).clone())

    return note
