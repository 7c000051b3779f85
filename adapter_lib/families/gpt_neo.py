"""GPT-Neo: GPT-2's layer with separate projections and attention of its own, local in every second layer."""

from adapter_lib.families.gpt2 import GPT2_LAYER
from adapter_lib.families.registry import register_family
from adapter_lib.families.spec import FamilySpec, LayerSpec, Tower

GPT_NEO_LAYER = LayerSpec(
    attn="attn.attention",
    q="attn.attention.q_proj",
    k="attn.attention.k_proj",
    v="attn.attention.v_proj",
    o="attn.attention.out_proj",
    up=GPT2_LAYER.up,
    down=GPT2_LAYER.down,
    mh=GPT2_LAYER.mh,
    ffn=GPT2_LAYER.ffn,
    prefix=None,
    no_prefix="GPT-Neo cuts its causal mask from a table by position, which longer keys would shift.",
)

register_family(
    FamilySpec(
        "gpt_neo",
        ("gpt_neo",),
        (Tower("h", GPT_NEO_LAYER, role="decoder", embed="drop", tokens="wte", norm="ln_f"),),
    )
)
