"""The blocks that have parameters of their own: they are added to a model by name before they act."""

from typing import ClassVar

from adapter_lib.spec.composition.block import Block, check_adapter_name
from adapter_lib.spec.errors import CompositionError


class LearnedBlock(Block):
    """Every child works on the same input; parameters say what becomes of their results.

    name: under which its parameters were added; by default the children's names joined by commas.
    """

    takes: ClassVar[tuple[str, ...]] = ("name",)
    # The method whose configs describe the parameters.
    config_method: ClassVar[str]

    name: str | None

    def __init__(self, *children: "str | Block", name: str | None = None) -> None:
        if name is not None and not isinstance(name, str):
            raise CompositionError(f"{type(self).__name__}: name must be text, not {name!r}.")
        super().__init__(*children, name=name)

    def key(self) -> str:
        """The name of its parameters."""
        return self.name or ",".join(_last(child) for child in self.children)

    def _count_channels(self) -> int:
        channels = super()._count_channels()
        check_adapter_name(self.key())
        return channels

    def channel(self, index: int) -> "str | Block":
        # The parameters are those of the whole block, whatever its children are called in one channel.
        found = super().channel(index)
        return type(self)(*found.children, name=self.key()) if isinstance(found, Block) else found


class Fuse(LearnedBlock):
    """AdapterFusion: the children's results are combined by attention (Pfeiffer et al. 2021)."""

    kind: ClassVar[str] = "fuse"
    config_method: ClassVar[str] = "fusion"


class Route(LearnedBlock):
    """The children's results are mixed by a learned softmax gate, per token or per example."""

    kind: ClassVar[str] = "route"
    config_method: ClassVar[str] = "route"


def _last(child: "str | Block") -> str:
    """The adapter that speaks last in a child."""
    while isinstance(child, Block):
        if not child.children:
            raise CompositionError("A block without children has no name.")
        child = child.children[-1]
    return child
