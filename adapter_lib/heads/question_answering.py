"""Where an answer begins and ends."""

from torch import Tensor
from torch.nn import functional as F
from transformers.modeling_outputs import QuestionAnsweringModelOutput, Seq2SeqQuestionAnsweringModelOutput

from adapter_lib.heads.base import Items, Scores
from adapter_lib.heads.given import Given
from adapter_lib.heads.linears import TokenHead
from adapter_lib.heads.registry import register_head_class
from adapter_lib.spec.heads import QuestionAnsweringSpec


class QuestionAnsweringHead(TokenHead[QuestionAnsweringSpec]):
    """Logits [B, S] for the first and the last token of a span; positions [B] each.

    Positions outside the input are ignored, as transformers does.
    """

    label_names = ("start_positions", "end_positions")
    score_names = ("start_logits", "end_logits")
    output_class = QuestionAnsweringModelOutput
    seq2seq_output_class = Seq2SeqQuestionAnsweringModelOutput

    def scores(self, hidden: Tensor, given: Given) -> Scores:
        start, end = self.mapped(hidden).unbind(dim=-1)
        return start.contiguous(), end.contiguous()

    def loss(self, scores: Scores, labels: tuple[Tensor, ...], items: Items) -> Tensor:
        start, end = (
            _span_loss(logits, wanted, items) for logits, wanted in zip(scores, labels, strict=True)
        )
        return (start + end) / 2


def _span_loss(logits: Tensor, positions: Tensor, items: Items) -> Tensor:
    length = logits.shape[1]
    wanted = positions.reshape(-1).to(logits.device).clamp(0, length)
    if items is None:
        return F.cross_entropy(logits, wanted, ignore_index=length)
    return F.cross_entropy(logits, wanted, ignore_index=length, reduction="sum") / items


register_head_class(QuestionAnsweringSpec, QuestionAnsweringHead)
