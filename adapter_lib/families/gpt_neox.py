"""GPT-NeoX (Pythia): q, k and v take turns head by head; side by side or one after the other by config."""

from dataclasses import replace

from adapter_lib.families.registry import register_family
from adapter_lib.families.spec import FamilySpec, Fused, LayerSpec, Site, Tower

GPT_NEOX_LAYER = LayerSpec(
    attn="attention",
    qkv=Fused("attention.query_key_value", layout="per_head"),
    o="attention.dense",
    up="mlp.dense_h_to_4h",
    down="mlp.dense_4h_to_h",
    mh=Site("post_attention_dropout", res="input_layernorm"),
    ffn=Site("post_mlp_dropout", res="post_attention_layernorm"),
)
_PARALLEL_LAYER = replace(
    GPT_NEOX_LAYER, ffn=Site("post_mlp_dropout", res=("input_layernorm", "+post_attention_dropout"))
)
_TOWER = Tower(
    "layers", GPT_NEOX_LAYER, role="decoder", embed="emb_dropout", tokens="embed_in", norm="final_layer_norm"
)
_WHEN = "use_parallel_residual"

register_family(
    FamilySpec(
        "gpt_neox",
        ("gpt_neox",),
        (
            replace(_TOWER, when=((_WHEN, False),)),
            replace(_TOWER, layer=_PARALLEL_LAYER, when=((_WHEN, True),)),
        ),
    )
)
