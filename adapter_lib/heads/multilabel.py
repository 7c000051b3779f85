"""Any number of classes per row."""

from torch import Tensor
from torch.nn import functional as F
from transformers.modeling_outputs import Seq2SeqSequenceClassifierOutput, SequenceClassifierOutput

from adapter_lib.heads.base import Items, Scores
from adapter_lib.heads.linears import PooledHead
from adapter_lib.heads.losses import shared_out
from adapter_lib.heads.registry import register_head_class
from adapter_lib.spec.heads import MultilabelSpec


class MultilabelHead(PooledHead[MultilabelSpec]):
    """Logits [B, labels] whose sigmoids are probabilities; labels [B, labels], 0 or 1."""

    output_class = SequenceClassifierOutput
    seq2seq_output_class = Seq2SeqSequenceClassifierOutput

    def loss(self, scores: Scores, labels: tuple[Tensor, ...], items: Items) -> Tensor:
        wanted = labels[0].to(scores[0])
        total = F.binary_cross_entropy_with_logits(scores[0], wanted, reduction="sum")
        return shared_out(total, total / scores[0].numel(), items)


register_head_class(MultilabelSpec, MultilabelHead)
