"""Adapters and the weights of the backbone."""

from adapter_lib.model.activation import Activation
from adapter_lib.spec.errors import AttachError


class Weights(Activation):
    """Merging, and taking out again."""

    def merge_adapter(self, name: str) -> None:
        """Add an adapter to the weights themselves, so that it costs nothing; `reset_adapter` undoes it.

        Raises AttachError if the method is no update of weights, or another adapter is merged.
        """
        self._check_known([name])
        injection = self.adapter_runtime.injection
        if (other := injection.merged()) is not None:
            raise AttachError(f"{other!r} is merged already; reset_adapter() takes it out again.")
        injection.merge(name)
        if injection.block is not None and name in injection.block.names():
            heads = self.adapter_runtime.active_heads
            self.set_active_adapters(None, head=heads if len(heads) == 1 else None)

    def reset_adapter(self) -> None:
        """Take a merged adapter out of the weights, which are then as they were, bit for bit."""
        self.adapter_runtime.injection.reset()
