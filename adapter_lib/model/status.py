"""A table of what is at every place: which adapters, and what each does there now."""

from dataclasses import dataclass

from torch import nn

from adapter_lib.model.runtime import Runtime
from adapter_lib.model.summary import aligned


@dataclass(frozen=True)
class PlaceRow:
    """One adapter, or one learned block, at one place.

    place: `layers.3.ffn`, or "shared" for what all places of an adapter have in common.
    layer: counted through all towers; -1 for places that belong to no layer. role: empty for what is shared.
    name: the adapter's, or the block's with its kind in front (`fuse:a,b`). method: of its config.
    is_active: it acts here in the next call. is_trained: training changes something of it here.
    is_merged: it is in the weights here. parameters: those it has here, frozen ones included.
    """

    place: str
    layer: int
    role: str
    name: str
    method: str
    is_active: bool
    is_trained: bool
    is_merged: bool
    parameters: int


@dataclass(frozen=True)
class AdapterStatus:
    """All places of a model that have adapters, layer by layer; printing it gives a table."""

    rows: tuple[PlaceRow, ...]

    def of(self, name: str) -> "AdapterStatus":
        """The rows of one adapter or block."""
        return AdapterStatus(tuple(row for row in self.rows if row.name == name))

    def in_layer(self, layer: int) -> "AdapterStatus":
        """The rows of one layer."""
        return AdapterStatus(tuple(row for row in self.rows if row.layer == layer))

    def __str__(self) -> str:
        if not self.rows:
            return "No adapters at any place."
        lines: list[tuple[str, ...]] = [
            ("place", "adapter", "method", "parameters", "active", "trained", "merged")
        ]
        last = ""
        for row in self.rows:
            place = "" if row.place == last else row.place
            flags = ("yes" if flag else "-" for flag in (row.is_active, row.is_trained, row.is_merged))
            lines.append((place, row.name, row.method, f"{row.parameters:,}", *flags))
            last = row.place
        return "\n".join(aligned(lines, right=(3,)))


def status_of(runtime: Runtime) -> AdapterStatus:
    """The table of one model, in the order of its places; what adapters share comes first."""
    rows = [row for name in runtime.injection.configs for row in _shared(runtime, name)]
    for (layer, role), point in sorted(runtime.injection.points.points.items()):
        merged = () if point.merged is None else point.merged.names()
        for name, part in point.parts().items():
            trained = {id(p) for p in runtime.injection.trained(name)}
            method = runtime.injection.configs[name].name()
            rows.append(_row(runtime, (layer, role), name, method, part, trained, name in merged))
        for (kind, key), block in point.blocks().items():
            trained = {id(p) for p in block.parameters()}
            method = block.config.name()
            rows.append(_row(runtime, (layer, role), f"{kind}:{key}", method, block, trained, False))
    return AdapterStatus(tuple(rows))


def _row(
    runtime: Runtime,
    key: tuple[int, str],
    name: str,
    method: str,
    part: nn.Module,
    trained: set[int],
    is_merged: bool,
) -> PlaceRow:
    layer, role = key
    return PlaceRow(
        place=f"layers.{layer}.{role}" if layer >= 0 else role,
        layer=layer,
        role=role,
        name=name,
        method=method,
        is_active=layer not in runtime.injection.skipped and name in _acting(runtime),
        is_trained=any(p.requires_grad and id(p) in trained for p in part.parameters()),
        is_merged=is_merged,
        parameters=sum(p.numel() for p in part.parameters()),
    )


def _shared(runtime: Runtime, name: str) -> list[PlaceRow]:
    injection = runtime.injection
    parts = list(injection.shared_parts(name).values())
    if not parts:
        return []
    trained = {id(p) for p in injection.trained(name)}
    parameters = [p for part in parts for p in part.parameters()]
    is_trained = any(p.requires_grad and id(p) in trained for p in parameters)
    count, method = sum(p.numel() for p in parameters), injection.configs[name].name()
    return [PlaceRow("shared", -1, "", name, method, name in _acting(runtime), is_trained, False, count)]


def _acting(runtime: Runtime) -> set[str]:
    """The names of the adapters and blocks in the active composition."""
    block = runtime.injection.block
    if block is None:
        return set()
    learned = {f"{node.kind}:{key()}" for node in block.blocks() if (key := getattr(node, "key", None))}
    return {*block.names(), *learned}
