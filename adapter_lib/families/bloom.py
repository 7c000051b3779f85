"""BLOOM: its sub-layers add the residual themselves, so the sites are their last linear maps."""

from dataclasses import replace

from adapter_lib.families.registry import register_family
from adapter_lib.families.spec import FamilySpec, Fused, LayerSpec, Site, Tower

BLOOM_LAYER = LayerSpec(
    attn="self_attention",
    qkv=Fused("self_attention.query_key_value", layout="per_head"),
    o="self_attention.dense",
    up="mlp.dense_h_to_4h",
    down="mlp.dense_4h_to_h",
    mh=Site("self_attention.dense", res="input_layernorm"),
    ffn=Site("mlp.dense_4h_to_h", res="post_attention_layernorm"),
    prefix="cache",
)
# The residual is what the norm gives instead of what it gets.
_POST_LAYER = replace(
    BLOOM_LAYER,
    mh=Site("self_attention.dense", res="self_attention", norm="post_attention_layernorm"),
    ffn=Site("mlp.dense_4h_to_h", res="mlp"),
)
_TOWER = Tower(
    "h",
    BLOOM_LAYER,
    role="decoder",
    embed="word_embeddings_layernorm",
    tokens="word_embeddings",
    norm="ln_f",
)
_WHEN = "apply_residual_connection_post_layernorm"

register_family(
    FamilySpec(
        "bloom",
        ("bloom",),
        (
            replace(_TOWER, when=((_WHEN, False),)),
            replace(_TOWER, layer=_POST_LAYER, when=((_WHEN, True),)),
        ),
    )
)
