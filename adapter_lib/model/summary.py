"""A table of a model's adapters."""

from dataclasses import dataclass

from torch import nn

from adapter_lib.model.runtime import Runtime


@dataclass(frozen=True)
class AdapterRow:
    """One adapter: its method, its parameters (and its head's), their share of the backbone's, its state.

    parameters: each counted once, frozen ones and those shared with other adapters included.
    trained: how many of them training changes now.
    shared_with: the adapters with which it has parameters in common.
    """

    name: str
    method: str
    parameters: int
    percent: float
    is_active: bool
    is_trainable: bool
    head: str | None
    trained: int = 0
    shared_with: tuple[str, ...] = ()


@dataclass(frozen=True)
class BlockRow:
    """A learned block: `fuse` or `route`, the name of its parameters, how many, and its state."""

    kind: str
    name: str
    parameters: int
    is_active: bool
    is_trainable: bool


@dataclass(frozen=True)
class AdapterSummary:
    """All adapters and learned blocks of a model; printing it gives a table."""

    rows: tuple[AdapterRow, ...]
    backbone_parameters: int
    blocks: tuple[BlockRow, ...] = ()

    def __str__(self) -> str:
        if not self.rows:
            return f"No adapters; the backbone has {self.backbone_parameters:,} parameters."
        lines: list[tuple[str, ...]] = [
            ("adapter", "method", "parameters", "share", "active", "trained", "head")
        ]
        lines += [_cells(row) for row in self.rows]
        lines += [
            (row.name, row.kind, f"{row.parameters:,}", "", _yes(row.is_active), _yes(row.is_trainable), "-")
            for row in self.blocks
        ]
        return "\n".join(
            [*aligned(lines, right=(2, 3)), f"backbone: {self.backbone_parameters:,} parameters"]
        )


def aligned(lines: list[tuple[str, ...]], right: tuple[int, ...] = ()) -> list[str]:
    """Lines of cells as text in columns; those whose numbers are in `right` end at one edge."""
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return [
        "  ".join(
            cell.rjust(width) if number in right else cell.ljust(width)
            for number, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in lines
    ]


def summarise(runtime: Runtime, backbone_parameters: int) -> AdapterSummary:
    """The table of one model's adapters, in the order they were added."""
    return AdapterSummary(
        tuple(_row(runtime, name, backbone_parameters) for name in runtime.injection.configs),
        backbone_parameters,
        tuple(_block(runtime, kind, key) for kind, key in runtime.injection.blocks),
    )


def _row(runtime: Runtime, name: str, backbone_parameters: int) -> AdapterRow:
    injection = runtime.injection
    parameters = injection.parameters(name)
    has_head = name in runtime.heads.names()
    head = list(runtime.heads.get(name).parameters()) if has_head else []
    count = _size([*parameters, *head])
    trained = [p for p in injection.trained(name) if p.requires_grad]
    return AdapterRow(
        name=name,
        method=injection.configs[name].name(),
        parameters=count,
        percent=100 * count / max(1, backbone_parameters),
        is_active=injection.block is not None and name in injection.block.names(),
        is_trainable=bool(trained),
        head=name if has_head else None,
        trained=_size([*trained, *(p for p in head if p.requires_grad)]),
        shared_with=tuple(
            other
            for other in injection.configs
            if other != name and {*map(id, injection.parameters(other))} & {*map(id, parameters)}
        ),
    )


def _block(runtime: Runtime, kind: str, key: str) -> BlockRow:
    injection = runtime.injection
    parts = injection.block_parts(kind, key).values()
    parameters = [p for part in parts for p in part.parameters()]
    is_active = any(part in parts for part in injection.learned)
    return BlockRow(kind, key, _size(parameters), is_active, any(p.requires_grad for p in parameters))


def _size(parameters: list[nn.Parameter]) -> int:
    return sum(p.numel() for p in {id(p): p for p in parameters}.values())


def _cells(row: AdapterRow) -> tuple[str, ...]:
    shared = f" (shares with {', '.join(row.shared_with)})" if row.shared_with else ""
    return (
        row.name,
        row.method,
        f"{row.parameters:,}",
        f"{row.percent:.3f}%",
        _yes(row.is_active),
        _yes(row.is_trainable),
        (row.head or "-") + shared,
    )


def _yes(flag: bool) -> str:
    return "yes" if flag else "no"
