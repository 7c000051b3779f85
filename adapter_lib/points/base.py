"""A point: a child of the module it serves, with the adapters' parameters there and the plan to follow."""

from collections.abc import Callable
from typing import Any

from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle

from adapter_lib.engine import Part, Plan, compile_plan
from adapter_lib.spec.composition import Block
from adapter_lib.spec.configs import Place
from adapter_lib.spec.errors import AttachError

# Every module that we add to a model hangs under a child whose name starts with this.
CHILD_PREFIX = "adapter_lib_"
# A part hangs under this and the adapter's name: no model and no nn.Module has an attribute with a colon.
_PART = "adapter:"


class Point(nn.Module):
    """Holds the parts of one place and the plan compiled for them; subclasses say how they hook the model.

    `plan` is None while nothing acts here; hooks look at it first. Hooks are put in place when the first
    adapter is added and stay until the last one is deleted: switching adapters only replaces `plan`, which
    torch.compile guards.
    """

    def __init__(self, place: Place) -> None:
        super().__init__()
        self.place = place
        self.plan: Plan | None = None
        self.handles: list[RemovableHandle] = []

    def parts(self) -> dict[str, Part]:
        """The parts by adapter name."""
        found = {name: part for name, part in self.named_children() if name.startswith(_PART)}
        return {name.removeprefix(_PART): part for name, part in found.items() if isinstance(part, Part)}

    def add(self, name: str, part: Part) -> None:
        """Hold a part under an adapter's name."""
        self.add_module(_PART + name, part.train(self.training))

    def remove(self, name: str) -> None:
        """Drop the part of an adapter, if there is one."""
        if name in self.parts():
            delattr(self, _PART + name)

    def activate(self, block: Block | None) -> None:
        """Follow a composition from the next forward on; None: nothing acts."""
        self.plan = compile_plan(block, self.parts())

    def like(self) -> Tensor:
        """A tensor of the device and type that new parameters should have."""
        raise NotImplementedError

    def uninstall(self) -> None:
        """Take the hooks and the point itself off the model."""
        raise NotImplementedError

    def drop_hooks(self) -> None:
        """Take the hooks off."""
        for handle in self.handles:
            handle.remove()
        self.handles.clear()


def hang(module: nn.Module, child: str, point: nn.Module) -> None:
    """Make a point a child of the module it serves. Raises AttachError if the name is taken."""
    name = CHILD_PREFIX + child
    if hasattr(module, name):
        raise AttachError(
            f"{type(module).__name__} already has an attribute {name!r}; was the model prepared twice?"
        )
    # New modules start in train mode; here they join a model that may be in eval mode.
    module.add_module(name, point.train(module.training))


def unhang(module: nn.Module, child: str) -> None:
    """Undo `hang`."""
    delattr(module, CHILD_PREFIX + child)


def replace_first(output: Any, change: Callable[[Tensor], Tensor]) -> Any:
    """A module's output with its first (or only) tensor changed."""
    if isinstance(output, tuple):
        return (change(output[0]), *output[1:])
    return change(output)


def like_of(module: nn.Module) -> Tensor:
    """The first floating-point parameter of a module. Raises AttachError if it has none."""
    for parameter in module.parameters():
        if parameter.is_floating_point():
            return parameter
    raise AttachError(
        f"{type(module).__name__} has no floating-point parameter to take device and type from."
    )
