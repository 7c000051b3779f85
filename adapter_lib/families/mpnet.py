"""MPNet: BERT's layer with other names, and attention with relative positions of its own."""

from adapter_lib.families.registry import register_family
from adapter_lib.families.spec import FamilySpec, LayerSpec, Site, Tower

MPNET_LAYER = LayerSpec(
    attn="attention.attn",
    q="attention.attn.q",
    k="attention.attn.k",
    v="attention.attn.v",
    o="attention.attn.o",
    up="intermediate.dense",
    down="output.dense",
    mh=Site("attention.dropout", res="attention", norm="attention.LayerNorm"),
    ffn=Site("output.dropout", res="intermediate", norm="output.LayerNorm"),
    prefix=None,
    no_prefix="MPNet computes its attention itself, with a bias per pair of positions.",
)

register_family(
    FamilySpec(
        "mpnet",
        ("mpnet",),
        (Tower("encoder.layer", MPNET_LAYER, embed="embeddings", tokens="embeddings.word_embeddings"),),
    )
)
