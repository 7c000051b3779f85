"""One of several texts."""

from torch import Tensor
from transformers.modeling_outputs import MultipleChoiceModelOutput

from adapter_lib.heads.base import Items, Scores
from adapter_lib.heads.given import Given
from adapter_lib.heads.linears import PooledHead
from adapter_lib.heads.losses import cross_entropy
from adapter_lib.heads.registry import register_head_class
from adapter_lib.spec.heads import MultipleChoiceSpec


class MultipleChoiceHead(PooledHead[MultipleChoiceSpec]):
    """Logits [B, choices] for inputs [B, choices, S]; labels [B]. The model sees [B · choices, S]."""

    output_class = MultipleChoiceModelOutput

    def scores(self, hidden: Tensor, given: Given) -> Scores:
        return (self.mapped(self.pooled(hidden, given)).view(-1, given.choices),)

    def loss(self, scores: Scores, labels: tuple[Tensor, ...], items: Items) -> Tensor:
        return cross_entropy(scores[0], labels[0], items)


register_head_class(MultipleChoiceSpec, MultipleChoiceHead)
