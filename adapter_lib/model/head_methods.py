"""What can be done with heads besides adding them."""

from collections.abc import Sequence

import torch

from adapter_lib.merging import Weights, checked
from adapter_lib.model.language_model_heads import LanguageModelHeads
from adapter_lib.spec.errors import AttachError


class HeadMethods(LanguageModelHeads):
    """Heads, which travel with the adapter of their name."""

    def delete_head(self, name: str) -> None:
        """Remove a head. Raises UnknownNameError."""
        runtime = self.adapter_runtime
        runtime.heads.remove(name)
        if name in runtime.active_heads:
            runtime.active_heads = ()
        self._note_keys()

    def average_head(
        self,
        name: str,
        heads: Sequence[str],
        weights: Weights | None = None,
        *,
        normalise: bool = True,
        overwrite: bool = False,
    ) -> None:
        """Add a head whose parameters are the weighted mean of several heads' of one description.

        weights: one per head; by default all equal. normalise: divide them by their sum.
        Raises ConfigError for bad weights, UnknownNameError, or AttachError for heads that differ in more
        than their dropout, or a name that exists.
        """
        shares = checked(heads, weights, normalise=normalise)
        found = [self.adapter_runtime.heads.get(one) for one in heads]
        alike = [head.spec.to_dict() | {"dropout": 0} for head in found]
        if any(one != alike[0] for one in alike):
            raise AttachError(f"The heads {', '.join(heads)} are described differently: they have no mean.")
        with torch.no_grad():
            mean = {
                key: sum(share * head.get_parameter(key) for share, head in zip(shares, found, strict=True))
                for key, _ in found[0].named_parameters()
            }
            self._add_head(name, found[0].spec, overwrite=overwrite)
            for key, parameter in self.adapter_runtime.heads.get(name).named_parameters():
                parameter.copy_(torch.as_tensor(mean[key]))

    def get_labels(self, head: str | None = None) -> tuple[str, ...]:
        """The names of a head's outputs, in order; of the active head if none is named.

        Raises UnknownNameError, or AttachError if there is not one active head.
        """
        return tuple(self.adapter_runtime.heads.get(self._named(head)).spec.labels)

    def id2label(self, head: str | None = None) -> dict[int, str]:
        """As `get_labels`, by number: what a config calls id2label."""
        return dict(enumerate(self.get_labels(head)))

    def label2id(self, head: str | None = None) -> dict[str, int]:
        """As `id2label`, the other way round."""
        return {label: number for number, label in enumerate(self.get_labels(head))}

    def _named(self, head: str | None) -> str:
        active = self.adapter_runtime.active_heads
        if head is None and len(active) != 1:
            raise AttachError("There is not one active head: name the head that you mean.")
        return active[0] if head is None else head
