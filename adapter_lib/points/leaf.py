"""Where a method changes a map with weights: y = W x + b becomes y plus what the adapters add."""

import math
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from adapter_lib.engine import Call, GridState, LeafState, cuts_rows, evaluate
from adapter_lib.points import maps, quantised
from adapter_lib.points.base import Point, hang, unhang
from adapter_lib.points.deltas import (
    Numbers,
    Rounding,
    check_writable,
    merged_numbers,
    rounding,
    wide,
)
from adapter_lib.points.hidden import InputPoint
from adapter_lib.spec.composition import Block
from adapter_lib.spec.configs import Place
from adapter_lib.spec.errors import AttachError, CompositionError
from adapter_lib.spec.roles import MODULE_PREFIX, TOKENS_ROLE


class MapPoint(Point):
    """A point on a module with weights: it shows them to its parts and can merge one of them.

    columns: the output columns that are this place's, or None for all.
    """

    def __init__(self, place: Place, module: nn.Module, call: Call, columns: Tensor | None = None) -> None:
        super().__init__(place, call)
        # In a tuple, so that the served module does not become a child of its own child.
        self.served = (module,)
        # Not saved, but where the map is, now and when the model moves.
        self.columns: Tensor | None
        self.register_buffer("columns", columns, persistent=False)
        if columns is not None:
            self.columns = columns.to(next(module.parameters()).device)
        self._original: tuple[Tensor, Tensor | None] | None = None
        self._is_exact = False

    def like(self) -> Tensor:
        return quantised.like(self.served[0])

    def weight(self) -> Tensor:
        found = self.seen(self._numbers().detach()) if self._original is None else self._original[0]
        return wide(found) if self._is_exact else found

    @contextmanager
    def exactly(self, names: Collection[str]) -> Iterator[None]:
        with super().exactly(names):
            self._is_exact = True
            try:
                yield
            finally:
                self._is_exact = False

    def seen(self, weight: Tensor) -> Tensor:
        """A tensor shaped as the module's weight, shown as `weight()` shows that: this place's [out, in]."""
        return self._mine(self._as_rows(weight))

    def bias(self) -> Tensor | None:
        own = self._own_bias() if self._original is None else None
        found = self._mine(own.detach()) if own is not None else None
        if self._original is not None:
            found = self._original[1]
        return wide(found) if self._is_exact and found is not None else found

    def project(self, x: Tensor) -> Tensor:
        if self._original is not None:
            return self.project_with(x, self._original[0])
        y = maps.project(self.served[0], x)
        return y if self.columns is None else y.index_select(-1, self.columns)

    def project_with(self, x: Tensor, weight: Tensor) -> Tensor:
        return maps.project_with(self.served[0], x, weight)

    def base(self, x: Tensor, output: Tensor) -> Tensor:
        """What the map gives without what is merged; output: what it gave."""
        if self._original is None:
            return output
        y, bias = self.project(x), self._original[1]
        return y if bias is None else y + bias.view(-1, *(1 for _ in self.place.extent))

    def scale(self) -> float:
        return maps.scale(self.served[0])

    def merge(self, block: Block) -> Rounding:
        """Write into the map's own weight and bias what a composition makes of them, keeping the originals.

        It is worked out in float64 and rounded once. Raises AttachError if it cannot be.
        """
        if self.merged is not None:
            raise AttachError(f"{self.merged!r} is merged already; reset_adapter() takes it out again.")
        weight, bias = self._own_weight(), self._own_bias()
        check_writable(block, self.served[0], weight)
        original = self.weight().clone(), None if bias is None else self._mine(bias.detach()).clone()
        start = Numbers(wide(original[0]), None if original[1] is None else wide(original[1]))
        with torch.no_grad():
            with self.exactly(block.names()):
                wanted = merged_numbers(block, self.parts(), start, self.served[0])
            self._put(self._as_rows(weight), wanted.weight.to(weight.dtype))
            if bias is not None and wanted.bias is not None:
                self._put(bias, wanted.bias.to(bias.dtype))
        self._original, self.merged = original, block
        held = self._mine(self._as_rows(weight.detach())), None if bias is None else self._mine(bias.detach())
        figures = [rounding(*each) for each in zip(original, wanted, held, strict=True)]
        return Rounding(*(math.hypot(*each) for each in zip(*figures, strict=True)))

    def reset(self) -> None:
        """Put the original weight and bias back, bit for bit."""
        self.restore(self._own_weight(), self._own_bias())
        self.keep_merged()

    def keep_merged(self) -> None:
        self.merged = self._original = None

    def restore(self, weight: Tensor, bias: Tensor | None) -> None:
        """Write the original numbers into a weight and a bias, if an adapter is merged."""
        if self._original is None:
            return
        with torch.no_grad():
            self._put(self._as_rows(weight), self._original[0])
            if bias is not None and self._original[1] is not None:
                self._put(bias, self._original[1])

    def _own_weight(self) -> Tensor:
        return maps.plain_weight(self.served[0])

    def _own_bias(self) -> Tensor | None:
        return maps.plain_bias(self.served[0])

    def _numbers(self) -> Tensor:
        packed = quantised.dequantised(self.served[0])
        return self._own_weight() if packed is None else packed

    def _as_rows(self, weight: Tensor) -> Tensor:
        return maps.as_rows(self.served[0], weight)

    def _mine(self, rows: Tensor) -> Tensor:
        return rows if self.columns is None else rows[self.columns]

    def _put(self, rows: Tensor, values: Tensor) -> None:
        if self.columns is None:
            rows.copy_(values)
        else:
            rows[self.columns] = values


