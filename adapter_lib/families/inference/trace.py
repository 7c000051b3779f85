"""One forward of a model, written down: which module was called when, what it got and what it gave."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn


@dataclass(frozen=True)
class Call:
    """One call of one module.

    path: where the module is in the traced one. number: its how-manieth call, from 0. start, end: when, by
    the clock of the trace. given, out: its first tensor argument and the first tensor of its output.
    """

    path: str
    number: int
    start: int
    end: int
    given: Tensor | None
    out: Tensor | None
    module: nn.Module


@dataclass(frozen=True)
class Trace:
    """The calls in one call of a module (itself first), in the order they began."""

    calls: tuple[Call, ...]

    @property
    def whole(self) -> Call:
        """The traced module's own call."""
        return self.calls[0]

    def of(self, module: nn.Module) -> list[Call]:
        """The calls of a module."""
        return [call for call in self.calls if call.module is module]

    def inside(self, outer: Call) -> "Trace":
        """What ran in a call, with paths in that call's module and calls counted anew."""
        prefix = f"{outer.path}." if outer.path else ""
        counts: dict[nn.Module, int] = {}
        found = []
        for call in self.calls:
            if call is outer or (outer.start < call.start < outer.end and call.path.startswith(prefix)):
                path = "" if call is outer else call.path.removeprefix(prefix)
                number = counts.get(call.module, 0)
                counts[call.module] = number + 1
                found.append(replace(call, path=path, number=number))
        return Trace(tuple(found))


def record(root: nn.Module, run: Callable[[], object]) -> Trace:
    """The trace of a module in its first call while `run` runs."""
    open_calls: list[tuple[nn.Module, int, Tensor | None]] = []
    calls: list[Call] = []
    clock = iter(range(1 << 62))
    names = {module: path for path, module in root.named_modules()}

    def begin(module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        open_calls.append((module, next(clock), _kept(first_tensor((*args, *kwargs.values())))))

    def end(module: nn.Module, args: object, out: object) -> None:
        _, start, given = open_calls.pop()
        calls.append(Call(names[module], 0, start, next(clock), given, _kept(first_tensor(out)), module))

    handles = [module.register_forward_pre_hook(begin, with_kwargs=True) for module in names]
    handles += [module.register_forward_hook(end) for module in names]
    with removing(*handles), torch.no_grad():
        run()
    ordered = sorted(calls, key=lambda call: call.start)
    outer = next(call for call in ordered if call.path == "")
    return Trace(tuple(ordered)).inside(outer)


def first_tensor(value: Any) -> Tensor | None:
    """The first tensor in a value as modules pass it: alone, in a tuple, in a model's output."""
    if isinstance(value, Tensor):
        return value
    items = value.values() if isinstance(value, Mapping) else value if isinstance(value, list | tuple) else ()
    return next((found for item in items if (found := first_tensor(item)) is not None), None)


def same(a: Tensor | None, b: Tensor | None) -> bool:
    """True if two tensors hold the same numbers, whatever their shape."""
    if a is None or b is None or a.numel() != b.numel() or not a.is_floating_point():
        return False
    return torch.allclose(a.reshape(-1), b.reshape(-1).to(a.dtype), rtol=1e-3, atol=1e-5)


@contextmanager
def removing(*handles: Any) -> Iterator[None]:
    """Hooks that are gone at the end."""
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def _kept(tensor: Tensor | None) -> Tensor | None:
    # A copy: some models go on writing into what they have handed over.
    return None if tensor is None else tensor.detach().clone()
