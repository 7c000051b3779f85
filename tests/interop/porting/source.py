"""The tensors of one file of the peer, each of which must be used once."""

from collections.abc import Iterable, Mapping

from torch import Tensor


class PortingError(Exception):
    """A file that does not hold what its config says, or more than that."""


class Source:
    """Tensors by the peer's keys; `name` is the adapter's name there, which is part of the keys."""

    def __init__(self, tensors: Mapping[str, Tensor], name: str) -> None:
        self.name = name
        self.set_aside: dict[str, str] = {}
        self._tensors = dict(tensors)
        self._used: set[str] = set()

    def take(self, key: str) -> Tensor:
        """One tensor; it may be taken again, for another part of it. Raises PortingError."""
        if key not in self._tensors:
            raise PortingError(f"The file has no tensor {key}.")
        self._used.add(key)
        return self._tensors[key]

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