class LeafPoint(MapPoint):
    """The point of a map that serves one role, or of a whole module that has none.

    tokens_first: the map gets [tokens, rows, width].
    """

    def __init__(self, place: Place, module: nn.Module, call: Call, *, tokens_first: bool = False) -> None:
        super().__init__(place, module, call)
        self._tokens_first = tokens_first
        # A token embedding is a place by its role and by its path, each with a point of its own.
        self._child = TOKENS_ROLE if place.role == TOKENS_ROLE else "leaf"

    def install(self) -> None:
        hang(self.served[0], self._child, self)
        self.handles.append(self.served[0].register_forward_hook(self._act))

    def uninstall(self) -> None:
        self.drop_hooks()
        unhang(self.served[0], self._child)

    def _act(self, module: nn.Module, args: tuple[Any, ...], output: Tensor) -> Tensor:
        if self.plan is None:
            return output
        if self._tokens_first:
            x, y = args[0].transpose(0, 1), output.transpose(0, 1)
            return evaluate(self.plan, LeafState(x, y, self.base(x, y), self.info())).y.transpose(0, 1)
        if self.place.role.startswith(MODULE_PREFIX):
            self._check_rows(output)
        state = GridState if self.place.kind == "conv" else LeafState
        return evaluate(self.plan, state(args[0], output, self.base(args[0], output), self.info())).y

    def _check_rows(self, output: Tensor) -> None:
        """A module without a role may see anything: tokens that were sorted by expert, positions, windows.

        Where the rows of the batch go different ways, they must be its own. Raises CompositionError.
        """
        rows = self.call.rows
        if self.plan is None or rows is None or not cuts_rows(self.plan):
            return
        if output.dim() < 3 or output.shape[0] != rows:
            raise CompositionError(
                f"The adapters of different rows cannot act apart at {self.place.role}: it does not see the "
                f"batch of {rows} rows, but {tuple(output.shape)}. Leave it out of targets."
            )


class FusedPoint(nn.Module):
    """The hook of a fused linear map; its children are the points of its roles."""

    def __init__(
        self, places: Mapping[str, Place], columns: Mapping[str, Tensor], linear: nn.Module, call: Call
    ) -> None:
        """places, columns: by role, in the order of the map's letters."""
        super().__init__()
        self._served = (linear,)
        self._points = tuple(MapPoint(places[role], linear, call, columns[role]) for role in places)
        for point in self._points:
            self.add_module(point.place.role.replace(".", "_"), point)
        joined = torch.cat([columns[role] for role in places])
        in_order = torch.equal(joined, torch.arange(len(joined)))
        self._widths = [len(columns[role]) for role in places] if in_order else None
        self._back: Tensor
        self.register_buffer(
            "_back", torch.argsort(joined).to(next(linear.parameters()).device), persistent=False
        )
        hang(linear, "fused", self)
        self._handle = linear.register_forward_hook(self._act)

    def points(self) -> dict[str, MapPoint]:
        """The points by role."""
        return {point.place.role: point for point in self._points}

    def is_empty(self) -> bool:
        """True if nothing needs the points any more."""
        return all(point.is_empty() for point in self._points)

    def uninstall(self) -> None:
        """Take the hook and the points off the model."""
        self._handle.remove()
        unhang(self._served[0], "fused")

    def _act(self, module: nn.Module, args: tuple[Any, ...], output: Tensor) -> Tensor:
        if all(point.plan is None for point in self._points):
            return output
        pieces = self._cut(output)
        for i, point in enumerate(self._points):
            if point.plan is not None:
                state = LeafState(args[0], pieces[i], point.base(args[0], pieces[i]), point.info())
                pieces[i] = evaluate(point.plan, state).y
        joined = torch.cat(pieces, dim=-1)
        return joined if self._widths else joined.index_select(-1, self._back)

    def _cut(self, output: Tensor) -> list[Tensor]:
        if self._widths:
            return list(torch.split(output, self._widths, dim=-1))
        return [output.index_select(-1, p.columns) for p in self._points if p.columns is not None]


def original_weight(linear: nn.Module) -> Tensor:
    """The weight of a map as it was before any adapter was merged into it."""
    merged = [m for m in linear.modules() if isinstance(m, MapPoint | InputPoint) and m.merged is not None]
    # What was merged last is taken out first.
    merged.sort(key=lambda point: (isinstance(point, MapPoint), point.place.role == TOKENS_ROLE))
    weight = linear.weight
    if not isinstance(weight, Tensor):
        raise AttachError(f"{type(linear).__name__} has no weight.")
    if merged:
        weight = weight.detach().clone()
    for point in merged:
        point.restore(weight, None)
    return weight.detach()
