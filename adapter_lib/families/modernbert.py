"""ModernBERT: pre-norm encoder with fused projections and gated feed-forward; the first layer has no norm."""

from adapter_lib.families.registry import register_family
from adapter_lib.families.spec import FamilySpec, Fused, LayerSpec, Site, Tower

MODERNBERT_LAYER = LayerSpec(
    attn="attn",
    qkv=Fused("attn.Wqkv"),
    o="attn.Wo",
    up_gate=Fused("mlp.Wi", letters=("gate", "up")),
    down="mlp.Wo",
    mh=Site("attn", res="attn_norm"),
    ffn=Site("mlp", res="mlp_norm"),
)
_TOWER = Tower(
    "layers", MODERNBERT_LAYER, embed="embeddings", tokens="embeddings.tok_embeddings", norm="final_norm"
)

register_family(FamilySpec("modernbert", ("modernbert",), (_TOWER,)))
