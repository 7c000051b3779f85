"""The tensors of one file of AdapterHub, each of which must be used once."""

from collections.abc import Iterable, Mapping

from torch import Tensor

from adapter_lib.formats.adapterhub.legacy import current_key
from adapter_lib.spec.errors import LoadError

Shape = tuple[int, ...]


class Source:
    """Tensors by the peer's keys; `name` is the adapter's name there, which is part of the keys.

    Keys of old releases are read as today's, and those of a file that was saved from a base model get the
    base model's path, `root`, in front.
    """

    def __init__(self, tensors: Mapping[str, Tensor], name: str, root: str = "") -> None:
        self.name = name
        self.set_aside: dict[str, str] = {}
        renamed = {current_key(key): tensor for key, tensor in tensors.items()}
        if len(renamed) < len(tensors):
            raise LoadError("The file has a tensor under an old name and under today's.")
        if root and renamed and not any(key.startswith(f"{root}.") for key in renamed):
            renamed = {f"{root}.{key}": tensor for key, tensor in renamed.items()}
        self._tensors = renamed
        self._used: set[str] = set()

    def take(self, key: str, *, shape: Shape | None = None, dims: int | None = None) -> Tensor:
        """One tensor; it may be taken again, for another part of it.

        Raises LoadError if it is not there, or has another shape or number of dimensions.
        """
        if key not in self._tensors:
            raise LoadError(f"The file has no tensor {key}, which its config asks for.")
        found = self._tensors[key]
        if not found.is_floating_point():
            raise LoadError(f"The tensor {key} is {found.dtype}, not floating point.")
        wanted = found.dim() if dims is None else dims
        if (shape is not None and tuple(found.shape) != shape) or found.dim() != wanted:
            expected = f"{list(shape)}" if shape is not None else f"{dims} dimensions"
            raise LoadError(f"The tensor {key} has the shape {list(found.shape)}, not {expected}.")
        self._used.add(key)
        return found

    def has(self, key: str) -> bool:
        """True if there is such a tensor."""
        return key in self._tensors

    def under(self, stem: str) -> dict[str, Tensor]:
        """Every tensor whose key begins so, by the rest of its key; all are taken."""
        found = [key for key in self._tensors if key.startswith(stem)]
        return {key.removeprefix(stem): self.take(key) for key in found}

    def names(self) -> Iterable[str]:
        """All keys of the file."""
        return self._tensors.keys()

    def leave(self, key: str, reason: str) -> None:
        """Say that a tensor has no place in ours, and why."""
        self.set_aside[key] = reason

    def left(self) -> list[str]:
        """What was neither taken nor set aside."""
        return sorted(set(self._tensors) - self._used - set(self.set_aside))
