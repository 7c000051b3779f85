"""Where a method changes a hidden state on its way: after a layer or the embeddings, or before a module."""

from typing import Any

import torch
from torch import Tensor, nn

from adapter_lib.engine import Call, HiddenState, evaluate
from adapter_lib.points import maps
from adapter_lib.points.base import (
    Point,
    first_input,
    hang,
    like_of,
    replace_first,
    replace_first_input,
    unhang,
)
from adapter_lib.points.deltas import Rounding, check_writable, merged_columns, rounding, wide
from adapter_lib.spec.composition import Block
from adapter_lib.spec.configs import Place
from adapter_lib.spec.errors import AttachError
from adapter_lib.spec.roles import HEAD_ROLE


class OutputPoint(Point):
    """Changes the first output of a module: a layer, or a tower's embeddings."""

    def __init__(self, place: Place, module: nn.Module, call: Call, owner: nn.Module) -> None:
        """owner: lends device and type where the module has no parameters."""
        super().__init__(place, call)
        self._served = (module,)
        self._owner = (owner,)

    def install(self) -> None:
        hang(self._served[0], _child(self.place), self)
        # First of all hooks: transformers records hidden states by hooks of its own, and must see ours.
        self.handles.append(self._served[0].register_forward_hook(self._act, prepend=True))

    def uninstall(self) -> None:
        self.drop_hooks()
        unhang(self._served[0], _child(self.place))

    def like(self) -> Tensor:
        return like_of(self._owner[0])

    def _act(self, module: nn.Module, args: tuple[Any, ...], output: Any) -> Any:
        return output if self.plan is None else replace_first(output, self._change)

    def _change(self, h: Tensor) -> Tensor:
        return h if self.plan is None else evaluate(self.plan, HiddenState(h, self.info())).h


class InputPoint(Point):
    """Changes the first input of a module: a feed-forward block's second map, or the head.

    Parts that multiply the input, y = W (l ⊙ x) + b, can be merged: the columns of W become l ⊙ W.
    What acts in front of the head undoes what the same adapter did to the embeddings, so in reverse order.
    """

    def __init__(self, place: Place, module: nn.Module, call: Call, owner: nn.Module) -> None:
        super().__init__(place, call)
        self.is_reversed = place.role == HEAD_ROLE
        self._served = (module,)
        self._owner = (owner,)
        self._original: Tensor | None = None

    def merge(self, block: Block) -> Rounding:
        """Multiply the columns of the weight behind this place, keeping the original. Raises AttachError."""
        if self.merged is not None:
            raise AttachError(f"{self.merged!r} is merged already; reset_adapter() takes it out again.")
        weight = maps.plain_weight(self._served[0])
        check_writable(block, self._served[0], weight)
        original = weight.detach().clone()
        rows = maps.as_rows(self._served[0], weight)
        with torch.no_grad():
            factor = merged_columns(block, self.parts(), torch.ones_like(wide(rows[0])))
            wanted = wide(rows) * factor
            rows.copy_(wanted)
        self._original, self.merged = original, block
        return rounding(maps.as_rows(self._served[0], original), wanted, rows.detach())

    def reset(self) -> None:
        """Put the original weight back, bit for bit."""
        self.restore(maps.plain_weight(self._served[0]), None)
        self.keep_merged()

    def keep_merged(self) -> None:
        self.merged = self._original = None

    def restore(self, weight: Tensor, bias: Tensor | None) -> None:
        """Write the original numbers into a weight, if an adapter is merged; the bias never changed."""
        if self._original is not None:
            with torch.no_grad():
                weight.copy_(self._original)

    def install(self) -> None:
        hang(self._served[0], _child(self.place), self)
        self.handles.append(self._served[0].register_forward_pre_hook(self._act, with_kwargs=True))

    def uninstall(self) -> None:
        self.drop_hooks()
        unhang(self._served[0], _child(self.place))

    def like(self) -> Tensor:
        return like_of(self._owner[0])

    def _act(self, module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        if self.plan is None:
            return None
        h = evaluate(self.plan, HiddenState(first_input(args, kwargs), self.info())).h
        return replace_first_input(args, kwargs, h)


def _child(place: Place) -> str:
    return place.role.replace(".", "_")
