"""The heads of one model, by name; a head that has an adapter's name travels with it."""

from torch import Tensor, nn

from adapter_lib.heads.classification import ClassificationHead
from adapter_lib.spec.composition import Block
from adapter_lib.spec.errors import CompositionError, UnknownNameError, listing
from adapter_lib.spec.manifest import HeadSpec

_HEAD = "head:"


class HeadStore(nn.Module):
    """Holds heads as children whose names no model uses."""

    def __init__(self, hidden_size: int) -> None:
        super().__init__()
        self.hidden_size = hidden_size

    def names(self) -> tuple[str, ...]:
        """The heads there are."""
        return tuple(name.removeprefix(_HEAD) for name, _ in self.named_children())

    def add(self, name: str, spec: HeadSpec, like: Tensor) -> ClassificationHead:
        """Make a head; one of this name is replaced."""
        head = ClassificationHead(spec, self.hidden_size, like)
        self.add_module(_HEAD + name, head.train(self.training))
        return head

    def get(self, name: str) -> ClassificationHead:
        """The head of a name. Raises UnknownNameError listing what exists."""
        found = getattr(self, _HEAD + name, None)
        if not isinstance(found, ClassificationHead):
            raise UnknownNameError(f"There is no head {name!r}; there are: {listing(self.names())}.")
        return found

    def remove(self, name: str) -> None:
        """Drop a head. Raises UnknownNameError."""
        self.get(name)
        delattr(self, _HEAD + name)

    def of_composition(self, block: Block | None) -> tuple[str, ...]:
        """The heads that go with a composition, one per channel: that of the last adapter that has one.

        Raises CompositionError when some channels have a head and others have not.
        """
        if block is None:
            return ()
        known = set(self.names())
        found = [next((name for name in reversed(path) if name in known), None) for path in block.paths()]
        heads = tuple(name for name in found if name is not None)
        if heads and len(heads) < len(found):
            raise CompositionError(
                f"{block!r} mixes adapters with and without a head; add the missing heads, or choose with "
                "set_active_adapters(…, head=…)."
            )
        return heads
