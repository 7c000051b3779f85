"""BART: post-norm encoder-decoder; its dropouts are functions, so the sites sit in front of them."""

from dataclasses import replace

from adapter_lib.families.registry import register_family
from adapter_lib.families.spec import FamilySpec, LayerSpec, Site, Tower

BART_LAYER = LayerSpec(
    attn="self_attn",
    q="self_attn.q_proj",
    k="self_attn.k_proj",
    v="self_attn.v_proj",
    o="self_attn.out_proj",
    up="fc1",
    down="fc2",
    mh=Site("self_attn", res="self_attn", norm="self_attn_layer_norm"),
    ffn=Site("fc2", res="fc1", norm="final_layer_norm"),
    # The decoder's layers only.
    xattn="encoder_attn",
    xq="encoder_attn.q_proj",
    xk="encoder_attn.k_proj",
    xv="encoder_attn.v_proj",
    xo="encoder_attn.out_proj",
    cross=Site("encoder_attn", res="encoder_attn", norm="encoder_attn_layer_norm"),
)
# mBART's order: the norm in front of each sub-layer.
BART_PRE_NORM_LAYER = replace(
    BART_LAYER,
    mh=Site("self_attn", res="self_attn_layer_norm"),
    ffn=Site("fc2", res="final_layer_norm"),
    cross=Site("encoder_attn", res="encoder_attn_layer_norm"),
)
BART_ENCODER = Tower(
    "encoder.layers",
    BART_LAYER,
    stack="encoder",
    embed="encoder.layernorm_embedding",
    tokens="encoder.embed_tokens",
)
BART_DECODER = Tower(
    "decoder.layers",
    BART_LAYER,
    role="decoder",
    stack="decoder",
    embed="decoder.layernorm_embedding",
    tokens="decoder.embed_tokens",
)
MBART_TOWERS = (
    replace(BART_ENCODER, layer=BART_PRE_NORM_LAYER, norm="encoder.layer_norm"),
    replace(BART_DECODER, layer=BART_PRE_NORM_LAYER, norm="decoder.layer_norm"),
)
_SUM = "token and position embeddings are added outside of any module."
# Those without a norm behind the sum.
MARIAN_TOWERS = tuple(replace(tower, embed=None, no_embed=_SUM) for tower in (BART_ENCODER, BART_DECODER))
PEGASUS_TOWERS = tuple(replace(tower, embed=None, no_embed=_SUM) for tower in MBART_TOWERS)

for _name in ("bart", "plbart"):
    register_family(FamilySpec(_name, (_name,), (BART_ENCODER, BART_DECODER)))
# MVP computes its attention itself.
MVP_TOWERS = tuple(
    replace(tower, layer=replace(BART_LAYER, prefix="cache")) for tower in (BART_ENCODER, BART_DECODER)
)
register_family(FamilySpec("mvp", ("mvp",), MVP_TOWERS))
register_family(FamilySpec("mbart", ("mbart",), MBART_TOWERS))
for _name in ("marian", "blenderbot-small"):
    register_family(FamilySpec(_name, (_name,), MARIAN_TOWERS))
for _name in ("pegasus", "m2m_100", "blenderbot"):
    register_family(FamilySpec(_name, (_name,), PEGASUS_TOWERS))
