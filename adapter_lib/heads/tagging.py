"""A class per token."""

from torch import Tensor
from transformers.modeling_outputs import TokenClassifierOutput

from adapter_lib.heads.base import Items, Scores
from adapter_lib.heads.linears import TokenHead
from adapter_lib.heads.losses import cross_entropy
from adapter_lib.heads.registry import register_head_class
from adapter_lib.spec.heads import TaggingSpec


class TaggingHead(TokenHead[TaggingSpec]):
    """Logits [B, S, labels]; labels [B, S], -100 ignored."""

    output_class = TokenClassifierOutput

    def loss(self, scores: Scores, labels: tuple[Tensor, ...], items: Items) -> Tensor:
        return cross_entropy(scores[0], labels[0], items)


register_head_class(TaggingSpec, TaggingHead)
