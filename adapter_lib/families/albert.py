"""ALBERT: one layer (or a few) used again and again, so one adapter serves all its calls."""

from adapter_lib.families.registry import register_family
from adapter_lib.families.spec import FamilySpec, LayerSpec, Site, Tower

ALBERT_LAYER = LayerSpec(
    attn="attention",
    q="attention.query",
    k="attention.key",
    v="attention.value",
    o="attention.dense",
    up="ffn",
    down="ffn_output",
    mh=Site("attention.output_dropout", res="attention", norm="attention.LayerNorm"),
    ffn=Site("ffn_output", res="ffn", norm="full_layer_layer_norm"),
)

register_family(
    FamilySpec(
        "albert",
        ("albert",),
        (
            Tower(
                "encoder.albert_layer_groups.*.albert_layers",
                ALBERT_LAYER,
                embed="embeddings",
                tokens="embeddings.word_embeddings",
            ),
        ),
    )
)
