"""Moonshine: LLaMA's layers over sound, with cross-attention in the decoder's."""

from dataclasses import replace

from adapter_lib.families.bart import BART_LAYER
from adapter_lib.families.llama import LLAMA_LAYER
from adapter_lib.families.registry import register_family
from adapter_lib.families.spec import FamilySpec, Fused, Site, Tower

_ENCODER_LAYER = replace(LLAMA_LAYER, up="mlp.fc1", gate=None, down="mlp.fc2")
_DECODER_LAYER = replace(
    LLAMA_LAYER,
    xattn=BART_LAYER.xattn,
    xq=BART_LAYER.xq,
    xk=BART_LAYER.xk,
    xv=BART_LAYER.xv,
    xo="encoder_attn.o_proj",
    cross=Site("encoder_attn", res="post_attention_layernorm"),
    up=None,
    gate=None,
    up_gate=Fused("mlp.fc1", letters=("up", "gate")),
    down="mlp.fc2",
    ffn=Site("mlp", res="final_layernorm"),
)

register_family(
    FamilySpec(
        "moonshine",
        ("moonshine",),
        (
            Tower(
                "encoder.layers",
                _ENCODER_LAYER,
                role="audio",
                stack="encoder",
                norm="encoder.layer_norm",
                no_embed="convolved sound is turned around outside of any module.",
            ),
            Tower(
                "decoder.layers",
                _DECODER_LAYER,
                role="decoder",
                stack="decoder",
                embed="decoder.embed_tokens",
                tokens="decoder.embed_tokens",
                norm="decoder.norm",
            ),
        ),
    )
)
