"""BioGPT and XGLM: mBART's decoder layer alone."""

from dataclasses import replace

from adapter_lib.families.bart import BART_PRE_NORM_LAYER
from adapter_lib.families.registry import register_family
from adapter_lib.families.spec import FamilySpec, Tower

_TOWER = Tower(
    "layers",
    BART_PRE_NORM_LAYER,
    role="decoder",
    tokens="embed_tokens",
    norm="layer_norm",
    no_embed="token and position embeddings are added outside of any module.",
)

register_family(FamilySpec("biogpt", ("biogpt",), (_TOWER,)))
# XGLM computes its attention itself.
_XGLM_LAYER = replace(BART_PRE_NORM_LAYER, prefix="cache")
register_family(FamilySpec("xglm", ("xglm",), (replace(_TOWER, layer=_XGLM_LAYER),)))
