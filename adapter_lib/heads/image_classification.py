"""A class per image."""

from torch import Tensor, nn
from transformers.modeling_outputs import ImageClassifierOutput

from adapter_lib.heads.base import Items, Scores
from adapter_lib.heads.given import Given
from adapter_lib.heads.linears import PooledHead
from adapter_lib.heads.losses import cross_entropy
from adapter_lib.heads.registry import register_head_class
from adapter_lib.spec.heads import ImageClassificationSpec


class ImageClassificationHead(PooledHead[ImageClassificationSpec]):
    """Logits [B, labels]; labels [B]."""

    output_class = ImageClassifierOutput

    def __init__(self, spec: ImageClassificationSpec, hidden_size: int, like: Tensor) -> None:
        super().__init__(spec, hidden_size, like)
        eps = spec.norm_eps
        self.norm = (
            None if eps is None else nn.LayerNorm(hidden_size, eps, device=like.device, dtype=like.dtype)
        )

    def pooled(self, hidden: Tensor, given: Given) -> Tensor:
        pooled = super().pooled(hidden, given)
        return pooled if self.norm is None else self.norm(pooled)

    def loss(self, scores: Scores, labels: tuple[Tensor, ...], items: Items) -> Tensor:
        return cross_entropy(scores[0], labels[0], items)


register_head_class(ImageClassificationSpec, ImageClassificationHead)
