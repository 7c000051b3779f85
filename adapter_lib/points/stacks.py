"""Acting around a tower's whole call, whether its module is a part of the model or the model itself."""

import inspect
from typing import Any

from torch import nn

from adapter_lib.engine import Around, Call
from adapter_lib.points.base import Handle


class _Inside:
    """An entry in a call's list."""

    def __init__(self, call: Call, around: Around) -> None:
        self._call, self._around = call, around

    def remove(self) -> None:
        self._call.inside.remove(self._around)


def hook_around(stack: nn.Module, call: Call, around: Around, *, is_first: bool = False) -> list[Handle]:
    """Let `around` change what a tower's module is called with and what it gives.

    A hook on the model that `init` prepared would run before Parallel copies the batch and tasks are told;
    there the model's own call asks `around`. is_first: before others that are there already.
    """
    if hasattr(stack, "adapter_runtime"):
        call.inside.insert(0 if is_first else len(call.inside), around)
        return [_Inside(call, around)]
    return [
        stack.register_forward_pre_hook(_Enter(around), with_kwargs=True, prepend=is_first),
        stack.register_forward_hook(_Leave(around)),
    ]


def argument_names(module: nn.Module) -> tuple[str, ...]:
    """The names of the arguments that a module's call takes, in their order."""
    return tuple(inspect.signature(type(module).forward).parameters)[1:]


class _Enter:
    """`Around.enter` as a hook; an object, so that copies and pickles follow the copied point."""

    def __init__(self, around: Around) -> None:
        self._around = around

    def __call__(
        self, module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> tuple[tuple[Any, ...], dict[str, Any]]:
        return self._around.enter(args, kwargs)


class _Leave:
    """`Around.leave` as a hook."""

    def __init__(self, around: Around) -> None:
        self._around = around

    def __call__(self, module: nn.Module, args: tuple[Any, ...], output: Any) -> Any:
        return self._around.leave(output)
