"""DeBERTa: BERT's layer with disentangled attention, which takes no attention function of transformers."""

from dataclasses import replace

from adapter_lib.families.bert import BERT_LAYER
from adapter_lib.families.registry import register_family
from adapter_lib.families.spec import FamilySpec, Fused, LayerSpec, Tower

_V2 = replace(
    BERT_LAYER.without_cross(),
    q="attention.self.query_proj",
    k="attention.self.key_proj",
    v="attention.self.value_proj",
    prefix="deberta",
)
_V1 = replace(_V2, q=None, k=None, v=None, qkv=Fused("attention.self.in_proj", layout="per_head"))


def _tower(layer: LayerSpec) -> Tower:
    return Tower("encoder.layer", layer, embed="embeddings", tokens="embeddings.word_embeddings")


register_family(FamilySpec("deberta", ("deberta",), (_tower(_V1),)))
register_family(FamilySpec("deberta-v2", ("deberta-v2",), (_tower(_V2),)))
