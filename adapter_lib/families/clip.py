"""CLIP: two pre-norm encoders, of text and of pictures; many models share them under their own names."""

from dataclasses import replace

from adapter_lib.families.registry import register_family
from adapter_lib.families.spec import FamilySpec, Inner, LayerSpec, Site, Tower

CLIP_LAYER = LayerSpec(
    attn="self_attn",
    q="self_attn.q_proj",
    k="self_attn.k_proj",
    v="self_attn.v_proj",
    o="self_attn.out_proj",
    up="mlp.fc1",
    down="mlp.fc2",
    mh=Site("self_attn", res="layer_norm1"),
    ffn=Site("mlp", res="layer_norm2"),
)
CLIP_TEXT = Tower(
    "encoder.layers",
    CLIP_LAYER,
    role="text",
    embed="embeddings",
    tokens="embeddings.token_embedding",
    norm="final_layer_norm",
)
CLIP_VISION = Tower("encoder.layers", CLIP_LAYER, role="vision", embed="pre_layrnorm")
SIGLIP_VISION = replace(CLIP_VISION, embed="embeddings", norm="post_layernorm")
TEXT_AND_VISION = (Inner("text_model"), Inner("vision_model"))

for _name in ("clip", "metaclip_2", "clipseg", "siglip", "siglip2"):
    _vision = SIGLIP_VISION if _name.startswith("siglip") else CLIP_VISION
    register_family(FamilySpec(f"{_name}_text", (f"{_name}_text_model",), (CLIP_TEXT,)))
    register_family(FamilySpec(f"{_name}_vision", (f"{_name}_vision_model",), (_vision,)))
    register_family(FamilySpec(_name, (_name,), inner=TEXT_AND_VISION))
