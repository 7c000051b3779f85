"""A point: a child of the module it serves, with the adapters' parameters there and the plan to follow."""

from collections.abc import Callable, Collection
from contextlib import AbstractContextManager
from typing import Any, Protocol

from torch import Tensor, nn

from adapter_lib.engine import BlockPart, Call, Info, Part, Plan, Present, Several, compile_plan
from adapter_lib.points.deltas import Rounding, widened
from adapter_lib.spec.composition import Block
from adapter_lib.spec.configs import Place
from adapter_lib.spec.errors import AttachError
from adapter_lib.spec.roles import SOURCE_LEAVES

# Every module that we add to a model hangs under a child whose name starts with this.
CHILD_PREFIX = "adapter_lib_"
# A part hangs under this and the adapter's name: no model and no nn.Module has an attribute with a colon.
PART_PREFIX = "adapter:"


class Handle(Protocol):
    """Something that was hooked and can be taken off."""

    def remove(self) -> None:
        """Take it off."""
        ...


class Point(nn.Module):
    """Holds the parts of one place and the plan compiled for them; subclasses say how they hook the model.

    `plan` is None while nothing acts here; hooks look at it first. Hooks are put in place when the first
    adapter is added and stay until the last one is deleted: switching adapters only replaces `plan`, which
    torch.compile guards.

    A point is the `Host` of its parts.
    """

    def __init__(self, place: Place, call: Call) -> None:
        super().__init__()
        self.place = place
        self.plan: Plan | None = None
        # The composition that is merged into the weights, if one is.
        self.merged: Block | None = None
        # True where adapters undo what they did elsewhere: the last one of a stack is undone first.
        self.is_reversed = False
        self.handles: list[Handle] = []
        # One object for the whole model: what the current call tells.
        self.call = call

    def install(self) -> None:
        """Hook the model."""
        raise NotImplementedError

    def uninstall(self) -> None:
        """Take the hooks and the point itself off the model."""
        raise NotImplementedError

    def parts(self) -> dict[str, Part | Several]:
        """The parts by adapter name."""
        found = {name: part for name, part in self.named_children() if name.startswith(PART_PREFIX)}
        return {
            name.removeprefix(PART_PREFIX): part
            for name, part in found.items()
            if isinstance(part, Part | Several)
        }

    def blocks(self) -> dict[tuple[str, str], BlockPart]:
        """The parameters of learned blocks, by kind and key."""
        found: dict[tuple[str, str], BlockPart] = {}
        for name, part in self.named_children():
            if isinstance(part, BlockPart):
                kind, _, key = name.partition(":")
                found[kind, key] = part
        return found

    def add(self, name: str, part: Part | Several) -> None:
        """Hold a part under an adapter's name."""
        for member in part.members() if isinstance(part, Several) else [part]:
            member.adapter = name
        self.add_module(PART_PREFIX + name, part.train(self.training))

    def add_block(self, kind: str, key: str, part: BlockPart) -> None:
        """Hold the parameters of a learned block."""
        self.add_module(f"{kind}:{key}", part.train(self.training))

    def remove(self, name: str) -> None:
        """Drop the part of an adapter, if there is one."""
        if PART_PREFIX + name in self._modules:
            delattr(self, PART_PREFIX + name)

    def remove_block(self, kind: str, key: str) -> None:
        """Drop the parameters of a learned block, if they are here."""
        if f"{kind}:{key}" in self._modules:
            delattr(self, f"{kind}:{key}")

    def is_empty(self) -> bool:
        """True if nothing needs the point any more."""
        return not self._modules

    def activate(self, block: Block | None) -> None:
        """Follow a composition from the next forward on; None: nothing acts.

        Raises CompositionError if it cannot act here; the former plan then stays.
        """
        self.plan = self.compiled(block)

    def present(self) -> Present:
        """What there is here to compile a plan from."""
        return Present(self.parts(), self.blocks(), self.is_reversed)

    def compiled(self, block: Block | None) -> Plan | None:
        """The plan of a composition here."""
        return None if block is None else compile_plan(block, self.present())

    def merge(self, block: Block) -> Rounding:
        """Add a composition to the weights that are served here, keeping the originals.

        Raises AttachError if it cannot be: nothing has changed then.
        """
        there = ", ".join(repr(name) for name in block.names() if name in self.parts())
        raise AttachError(f"{there} is no update of weights, so it cannot be merged into them.")

    def reset(self) -> None:
        """Take what is merged out again, bit for bit."""

    def keep_merged(self) -> None:
        """Forget the originals: what is merged stays."""

    def exactly(self, names: Collection[str]) -> AbstractContextManager[None]:
        """Within, these adapters' parameters here, and what parts are shown of the model, are in float64."""
        return widened(part for name, part in self.parts().items() if name in names)

    def info(self) -> Info:
        """What the current call tells of the rows here."""
        return self.call.info(self.place.tower, is_of_source=self.place.role in SOURCE_LEAVES)

    def like(self) -> Tensor:
        """A tensor of the device and type that new parameters should have."""
        raise NotImplementedError

    def weight(self) -> Tensor:
        """The served map's own weight; a place without one refuses."""
        raise AttachError(f"{self.place.role} has no weight.")

    def bias(self) -> Tensor | None:
        """The served map's own bias, if it has one."""
        return None

    def project(self, x: Tensor) -> Tensor:
        """The served map's own weight applied to x; a place without one refuses."""
        raise AttachError(f"{self.place.role} has no weight.")

    def project_with(self, x: Tensor, weight: Tensor) -> Tensor:
        """Another weight in the place of the served map's own; a place without one refuses."""
        raise AttachError(f"{self.place.role} has no weight.")

    def scale(self) -> float:
        """What the served map multiplies its products by."""
        return 1.0

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


def first_input(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Tensor:
    """A module's first argument, whether it was given by position or by name."""
    if args:
        found: Tensor = args[0]
    else:
        found = kwargs["hidden_states"] if "hidden_states" in kwargs else next(iter(kwargs.values()))
    return found


def replace_first_input(
    args: tuple[Any, ...], kwargs: dict[str, Any], value: Tensor
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """The arguments with the one that `first_input` shows replaced."""
    if args:
        return (value, *args[1:]), kwargs
    name = "hidden_states" if "hidden_states" in kwargs else next(iter(kwargs))
    return args, kwargs | {name: value}


def like_of(module: nn.Module) -> Tensor:
    """The first floating-point parameter of a module. Raises AttachError if it has none."""
    for parameter in module.parameters():
        if parameter.is_floating_point():
            return parameter
    raise AttachError(
        f"{type(module).__name__} has no floating-point parameter to take device and type from."
    )
