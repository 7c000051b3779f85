"""What every group of a prepared model's methods stands on."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from torch import nn

from adapter_lib.model.runtime import Runtime, own_keys
from adapter_lib.points import CHILD_PREFIX
from adapter_lib.spec.composition import Block
from adapter_lib.spec.errors import UnknownNameError, listing

Composition = str | Block | Sequence[Any] | Mapping[str, Any] | None


class Prepared(nn.Module):
    """A model that `adapter_lib.init` prepared."""

    adapter_runtime: Runtime

    def _check_known(self, names: Sequence[str]) -> None:
        known = self.adapter_runtime.injection.configs
        for name in names:
            if name not in known:
                raise UnknownNameError(
                    f"There is no adapter {name!r} on this model; there are: {listing(known)}."
                )

    def _note_keys(self) -> None:
        """`save_pretrained` writes the backbone's own keys only."""
        runtime = self.adapter_runtime
        self._keys_to_ignore_on_save = runtime.ignored_on_save | own_keys(self)

    def _freeze(self) -> None:
        """Nothing is trained; what was before is remembered for `detach`."""
        runtime = self.adapter_runtime
        if not runtime.required_grad:
            runtime.required_grad = {
                n: p.requires_grad for n, p in self.named_parameters() if CHILD_PREFIX not in n
            }
        for parameter in self.parameters():
            # Quantised weights are no floating-point numbers and never trained.
            if parameter.requires_grad:
                parameter.requires_grad_(False)

    def _unfreeze_adapters(self, names: Iterable[str]) -> None:
        for name in names:
            for parameter in self.adapter_runtime.injection.trained(name):
                parameter.requires_grad_(True)

    def _unfreeze_heads(self) -> None:
        runtime = self.adapter_runtime
        for name in runtime.active_heads:
            runtime.heads.get(name).requires_grad_(True)
