"""What one prepared model knows of its adapters and heads."""

from dataclasses import dataclass, field
from itertools import accumulate
from typing import Any

from torch import Tensor, nn

from adapter_lib.heads import HeadStore, row_split, shares_of
from adapter_lib.inject import Injection
from adapter_lib.points import CHILD_PREFIX
from adapter_lib.spec.composition import BatchSplit, MultiTask


@dataclass
class Runtime:
    """The adapters, the heads, and which of them are active.

    takes_labels: the model's own forward has an argument `labels`.
    channels: copies of the batch the active composition works on.
    is_replicated: the caller has copied the batch already.
    is_generating: calls belong to one `generate`, whose tasks are told once.
    """

    injection: Injection
    heads: HeadStore
    takes_labels: bool
    active_heads: tuple[str, ...] = ()
    channels: int = 1
    is_replicated: bool = False
    is_generating: bool = False
    # What `detach` puts back.
    required_grad: dict[str, bool] = field(default_factory=dict)
    ignored_on_save: set[str] = field(default_factory=set)

    def task_names(self) -> list[str]:
        """The names of the active MultiTask's children; empty without one."""
        block = self.injection.block
        for node in block.blocks() if block is not None else ():
            if isinstance(node, MultiTask):
                return [_speaker(child) for child in node.children]
        return []

    def head_rows(self, rows: int, heads: int) -> "list[slice | Tensor]":
        """Which of the rows belong to each of several active heads: a share each, or all of them."""
        if self.injection.block is None or len(shares_of(self.injection.block)) == 1:
            return [slice(None)] * heads
        split = row_split(self.injection.block)
        tasks = self.injection.call.tasks
        if isinstance(split, MultiTask) and tasks is not None:
            return [(tasks == task).nonzero().flatten() for task in range(heads)]
        sizes = split.batch_sizes if isinstance(split, BatchSplit) else (rows // heads,) * heads
        ends = list(accumulate(sizes))
        return [slice(end - size, end) for end, size in zip(ends, sizes, strict=True)]


def own_keys(model: nn.Module) -> set[str]:
    """The state-dict keys that adapters and heads added to a model."""
    # A parameter that adapters share has a key under each of them.
    named = [*model.named_parameters(remove_duplicate=False), *model.named_buffers()]
    return {name for name, _ in named if CHILD_PREFIX in name}


def repeated_keys(model: nn.Module) -> set[str]:
    """The keys under which a parameter that adapters share appears after its first one."""
    first = {name for name, _ in model.named_parameters()}
    every = (name for name, _ in model.named_parameters(remove_duplicate=False))
    return {name for name in every if CHILD_PREFIX in name and name not in first}


def _speaker(child: Any) -> str:
    return child if isinstance(child, str) else child.names()[-1]
