"""GPT-2: pre-norm decoder; q, k and v are one Conv1D, block by block."""

from adapter_lib.families.registry import register_family
from adapter_lib.families.spec import FamilySpec, Fused, LayerSpec, Site, Tower

GPT2_LAYER = LayerSpec(
    attn="attn",
    qkv=Fused("attn.c_attn"),
    o="attn.c_proj",
    up="mlp.c_fc",
    down="mlp.c_proj",
    mh=Site("attn", res="ln_1"),
    ffn=Site("mlp", res="ln_2"),
    # Present where the model is a decoder over an encoder's states.
    xattn="crossattention",
    xq="crossattention.q_attn",
    xqkv=Fused("crossattention.c_attn", letters="kv"),
    xo="crossattention.c_proj",
    cross=Site("crossattention", res="ln_cross_attn"),
)

register_family(
    FamilySpec(
        "gpt2",
        ("gpt2",),
        (Tower("h", GPT2_LAYER, role="decoder", embed="drop", tokens="wte", norm="ln_f"),),
    )
)
