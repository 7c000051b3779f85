"""Granite: LLaMA's layer whose sub-layers are multiplied by a constant before they are added."""

from dataclasses import replace

from adapter_lib.families.llama import LLAMA_LAYER, LLAMA_TOWER
from adapter_lib.families.registry import register_family
from adapter_lib.families.spec import FamilySpec, Site

_BY = "residual_multiplier"
GRANITE_LAYER = replace(
    LLAMA_LAYER,
    mh=Site("self_attn", res="input_layernorm", scale=_BY),
    ffn=Site("mlp", res="post_attention_layernorm", scale=_BY),
)
_MOE_LAYER = replace(
    GRANITE_LAYER,
    up=None,
    gate=None,
    down=None,
    experts="block_sparse_moe.experts",
    ffn=Site("block_sparse_moe", res="post_attention_layernorm", scale=_BY),
)
# The token embeddings are multiplied outside of any module.
_TOWER = replace(LLAMA_TOWER, embed=None, no_embed="token embeddings are scaled outside of any module.")

register_family(FamilySpec("granite", ("granite",), (replace(_TOWER, layer=GRANITE_LAYER),)))
register_family(FamilySpec("granitemoe", ("granitemoe",), (replace(_TOWER, layer=_MOE_LAYER),)))
