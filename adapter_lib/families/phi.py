"""Phi: attention and feed-forward side by side; Phi-3: LLaMA's order with fused projections."""

from dataclasses import replace

from adapter_lib.families.llama import FUSED_MLP_LAYER, LLAMA_LAYER, LLAMA_TOWER
from adapter_lib.families.registry import register_family
from adapter_lib.families.spec import FamilySpec, Fused, Site

PHI_LAYER = replace(
    LLAMA_LAYER,
    o="self_attn.dense",
    up="mlp.fc1",
    gate=None,
    down="mlp.fc2",
    ffn=Site("mlp", res=("input_layernorm", "+self_attn")),
)
PHI3_LAYER = replace(
    FUSED_MLP_LAYER,
    q=None,
    k=None,
    v=None,
    qkv=Fused("self_attn.qkv_proj"),
    mh=Site("resid_attn_dropout", res="input_layernorm"),
    ffn=Site("resid_mlp_dropout", res="post_attention_layernorm"),
)

register_family(
    FamilySpec(
        "phi",
        ("phi",),
        (replace(LLAMA_TOWER, layer=PHI_LAYER, embed="embed_dropout", norm="final_layernorm"),),
    )
)
register_family(FamilySpec("phi3", ("phi3",), (replace(LLAMA_TOWER, layer=PHI3_LAYER),)))
