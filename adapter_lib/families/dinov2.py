"""DINOv2: ViT's layer with a module that scales each sub-layer's output."""

from dataclasses import replace

from adapter_lib.families.registry import register_family
from adapter_lib.families.spec import FamilySpec, Site, Tower
from adapter_lib.families.vit import VIT_LAYER, VIT_TOWER

DINOV2_LAYER = replace(
    VIT_LAYER,
    # The largest models are gated, and named otherwise.
    up="mlp.fc1|mlp.up_proj",
    gate="mlp.gate_proj",
    down="mlp.fc2|mlp.down_proj",
    mh=Site("layer_scale1", res="norm1"),
    ffn=Site("layer_scale2", res="norm2"),
)
_TOWER = replace(VIT_TOWER, layers="encoder.layer", layer=DINOV2_LAYER)

for _name in ("dinov2", "dinov2_with_registers"):
    register_family(FamilySpec(_name, (_name,), (_TOWER,)))
register_family(
    FamilySpec(
        "dinov3_vit",
        ("dinov3_vit",),
        (Tower("model.layer", DINOV2_LAYER, role="vision", embed="embeddings", norm="norm"),),
    )
)
