"""RoBERTa with the norm in front of each sub-layer."""

from dataclasses import replace

from adapter_lib.families.bert import BERT_LAYER, BERT_TOWER
from adapter_lib.families.registry import register_family
from adapter_lib.families.spec import FamilySpec, Site

_LAYER = replace(
    BERT_LAYER,
    mh=Site("attention.output.dropout", res="attention.LayerNorm"),
    ffn=Site("output.dropout", res="intermediate.LayerNorm"),
    cross=Site("crossattention.output.dropout", res="crossattention.LayerNorm"),
)

register_family(
    FamilySpec(
        "roberta-prelayernorm",
        ("roberta-prelayernorm",),
        (replace(BERT_TOWER, layer=_LAYER, norm="LayerNorm"),),
    )
)
