"""GPT-2: pre-norm decoder; q, k and v are one Conv1D, block by block."""

from adapter_lib.families.registry import register_family
from adapter_lib.families.spec import Dims, FamilySpec, Fused, LayerSpec, Site, Tower

GPT2_LAYER = LayerSpec(
    qkv=Fused("attn.c_attn"),
    o="attn.c_proj",
    up="mlp.c_fc",
    down="mlp.c_proj",
    mh=Site("attn", res="ln_1"),
    ffn=Site("mlp", res="ln_2"),
)

register_family(
    FamilySpec(
        "gpt2",
        ("gpt2",),
        Tower("h", GPT2_LAYER),
        Dims(hidden="n_embd", layers="n_layer", heads="n_head", ffn="n_inner", ffn_factor=4),
    )
)
