"""DINOv2: ViT's layer with a module that scales each sub-layer's output."""

from dataclasses import replace

from adapter_lib.families.registry import register_family
from adapter_lib.families.spec import FamilySpec, Fused, Site, Tower
from adapter_lib.families.vit import VIT_LAYER, VIT_TOWER

DINOV2_LAYER = replace(VIT_LAYER, mh=Site("layer_scale1", res="norm1"), ffn=Site("layer_scale2", res="norm2"))
# The largest models are gated.
_GATED_LAYER = replace(
    DINOV2_LAYER,
    up=None,
    up_gate=Fused("mlp.weights_in", letters=("gate", "up")),
    down="mlp.weights_out",
)
_TOWER = replace(VIT_TOWER, layers="encoder.layer", layer=DINOV2_LAYER)
_WHEN = "use_swiglu_ffn"

for _name in ("dinov2", "dinov2_with_registers"):
    register_family(
        FamilySpec(
            _name,
            (_name,),
            (
                replace(_TOWER, when=((_WHEN, False),)),
                replace(_TOWER, layer=_GATED_LAYER, when=((_WHEN, True),)),
            ),
        )
    )

DINOV3_LAYER = replace(
    DINOV2_LAYER, up="mlp.up_proj", gate="mlp.gate_proj", down="mlp.down_proj"
)
register_family(
    FamilySpec(
        "dinov3_vit",
        ("dinov3_vit",),
        (Tower("model.layer", DINOV3_LAYER, role="vision", embed="embeddings", norm="norm"),),
    )
)
