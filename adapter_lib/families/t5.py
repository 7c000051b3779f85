"""T5: pre-norm encoder-decoder with numbered sub-layers; the gated variants have two linear maps upwards."""

from dataclasses import replace

from adapter_lib.families.registry import register_family
from adapter_lib.families.spec import FamilySpec, LayerSpec, Site, Tower

T5_ENCODER_LAYER = LayerSpec(
    attn="layer.0.SelfAttention",
    q="layer.0.SelfAttention.q",
    k="layer.0.SelfAttention.k",
    v="layer.0.SelfAttention.v",
    o="layer.0.SelfAttention.o",
    # `wi_0` goes through the activation, `wi_1` beside it.
    up="layer.1.DenseReluDense.wi|layer.1.DenseReluDense.wi_1",
    gate="layer.1.DenseReluDense.wi_0",
    down="layer.1.DenseReluDense.wo",
    mh=Site("layer.0.dropout", res="layer.0.layer_norm"),
    ffn=Site("layer.1.dropout", res="layer.1.layer_norm"),
)
T5_DECODER_LAYER = replace(
    T5_ENCODER_LAYER,
    xattn="layer.1.EncDecAttention",
    xq="layer.1.EncDecAttention.q",
    xk="layer.1.EncDecAttention.k",
    xv="layer.1.EncDecAttention.v",
    xo="layer.1.EncDecAttention.o",
    up="layer.2.DenseReluDense.wi|layer.2.DenseReluDense.wi_1",
    gate="layer.2.DenseReluDense.wi_0",
    down="layer.2.DenseReluDense.wo",
    cross=Site("layer.1.dropout", res="layer.1.layer_norm"),
    ffn=Site("layer.2.dropout", res="layer.2.layer_norm"),
)
# The stacks' dropout is called twice, at their start and at their end: the embeddings are told by the table.
T5_TOWERS = (
    Tower(
        "encoder.block",
        T5_ENCODER_LAYER,
        stack="encoder",
        embed="encoder.embed_tokens",
        tokens="encoder.embed_tokens",
        norm="encoder.final_layer_norm",
    ),
    Tower(
        "decoder.block",
        T5_DECODER_LAYER,
        role="decoder",
        stack="decoder",
        embed="decoder.embed_tokens",
        tokens="decoder.embed_tokens",
        norm="decoder.final_layer_norm",
    ),
)

for _name in ("t5", "mt5", "umt5"):
    register_family(FamilySpec(_name, (_name,), T5_TOWERS))
