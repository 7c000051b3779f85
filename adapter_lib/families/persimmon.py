"""Persimmon: GPT-NeoX's projections in LLaMA's order."""

from dataclasses import replace

from adapter_lib.families.llama import LLAMA_LAYER, LLAMA_TOWER
from adapter_lib.families.registry import register_family
from adapter_lib.families.spec import FamilySpec, Fused, Site

PERSIMMON_LAYER = replace(
    LLAMA_LAYER,
    q=None,
    k=None,
    v=None,
    qkv=Fused("self_attn.query_key_value", layout="per_head"),
    o="self_attn.dense",
    up="mlp.dense_h_to_4h",
    gate=None,
    down="mlp.dense_4h_to_h",
    ffn=Site("dropout", res="post_attention_layernorm"),
)

register_family(
    FamilySpec(
        "persimmon", ("persimmon",), (replace(LLAMA_TOWER, layer=PERSIMMON_LAYER, norm="final_layernorm"),)
    )
)
