"""MPT: its feed-forward adds the residual itself, so that site is its last linear map."""

from adapter_lib.families.registry import register_family
from adapter_lib.families.spec import FamilySpec, Fused, LayerSpec, Site, Tower

MPT_LAYER = LayerSpec(
    attn="attn",
    qkv=Fused("attn.Wqkv"),
    o="attn.out_proj",
    up="ffn.up_proj",
    down="ffn.down_proj",
    mh=Site("resid_attn_dropout", res="norm_1"),
    ffn=Site("ffn.down_proj", res="norm_2"),
    prefix="mpt",
)

register_family(
    FamilySpec(
        "mpt",
        ("mpt",),
        (Tower("blocks", MPT_LAYER, role="decoder", embed="wte", tokens="wte", norm="norm_f"),),
    )
)
