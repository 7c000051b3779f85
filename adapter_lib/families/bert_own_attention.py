"""BERT's layer with attention that calls no attention function of transformers."""

from dataclasses import replace

from adapter_lib.families.bert import BERT_LAYER, BERT_TOWER
from adapter_lib.families.registry import register_family
from adapter_lib.families.spec import FamilySpec, LayerSpec, Site

_WHY = {
    "big_bird": "BigBird's attention is blockwise: a key in front of all others has no place in it.",
    "longformer": "Longformer's attention is a sliding window: a key before all others has no place in it.",
    "nystromformer": "Nyströmformer averages its keys into landmarks, which more keys would change.",
    "visual_bert": "VisualBERT computes its attention itself, and asks no cache for its keys.",
}
# They ask a cache for their keys, also where they are no decoders.
_BY_CACHE = ("rembert", "roformer", "tapas")
_SELF_ONLY = ("longformer", "nystromformer", "visual_bert")


def _layer(name: str) -> LayerSpec:
    layer = replace(BERT_LAYER, prefix=None, no_prefix=_WHY[name])
    if name == "longformer":
        layer = replace(layer, tokens_first=("attn.q", "attn.k", "attn.v"))
    return layer.without_cross() if name in _SELF_ONLY else layer


for _name in _WHY:
    register_family(FamilySpec(_name, (_name,), (replace(BERT_TOWER, layer=_layer(_name)),)))
for _name in _BY_CACHE:
    _tower = replace(BERT_TOWER, layer=replace(BERT_LAYER, prefix="cache"))
    register_family(FamilySpec(_name, (_name,), (_tower,)))

_MEGATRON_LAYER = replace(
    BERT_LAYER,
    mh=Site("attention.output.dropout", res="attention.ln"),
    ffn=Site("output.dropout", res="ln"),
    cross=Site("crossattention.output.dropout", res="crossattention.ln"),
    prefix="cache",
)
register_family(
    FamilySpec(
        "megatron-bert", ("megatron-bert",), (replace(BERT_TOWER, layer=_MEGATRON_LAYER, norm="encoder.ln"),)
    )
)
