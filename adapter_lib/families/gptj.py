"""GPT-J: attention and feed-forward side by side behind one norm."""

from adapter_lib.families.registry import register_family
from adapter_lib.families.spec import FamilySpec, LayerSpec, Site, Tower

GPTJ_LAYER = LayerSpec(
    attn="attn",
    q="attn.q_proj",
    k="attn.k_proj",
    v="attn.v_proj",
    o="attn.out_proj",
    up="mlp.fc_in",
    down="mlp.fc_out",
    mh=Site("attn", res="ln_1"),
    ffn=Site("mlp", res=("ln_1", "+attn")),
    prefix="cache",
)

register_family(
    FamilySpec(
        "gptj",
        ("gptj",),
        (Tower("h", GPTJ_LAYER, role="decoder", embed="drop", tokens="wte", norm="ln_f"),),
    )
)
