"""What a part may ask of the place it serves."""

from typing import Protocol

from torch import Tensor


class Host(Protocol):
    """The map or the site that a part serves."""

    def like(self) -> Tensor:
        """A tensor of the device and type that new parameters should have."""
        ...

    def weight(self) -> Tensor:
        """The map's own weight in numbers, detached, without merged adapters: [out, in] (a convolution:
        [out, in, *kernel]; an embedding: [width, vocabulary]; experts: [experts, out, in]; a norm: [d]).

        Raises AttachError where there is none.
        """
        ...

    def bias(self) -> Tensor | None:
        """The map's own bias [out], detached, or None."""
        ...

    def project(self, x: Tensor) -> Tensor:
        """The map's own weight applied to another input, without the bias."""
        ...

    def project_with(self, x: Tensor, weight: Tensor) -> Tensor:
        """Another weight [any, in, *kernel] in the place of the map's own, without a bias.

        A convolution keeps its stride, padding and dilation; an embedding's weight is [any, vocabulary].
        """
        ...

    def scale(self) -> float:
        """What the map multiplies its products by: some embeddings have such a factor, all else has 1."""
        ...
