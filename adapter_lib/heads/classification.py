"""A class per row."""

from torch import Tensor
from transformers.modeling_outputs import Seq2SeqSequenceClassifierOutput, SequenceClassifierOutput

from adapter_lib.heads.base import Items, Scores
from adapter_lib.heads.linears import PooledHead
from adapter_lib.heads.losses import cross_entropy
from adapter_lib.heads.registry import register_head_class
from adapter_lib.spec.heads import ClassificationSpec


class ClassificationHead(PooledHead[ClassificationSpec]):
    """Logits [B, labels]; labels [B], -100 ignored."""

    output_class = SequenceClassifierOutput
    seq2seq_output_class = Seq2SeqSequenceClassifierOutput

    def loss(self, scores: Scores, labels: tuple[Tensor, ...], items: Items) -> Tensor:
        return cross_entropy(scores[0], labels[0], items)


register_head_class(ClassificationSpec, ClassificationHead)
