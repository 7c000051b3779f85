"""OPT: BART's decoder layer alone, pre-norm or (350m) post-norm; it flattens its rows in feed-forward."""

from dataclasses import replace

from adapter_lib.families.bart import BART_LAYER
from adapter_lib.families.registry import register_family
from adapter_lib.families.spec import FamilySpec, Site, Tower

OPT_LAYER = replace(
    BART_LAYER.without_cross(),
    mh=Site("self_attn", res="self_attn_layer_norm"),
    ffn=Site("fc2", res="final_layer_norm", flat=True),
)
_POST_LAYER = replace(
    OPT_LAYER, mh=BART_LAYER.mh, ffn=Site("fc2", res="fc1", norm="final_layer_norm", flat=True)
)
_TOWER = Tower(
    "decoder.layers",
    OPT_LAYER,
    role="decoder",
    # Heads call the decoder, not the model around it.
    stack="decoder",
    tokens="decoder.embed_tokens",
    norm="decoder.final_layer_norm",
    no_embed="token and position embeddings are added outside of any module.",
)
_WHEN = "do_layer_norm_before"

register_family(
    FamilySpec(
        "opt",
        ("opt",),
        (
            replace(_TOWER, when=((_WHEN, True),)),
            replace(_TOWER, layer=_POST_LAYER, norm=None, when=((_WHEN, False),)),
        ),
    )
)
