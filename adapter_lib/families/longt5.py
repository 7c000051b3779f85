"""LongT5: T5 whose encoder looks at a window (and, by config, at summaries of the rest)."""

from dataclasses import replace

from adapter_lib.families.registry import register_family
from adapter_lib.families.spec import FamilySpec, LayerSpec, Tower
from adapter_lib.families.t5 import T5_ENCODER_LAYER, T5_TOWERS

_WHY = "LongT5's encoder computes its attention itself, in windows."
_ENCODER, _DECODER = T5_TOWERS


def _layer(attention: str) -> LayerSpec:
    at = f"layer.0.{attention}"
    own = replace(T5_ENCODER_LAYER, attn=at, q=f"{at}.q", k=f"{at}.k", v=f"{at}.v", o=f"{at}.o")
    return replace(own, prefix=None, no_prefix=_WHY)


def _encoder(kind: str, attention: str) -> Tower:
    return replace(_ENCODER, layer=_layer(attention), when=(("encoder_attention_type", kind),))


register_family(
    FamilySpec(
        "longt5",
        ("longt5",),
        (
            _encoder("local", "LocalSelfAttention"),
            _encoder("transient-global", "TransientGlobalSelfAttention"),
            _DECODER,
        ),
    )
)
