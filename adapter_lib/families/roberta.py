"""RoBERTa and those that share BERT's tower with it; XLM-RoBERTa-XL is pre-norm."""

from dataclasses import replace

from adapter_lib.families.bert import BERT_LAYER, BERT_TOWER
from adapter_lib.families.registry import register_family
from adapter_lib.families.spec import FamilySpec, Site

for _name in ("roberta", "xlm-roberta", "camembert", "data2vec-text"):
    register_family(FamilySpec(_name, (_name,), (BERT_TOWER,)))

_XL_LAYER = replace(
    BERT_LAYER,
    mh=Site("attention.output.dropout", res="attention.self_attn_layer_norm"),
    ffn=Site("output.dense", res="LayerNorm"),
    cross=Site("crossattention.output.dropout", res="crossattention.self_attn_layer_norm"),
)
_XL_TOWER = replace(BERT_TOWER, layer=_XL_LAYER, norm="encoder.LayerNorm")

register_family(FamilySpec("xlm-roberta-xl", ("xlm-roberta-xl",), (_XL_TOWER,)))
