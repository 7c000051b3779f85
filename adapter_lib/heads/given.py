"""What a head may need besides the hidden states."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from torch import Tensor


@dataclass(frozen=True)
class Given:
    """One call, as heads see it.

    mask: [B, S], 0 at padding; None: there is none. ids: the tokens [B, S] whose states they are.
    extra: further arguments of the call, by name, with a first dimension B. eos: the end tokens' numbers.
    embeddings: the model's input embeddings [V, d], for heads that are tied to them.
    undo: what an invertible adapter did to the embeddings, undone; it acts in front of output embeddings.
    choices: how many rows one example has.
    """

    mask: Tensor | None = None
    ids: Tensor | None = None
    extra: Mapping[str, Tensor] = field(default_factory=dict)
    eos: int | tuple[int, ...] | None = None
    embeddings: Tensor | None = None
    undo: Callable[[Tensor], Tensor] | None = None
    choices: int = 1

    def rows(self, own: slice | Tensor) -> "Given":
        """The same for some of the rows."""
        return replace(
            self,
            mask=None if self.mask is None else self.mask[own],
            ids=None if self.ids is None else self.ids[own],
            extra={name: value[own] for name, value in self.extra.items()},
        )
