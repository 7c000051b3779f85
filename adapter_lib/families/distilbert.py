"""DistilBERT: post-norm encoder with its own names."""

from adapter_lib.families.registry import register_family
from adapter_lib.families.spec import FamilySpec, LayerSpec, Site, Tower

DISTILBERT_LAYER = LayerSpec(
    attn="attention",
    q="attention.q_lin",
    k="attention.k_lin",
    v="attention.v_lin",
    o="attention.out_lin",
    up="ffn.lin1",
    down="ffn.lin2",
    mh=Site("attention", res="attention", norm="sa_layer_norm"),
    ffn=Site("ffn", res="ffn", norm="output_layer_norm"),
)

register_family(
    FamilySpec(
        "distilbert",
        ("distilbert",),
        (
            Tower(
                "transformer.layer",
                DISTILBERT_LAYER,
                embed="embeddings",
                tokens="embeddings.word_embeddings",
            ),
        ),
    )
)
