"""BLIP: CLIP's layer with a fused projection for pictures, BERT's with cross-attention to them for text."""

from dataclasses import replace

from adapter_lib.families.bert import BERT_LAYER, BERT_TOWER
from adapter_lib.families.clip import CLIP_LAYER, SIGLIP_VISION
from adapter_lib.families.registry import register_family
from adapter_lib.families.spec import FamilySpec, Fused, Inner

_WHY = "BLIP computes its attention itself."
BLIP_VISION_LAYER = replace(
    CLIP_LAYER,
    q=None,
    k=None,
    v=None,
    qkv=Fused("self_attn.qkv"),
    o="self_attn.projection",
    prefix=None,
    no_prefix=_WHY,
)
_TEXT = replace(BERT_TOWER, role="text", layer=replace(BERT_LAYER, prefix=None, no_prefix=_WHY))

register_family(FamilySpec("blip_text", ("blip_text_model",), (_TEXT,)))
register_family(
    FamilySpec("blip_vision", ("blip_vision_model",), (replace(SIGLIP_VISION, layer=BLIP_VISION_LAYER),))
)
# Its heads have the text model once or twice, as encoder and as decoder.
register_family(
    FamilySpec(
        "blip",
        ("blip",),
        inner=(
            Inner("text_model|text_encoder"),
            Inner("text_decoder", role="decoder"),
            Inner("vision_model"),
        ),
    )
)
