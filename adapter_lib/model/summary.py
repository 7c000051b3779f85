"""A table of a model's adapters."""

from dataclasses import dataclass

from adapter_lib.model.runtime import Runtime


@dataclass(frozen=True)
class AdapterRow:
    """One adapter: its method, its parameters (and its head's), their share of the backbone's, its state."""

    name: str
    method: str
    parameters: int
    percent: float
    is_active: bool
    is_trainable: bool
    head: str | None


@dataclass(frozen=True)
class AdapterSummary:
    """All adapters of a model; printing it gives a table."""

    rows: tuple[AdapterRow, ...]
    backbone_parameters: int

    def __str__(self) -> str:
        if not self.rows:
            return f"No adapters; the backbone has {self.backbone_parameters:,} parameters."
        width = max(12, *(len(row.name) for row in self.rows))
        lines = [
            f"{'adapter':<{width}}  {'method':<14} {'parameters':>12} {'share':>8}  active  trained  head"
        ]
        lines += [self._line(row, width) for row in self.rows]
        return "\n".join([*lines, f"backbone: {self.backbone_parameters:,} parameters"])

    def _line(self, row: AdapterRow, width: int) -> str:
        active, trained = ("yes" if flag else "no" for flag in (row.is_active, row.is_trainable))
        return (
            f"{row.name:<{width}}  {row.method:<14} {row.parameters:>12,} {row.percent:>7.3f}%  "
            f"{active:<6}  {trained:<7}  {row.head or '-'}"
        )


def summarise(runtime: Runtime, backbone_parameters: int) -> AdapterSummary:
    """The table of one model's adapters, in the order they were added."""
    return AdapterSummary(
        tuple(_row(runtime, name, backbone_parameters) for name in runtime.injection.configs),
        backbone_parameters,
    )


def _row(runtime: Runtime, name: str, backbone_parameters: int) -> AdapterRow:
    injection = runtime.injection
    parameters = injection.parameters(name)
    has_head = name in runtime.heads.names()
    count = sum(p.numel() for p in parameters)
    if has_head:
        count += sum(p.numel() for p in runtime.heads.get(name).parameters())
    return AdapterRow(
        name=name,
        method=injection.configs[name].name(),
        parameters=count,
        percent=100 * count / max(1, backbone_parameters),
        is_active=injection.block is not None and name in injection.block.names(),
        is_trainable=any(p.requires_grad for p in parameters),
        head=name if has_head else None,
    )
