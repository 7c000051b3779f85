"""What one prepared model knows of its adapters and heads."""

from dataclasses import dataclass, field

from torch import nn

from adapter_lib.heads import HeadStore
from adapter_lib.inject import Injection
from adapter_lib.points import CHILD_PREFIX


@dataclass
class Runtime:
    """The adapters, the heads, and which of them are active.

    takes_labels: the model's own forward has an argument `labels`.
    channels: copies of the batch the active composition works on.
    is_replicated: the caller has copied the batch already.
    """

    injection: Injection
    heads: HeadStore
    takes_labels: bool
    active_heads: tuple[str, ...] = ()
    channels: int = 1
    is_replicated: bool = False
    # What `detach` puts back.
    required_grad: dict[str, bool] = field(default_factory=dict)
    ignored_on_save: set[str] = field(default_factory=set)


def own_keys(model: nn.Module) -> set[str]:
    """The state-dict keys that adapters and heads added to a model."""
    return {name for name, _ in model.named_parameters() if CHILD_PREFIX in name}
