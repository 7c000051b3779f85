"""Adding and deleting heads."""

from collections.abc import Sequence

from adapter_lib.heads import head_spec, label_names, shares_of
from adapter_lib.model.activation import Activation
from adapter_lib.points import like_of
from adapter_lib.spec.composition import check_adapter_name
from adapter_lib.spec.errors import AttachError


class HeadMethods(Activation):
    """Heads, which travel with the adapter of their name."""

    def add_classification_head(
        self,
        name: str,
        *,
        num_labels: int | None = None,
        labels: Sequence[str] | None = None,
        pooling: str = "mean",
        layers: int = 1,
        activation: str = "tanh",
        dropout: float = 0.0,
        overwrite: bool = False,
    ) -> None:
        """Add a classification head; one that has an adapter's name is saved, loaded and activated with it.

        labels: the names of the classes, or num_labels for LABEL_0, LABEL_1 …
        pooling: "mean", "cls" (first token) or "last" (last token that is no padding).
        layers: linear layers, with `activation` between them.
        Raises ConfigError for a value out of range, AttachError for a name that exists.
        """
        check_adapter_name(name)
        names = label_names(num_labels, labels)
        spec = head_spec(names, pooling=pooling, layers=layers, activation=activation, dropout=dropout)
        runtime = self.adapter_runtime
        if not runtime.heads.hidden_size:
            raise AttachError(
                f"{type(self).__name__} has no config that tells a hidden size, so it takes no head."
            )
        if name in runtime.heads.names() and not overwrite:
            raise AttachError(f"There is a head {name!r} already; overwrite=True replaces it.")
        runtime.heads.add(name, spec, like_of(self))
        self._note_keys()
        block = runtime.injection.block
        if block is not None and len(shares_of(block)) == 1 and name in block.names():
            runtime.active_heads = runtime.heads.of_composition(block)

    def delete_head(self, name: str) -> None:
        """Remove a head. Raises UnknownNameError."""
        runtime = self.adapter_runtime
        runtime.heads.remove(name)
        if name in runtime.active_heads:
            runtime.active_heads = ()
        self._note_keys()
