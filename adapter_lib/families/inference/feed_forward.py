"""Finding a layer's feed-forward block: up, gate and down by width and effect, or a mixture of experts."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from torch import nn

from adapter_lib.families.inference.linears import Effects, is_linear, is_twice, widths
from adapter_lib.families.inference.trace import Call, Trace
from adapter_lib.families.spec import Fused


@dataclass(frozen=True)
class FeedForward:
    """The paths of a feed-forward block. end: the call whose output ends it."""

    end: Call
    first: Call
    up: str | None = None
    gate: str | None = None
    down: str | None = None
    up_gate: Fused | None = None
    experts: str | None = None


def feed_forward(
    layer: Trace, taken: set[nn.Module], width: int, run: Callable[[], object]
) -> FeedForward | None:
    """The widest pair of linear maps from the layer's width and back to it that belongs to no attention."""
    free = [call for call in layer.calls if is_linear(call.module) and not call.number]
    free = [call for call in free if call.module not in taken]
    downs = [call for call in free if widths(call.module)[1] == width]
    for down in sorted(downs, key=lambda call: (-widths(call.module)[0], -call.start)):
        inner = widths(down.module)[0]
        sizes = (width, inner), (width, 2 * inner)
        ups = [call for call in free if call.start < down.start and widths(call.module) in sizes]
        if ups:
            return _beside_experts(_with_gate(ups, down, run), _experts(layer, width))
    return _experts(layer, width)


def _beside_experts(dense: FeedForward, experts: FeedForward | None) -> FeedForward:
    """A dense expert that all tokens share, beside those that are chosen."""
    if experts is None:
        return dense
    first, end = (min(dense.first, experts.first, key=_start), max(dense.end, experts.end, key=_start))
    return replace(dense, first=first, end=end, experts=experts.experts)


def _start(call: Call) -> int:
    return call.start


def _with_gate(ups: list[Call], down: Call, run: Callable[[], object]) -> FeedForward:
    effects, inner = Effects(run, down.module), widths(down.module)[0]
    last = ups[-1]
    if widths(last.module)[1] == 2 * inner:
        second = _is_linear_way(effects, last.module, inner)
        letters = ("gate", "up") if second else ("up", "gate")
        return FeedForward(down, last, down=down.path, up_gate=Fused(last.path, letters=letters))
    if len(ups) == 1 or widths(ups[-2].module)[1] != inner:
        return FeedForward(down, last, up=last.path, down=down.path)
    if ups[-2].path.rpartition(".")[0] != last.path.rpartition(".")[0]:
        return FeedForward(down, last, up=last.path, down=down.path)
    pair = sorted(ups[-2:], key=lambda call: _is_linear_way(effects, call.module, 0))
    return FeedForward(down, ups[-2], gate=pair[0].path, up=pair[1].path, down=down.path)


def _is_linear_way(effects: Effects, module: nn.Module, column: int) -> bool:
    """True if no activation stands between a column and `down`: the way of `up` beside a gate."""
    columns = torch.tensor([column])
    once, twice = (effects.of(module, columns, None, size) for size in (4.0, 8.0))
    return is_twice(twice, once)


def _experts(layer: Trace, width: int) -> FeedForward | None:
    """The last module with tensors [experts, out, in] upwards and downwards."""
    for call in reversed(layer.calls):
        tensors = dict(call.module.named_parameters(recurse=False))
        down, up = tensors.get("down_proj"), tensors.get("gate_up_proj", tensors.get("up_proj"))
        if down is not None and up is not None and down.dim() == up.dim() == 3:
            stored_as_out_in = down.shape[1] == up.shape[2] == width
            return FeedForward(call, call, experts=call.path if stored_as_out_in else None)
    return None
