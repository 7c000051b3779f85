"""Falcon: three generations of fused projections, and feed-forward beside or behind attention by config."""

from dataclasses import replace

from adapter_lib.families.registry import register_family
from adapter_lib.families.spec import FamilySpec, Fused, LayerSpec, Site, Tower

_FIRST_NORM = "ln_attn|input_layernorm"
FALCON_LAYER = LayerSpec(
    attn="self_attention",
    qkv=Fused("self_attention.query_key_value", layout="falcon"),
    o="self_attention.dense",
    up="mlp.dense_h_to_4h",
    down="mlp.dense_4h_to_h",
    mh=Site("self_attention", res=_FIRST_NORM),
    ffn=Site("mlp", res=(_FIRST_NORM, "+self_attention")),
    prefix="cache",
)
_SERIAL_LAYER = replace(FALCON_LAYER, ffn=Site("mlp", res="post_attention_layernorm"))
_TOWER = Tower(
    "h", FALCON_LAYER, role="decoder", embed="word_embeddings", tokens="word_embeddings", norm="ln_f"
)
_WHEN = "parallel_attn"

register_family(
    FamilySpec(
        "falcon",
        ("falcon",),
        (
            replace(_TOWER, when=((_WHEN, True),)),
            replace(_TOWER, layer=_SERIAL_LAYER, when=((_WHEN, False),)),
        ),
    )
)
