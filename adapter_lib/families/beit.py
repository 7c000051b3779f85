"""BEiT: ViT's layer with layer scale; the sites are calls of one stochastic depth."""

from dataclasses import replace

from adapter_lib.families.registry import register_family
from adapter_lib.families.spec import FamilySpec, Site
from adapter_lib.families.vit import BERT_NAMED_LAYER, BERT_NAMED_TOWER, VIT_LAYER, VIT_TOWER

BEIT_LAYER = replace(
    VIT_LAYER,
    mh=Site("drop_path#0", res="layernorm_before"),
    ffn=Site("drop_path#1", res="layernorm_after"),
)

register_family(FamilySpec("beit", ("beit",), (replace(VIT_TOWER, layer=BEIT_LAYER),)))

_DATA2VEC_LAYER = replace(
    BERT_NAMED_LAYER,
    mh=BEIT_LAYER.mh,
    ffn=BEIT_LAYER.ffn,
    prefix=None,
    no_prefix="Data2VecVision computes its attention itself, with a bias per pair of patches.",
)
register_family(
    FamilySpec("data2vec-vision", ("data2vec-vision",), (replace(BERT_NAMED_TOWER, layer=_DATA2VEC_LAYER),))
)
