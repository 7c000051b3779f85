"""Adapters that only multiply and add, so that the order in which they act shows in the numbers."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from adapter_lib.engine import BlockPart, Groups, Info, LeafState, Part, Present, record
from adapter_lib.spec.configs import FusionConfig, LoRAConfig, Place, Shapes

PLACE = Place("attn.q", 0, 1, 1)


class Bare:
    """A host that has nothing but a device and a type."""

    def like(self) -> Tensor:
        return torch.empty(0)

    def weight(self) -> Tensor:
        raise NotImplementedError

    def bias(self) -> Tensor | None:
        raise NotImplementedError

    def project(self, x: Tensor) -> Tensor:
        raise NotImplementedError


class Affine(Part):
    """y → factor · y + offset."""

    def __init__(self, factor: float, offset: float, *, use_gating: bool = False) -> None:
        super().__init__(LoRAConfig(use_gating=use_gating), PLACE, Bare())
        self.factor, self.offset = factor, offset

    def make(self, shapes: Shapes, like: Tensor) -> None:
        """It needs no parameters."""

    def single(self, state: LeafState) -> LeafState:
        return state.with_y(self.factor * state.y + self.offset)


class GroupedAffine(Affine):
    """The same, but handed all shares of the rows at once."""

    def can_group(self) -> bool:
        return True

    @staticmethod
    def grouped(groups: Groups, state: LeafState) -> LeafState:
        pieces = []
        for rows, group in zip(state.y.chunk(len(groups)), groups, strict=True):
            for part in group:
                rows = part.factor * rows + part.offset
            pieces.append(rows)
        return state.with_y(torch.cat(pieces))


class Digits(BlockPart):
    """What child i added counts 10^i, so that it shows who was there."""

    def make(self, shapes: Shapes, like: Tensor) -> None:
        """It needs no parameters."""

    def combine(self, state: Any, results: Sequence[Any], which: Sequence[int]) -> Any:
        added = [state.added(result) * 10**i for i, result in zip(which, results, strict=True)]
        record(state.info, "fusion", self.block, self.place, torch.stack(added))
        return state.plus(sum(added), results[-1])


def digits(children: int) -> Digits:
    """The block part for so many children, under the name "f"."""
    return Digits(FusionConfig(), PLACE, torch.empty(0), children, "f")


KINDS = {"one by one": Affine, "grouped": GroupedAffine}


def present(kind: type[Affine] = Affine, *, children: int = 2) -> Present:
    """add: y + 1, double: 2 · y, negate: -y; and a learned block "f"."""
    parts: dict[str, Any] = {"add": kind(1, 1), "double": kind(2, 0), "negate": kind(-1, 0)}
    return Present(parts, {("fuse", "f"): digits(children)})


def state_of(rows: Sequence[float] | Tensor, info: Info | None = None) -> LeafState:
    """One number per row, or [rows, tokens, 1]."""
    y = rows if isinstance(rows, Tensor) else torch.tensor(rows, dtype=torch.float32).unsqueeze(1)
    return LeafState(y, y, y, info or Info())
