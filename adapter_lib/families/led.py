"""LED: BART whose encoder looks through Longformer's window."""

from dataclasses import replace

from adapter_lib.families.bart import BART_DECODER, BART_ENCODER, BART_LAYER
from adapter_lib.families.registry import register_family
from adapter_lib.families.spec import FamilySpec

_WHY = "LED computes its attention itself, in windows."
_ENCODER_LAYER = replace(
    BART_LAYER.without_cross(),
    q="self_attn.longformer_self_attn.query",
    k="self_attn.longformer_self_attn.key",
    v="self_attn.longformer_self_attn.value",
    o="self_attn.output",
    tokens_first=("attn.q", "attn.k", "attn.v"),
    prefix=None,
    no_prefix=_WHY,
)
_DECODER_LAYER = replace(BART_LAYER, prefix=None, no_prefix=_WHY)

register_family(
    FamilySpec(
        "led",
        ("led",),
        (replace(BART_ENCODER, layer=_ENCODER_LAYER), replace(BART_DECODER, layer=_DECODER_LAYER)),
    )
)
