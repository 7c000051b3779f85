"""Making adapters trainable, and nothing else."""

from collections.abc import Sequence

import torch
from torch import Tensor

from adapter_lib.model.embeddings import Embeddings
from adapter_lib.model.prepared import Composition
from adapter_lib.model.regularisation import terms_of
from adapter_lib.spec.composition import parse_composition
from adapter_lib.spec.errors import AttachError


class Training(Embeddings):
    """What is trained."""

    def train_adapter(
        self,
        composition: Composition,
        *,
        head: str | Sequence[str] | None = "auto",
        train_embeddings: bool = False,
    ) -> None:
        """Activate a composition, make its adapters and their heads trainable and nothing else; train mode.

        Fusions and routes in it stay as they are: `train_adapter_fusion` and `train_route` train them.
        A head of the model's own class is frozen too: it would not travel with the adapter.
        head: as for `set_active_adapters`.
        train_embeddings: train the active embeddings too. Raises AttachError if they are the model's own.
        """
        if composition is None:
            raise AttachError("train_adapter needs the name of an adapter or a composition.")
        embeddings = self._trainable_embeddings() if train_embeddings else []
        self.set_active_adapters(composition, head=head)
        self._freeze()
        for parameter in embeddings:
            parameter.requires_grad_(True)
        self._unfreeze_adapters(parse_composition(composition).names())
        self._unfreeze_heads()
        self.train()

    def adapter_regularisation(self) -> Tensor | None:
        """The sum of what the active adapters and learned blocks want added to the loss, or None.

        AdapterFusion keeps its value matrices near the identity, AdaLoRA its factors orthogonal. In training
        a loss that the model itself computes holds it already; add it to a loss of your own.
        """
        terms = terms_of(self.adapter_runtime.injection)
        return None if not terms else torch.stack(terms).sum()
