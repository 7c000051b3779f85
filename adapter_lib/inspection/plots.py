"""Drawing what a model's call recorded: who is listened to, place by place."""

import re
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from adapter_lib.inspection.drawing import Drawing, heat_map
from adapter_lib.spec.errors import AttachError, UnknownNameError, listing

Recorded = Mapping[str, Mapping[str, Tensor]]
_LAYER = re.compile(r"layers\.(\d+)\.(.+)")


def plot_fusion(
    attentions: Recorded,
    name: str | None = None,
    *,
    labels: Sequence[str] | None = None,
    mask: Tensor | None = None,
    title: str | None = None,
) -> Drawing:
    """A heat map of an AdapterFusion's attention: a row per place, a column per adapter, means over tokens.

    attentions: `output.adapter_fusion_attentions` of a call with `output_adapter_fusion_attentions=True`.
    name: the fusion's, where there are several. labels: of the columns, by default the adapters' names.
    mask: [B, S], 0 for the tokens that do not count.
    Raises UnknownNameError for a name that was not recorded, AttachError if nothing was or sizes do not fit.
    """
    return _plot(attentions, name, labels, mask, title or "Fusion {}: attention, mean over tokens")


def plot_routes(
    weights: Recorded,
    name: str | None = None,
    *,
    labels: Sequence[str] | None = None,
    mask: Tensor | None = None,
    title: str | None = None,
) -> Drawing:
    """As `plot_fusion`, for the weights of a Route: `output.adapter_route_weights`."""
    return _plot(weights, name, labels, mask, title or "Route {}: weights, mean over tokens")


def plot_gates(gates: Recorded, *, title: str = "Gates, mean over examples") -> Drawing:
    """A heat map of gates: a row per place, a column per adapter.

    gates: `output.adapter_gating_scores` of a call with `output_adapter_gating_scores=True`.
    Raises AttachError if nothing was recorded.
    """
    _check_any(gates)
    rows = _in_order({place for places in gates.values() for place in places})
    names = sorted(gates)
    values = [
        [float(gates[name][place].float().mean()) if place in gates[name] else None for name in names]
        for place in rows
    ]
    return heat_map(title, rows, names, values)


def _plot(
    recorded: Recorded, name: str | None, labels: Sequence[str] | None, mask: Tensor | None, title: str
) -> Drawing:
    _check_any(recorded)
    if name is None and len(recorded) > 1:
        raise UnknownNameError(f"Say which one to draw, with name=…; there are: {listing(recorded)}.")
    name = next(iter(recorded)) if name is None else name
    if name not in recorded:
        raise UnknownNameError(f"Nothing of {name!r} was recorded; there are: {listing(recorded)}.")
    places = recorded[name]
    rows = _in_order(places)
    means = [_mean(places[place], mask) for place in rows]
    return heat_map(title.format(name), rows, _labels(name, labels, len(means[0])), means)


def _check_any(recorded: Recorded) -> None:
    if not any(recorded.values()):
        raise AttachError(
            "Nothing was recorded: call the model with the output_adapter_… argument of what is to be drawn."
        )


def _labels(name: str, given: Sequence[str] | None, count: int) -> list[str]:
    if given is not None and len(given) != count:
        raise AttachError(f"{name} has {count} children, but {len(given)} labels are given.")
    names = name.split(",") if given is None else list(given)
    return names if len(names) == count else [str(number + 1) for number in range(count)]


def _mean(values: Tensor, mask: Tensor | None) -> list[float]:
    """[rows, S or 1, n] → n means over the tokens that count."""
    values = values.float()
    if mask is None or values.dim() < 3 or values.shape[1] != mask.shape[1]:
        return torch.as_tensor(values.flatten(0, -2).mean(0)).tolist()
    copies, rest = divmod(values.shape[0], mask.shape[0])
    if rest:
        raise AttachError(f"The mask has {mask.shape[0]} rows, and {values.shape[0]} were recorded.")
    kept = mask.bool().repeat(copies, 1).to(values.device)
    return torch.as_tensor(values[kept].mean(0)).tolist()


def _in_order(places: Mapping[str, Tensor] | set[str]) -> list[str]:
    """Layer by layer; places outside of the layers come last."""

    def key(place: str) -> tuple[float, str]:
        found = _LAYER.fullmatch(place)
        return (float(found[1]), found[2]) if found else (float("inf"), place)

    return sorted(places, key=key)
