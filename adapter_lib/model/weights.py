"""Adapters and the weights of the backbone."""

import math

from adapter_lib.merging import MergeReport
from adapter_lib.model.activation import Activation
from adapter_lib.model.prepared import Composition
from adapter_lib.spec.composition import parse_composition
from adapter_lib.spec.errors import AttachError


class Weights(Activation):
    """Merging, and taking out again."""

    def merge_adapter(self, composition: Composition) -> MergeReport:
        """Add adapters to the weights themselves, so that they cost nothing; `reset_adapter` undoes it.

        composition: an adapter, a Stack or an Average. What is merged already stays, and this acts on top of
        it, as in a Stack. The report tells how much of the change the weights' own type could not hold. A
        composition that names one of the adapters is switched off.
        Raises UnknownNameError, or AttachError if a method is no update of weights, an adapter is merged
        already, a block depends on the input, or weights are quantised; nothing has changed then.
        """
        if composition is None:
            raise AttachError("Name the adapter or the composition to merge.")
        block = parse_composition(composition)
        self._check_known(block.names())
        injection = self.adapter_runtime.injection
        done = injection.merge(block)
        if injection.block is not None and set(block.names()) & set(injection.block.names()):
            heads = self.adapter_runtime.active_heads
            self.set_active_adapters(None, head=heads if len(heads) == 1 else None)
        name = block.names()[0] if len(block.names()) == 1 else repr(block)
        change, lost = (math.hypot(*each) for each in zip(*done.values(), strict=True))
        return MergeReport(name, len(done), change, lost)

    def reset_adapter(self) -> None:
        """Take everything merged out of the weights, which are then as they were, bit for bit."""
        self.adapter_runtime.injection.reset()
