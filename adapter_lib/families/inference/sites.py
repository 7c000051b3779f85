"""Finding the sites of a layer by the numbers: an output h and an input r whose sum the model feeds on."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

from torch import Tensor, nn

from adapter_lib.families.inference.trace import Call, Trace, same
from adapter_lib.families.spec import Site


@dataclass(frozen=True)
class Stage:
    """A sub-layer: the first and the last of its linear maps."""

    role: str
    first: Call
    end: Call


@dataclass(frozen=True)
class _Sum:
    """h + r, and what takes it in: a module's call, or None for the layer's own output."""

    h: Call
    r: Tensor
    taker: Call | None
    scale: str | None


def find_sites(layer: Trace, stages: list[Stage]) -> dict[str, Site]:
    """The sites of a layer's sub-layers; a role whose sum is nowhere to be seen is missing."""
    found: dict[str, Site] = {}
    for number, stage in enumerate(stages):
        until = stages[number + 1].first.start if number + 1 < len(stages) else layer.whole.end
        total = _sum(layer, stage, until, is_last=number + 1 == len(stages))
        if total is not None:
            found[stage.role] = Site(
                _numbered(layer, total.h),
                _taker_of(layer, total.r, stage),
                _own_norm(layer, total, stages[number + 1 :]),
                scale=total.scale,
                flat=total.h.out is not None and total.h.out.dim() == 2,
            )
    return found if len(found) == len(stages) else found | _parallel(layer, stages)


def holds(layer: Trace, sites: dict[str, Site]) -> bool:
    """True if every site's h + r is in this layer, too, what the model feeds on."""
    takers = [call.given for call in layer.calls] + [layer.whole.out]
    beside = {path for site in sites.values() for path in site.added}
    for site in sites.values():
        total = _times(layer, site.scale, _called(layer, site.out).out)
        for part in (_called(layer, site.caught).given, *(_called(layer, path).out for path in site.added)):
            total = _added(total, part)
        if site.out not in beside and not any(same(total, taker) for taker in takers):
            return False
    return True


def _sum(layer: Trace, stage: Stage, until: int, is_last: bool) -> _Sum | None:
    for h, r, scale in product(_outputs(layer, stage, until), _inputs(layer, stage), _scales(layer)):
        total = _added(_times(layer, scale, h.out), r)
        if is_last and same(total, layer.whole.out):
            return _Sum(h, r, None, scale)
        takers = [call for call in layer.calls if call.start > h.end and same(total, call.given)]
        if takers:
            return _Sum(h, r, takers[0], scale)
    return None


def _scales(layer: Trace) -> list[str | None]:
    """Numbers of the layer that it may multiply its sub-layers' outputs by; None: by nothing."""
    values = vars(layer.whole.module).items()
    return [None, *(name for name, value in values if isinstance(value, float) and value not in (0.0, 1.0))]


def _times(layer: Trace, scale: str | None, h: Tensor | None) -> Tensor | None:
    return h if h is None or scale is None else h * float(getattr(layer.whole.module, scale))


def _outputs(layer: Trace, stage: Stage, until: int) -> Iterator[Call]:
    """What was given out behind a sub-layer's last map and before the next begins, the latest first."""
    width = layer.whole.given
    calls = [call for call in layer.calls[1:] if stage.end.end <= call.end < until and call.out is not None]
    for call in sorted(calls, key=lambda call: -call.end):
        if width is not None and call.out is not None and call.out.numel() == width.numel():
            yield call


def _inputs(layer: Trace, stage: Stage) -> Iterator[Tensor]:
    """What came in before a sub-layer's first map, the latest first: its own residual before others."""
    whole = layer.whole.given
    for call in reversed([call for call in layer.calls if call.start <= stage.first.start]):
        if whole is not None and call.given is not None and call.given.numel() == whole.numel():
            yield call.given


def _own_norm(layer: Trace, total: _Sum, later: list[Stage]) -> str | None:
    """The norm that takes the sum, if the sum goes no other way than through it."""
    taker = total.taker
    if taker is None or not is_norm(taker.module):
        return None
    if not later:
        return taker.path if same(taker.out, layer.whole.out) else None
    outputs = [_times(layer, total.scale, call.out) for call in layer.calls if call.end >= later[0].end.end]
    kept = [call.given for call in layer.calls if call.start > taker.end] + [layer.whole.out]
    sums = [_added(out, taker.given) for out in outputs]
    goes_on = any(same(one, other) for one in sums for other in kept)
    return None if goes_on else taker.path


def _parallel(layer: Trace, stages: list[Stage]) -> dict[str, Site]:
    """Attention and feed-forward side by side: both outputs and the layer's input make the layer's output."""
    if [stage.role for stage in stages] != ["mh", "ffn"] or layer.whole.given is None:
        return {}
    attention, feed = stages
    r, end = layer.whole.given, layer.whole.end
    for mh in _outputs(layer, attention, feed.end.start):
        for ffn in _outputs(layer, feed, end):
            if same(_added(ffn.out, _added(mh.out, r)), layer.whole.out):
                res = _taker_of(layer, r, attention)
                out = _numbered(layer, mh)
                return {"mh": Site(out, res), "ffn": Site(_numbered(layer, ffn), (res, f"+{out}"))}
    return {}


def _taker_of(layer: Trace, r: Tensor, stage: Stage) -> str:
    """The module that r goes into: the norm in front of the sub-layer, else the sub-layer itself."""
    calls = [call for call in layer.calls[1:] if call.start <= stage.first.start and same(r, call.given)]
    norms = [call for call in calls if is_norm(call.module)]
    return (norms or calls)[0].path


def is_norm(module: nn.Module) -> bool:
    """True for layer norms, RMS norms and their like."""
    return "norm" in type(module).__name__.lower() and not any(True for _ in module.children())


def _added(a: Tensor | None, b: Tensor | None) -> Tensor | None:
    return (
        a.reshape(-1) + b.reshape(-1) if a is not None and b is not None and a.numel() == b.numel() else None
    )


def _numbered(layer: Trace, call: Call) -> str:
    return f"{call.path}#{call.number}" if len(layer.of(call.module)) > 1 else call.path


def _called(layer: Trace, path: str) -> Call:
    path, _, number = path.partition("#")
    return [call for call in layer.calls if call.path == path][int(number or 0)]
