"""Swin: ViT's layer over shifted windows, in stages of growing width."""

from dataclasses import replace

from adapter_lib.families.registry import register_family
from adapter_lib.families.spec import FamilySpec, Site, Tower
from adapter_lib.families.vit import VIT_LAYER

SWIN_LAYER = replace(
    VIT_LAYER,
    mh=Site("drop_path", res="layernorm_before"),
    ffn=Site("dropout#1", res="layernorm_after"),
    prefix=None,
    no_prefix="Swin's rows are windows, and its mask is as large as a window.",
)
SWIN_TOWER = Tower("encoder.layers.*.blocks", SWIN_LAYER, role="vision", embed="embeddings", norm="layernorm")

register_family(FamilySpec("swin", ("swin",), (SWIN_TOWER,)))
