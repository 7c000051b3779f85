"""Adapters that are active for a while."""

from collections.abc import Iterable, Mapping, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from adapter_lib.spec.composition import Block

if TYPE_CHECKING:  # the facade names this class in its own docs
    from adapter_lib.model.facade import AdapterModel


class AdapterSetup:
    """A composition that is active for the length of a `with` block; then what was active before is again.

    head, skip_layers: as for `set_active_adapters`. None switches all adapters off. Forward and backward of
    one step must both stand inside (or outside): gradient checkpointing runs the forward again during
    backward, and would then meet another composition.
    """

    def __init__(
        self,
        model: "AdapterModel",
        composition: "str | Block | Sequence[Any] | Mapping[str, Any] | None",
        *,
        head: str | Sequence[str] | None = "auto",
        skip_layers: Iterable[int] = (),
    ) -> None:
        self._model = model
        self._composition = composition
        self._head = head
        self._skip_layers = tuple(skip_layers)
        self._before: tuple[Block | None, tuple[str, ...], frozenset[int]] | None = None

    def __enter__(self) -> Self:
        runtime = self._model.adapter_runtime
        self._before = (runtime.injection.block, runtime.active_heads, runtime.injection.skipped)
        self._model.set_active_adapters(self._composition, head=self._head, skip_layers=self._skip_layers)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._before is not None:
            block, heads, skipped = self._before
            self._model.set_active_adapters(block, head=heads or None, skip_layers=skipped)
