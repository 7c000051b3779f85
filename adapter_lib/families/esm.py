"""ESM: BERT's layer with the norm in front of each sub-layer."""

from dataclasses import replace

from adapter_lib.families.bert import BERT_LAYER, BERT_TOWER
from adapter_lib.families.registry import register_family
from adapter_lib.families.spec import FamilySpec, Site

ESM_LAYER = replace(
    BERT_LAYER,
    mh=Site("attention.output.dropout", res="attention.LayerNorm"),
    ffn=Site("output.dropout", res="LayerNorm"),
    cross=Site("crossattention.output.dropout", res="crossattention.LayerNorm"),
)

register_family(
    FamilySpec("esm", ("esm",), (replace(BERT_TOWER, layer=ESM_LAYER, norm="encoder.emb_layer_norm_after"),))
)
