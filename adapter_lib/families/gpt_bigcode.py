"""GPT-BigCode (SantaCoder, StarCoder): GPT-2's layer, one key and value for all heads or for each."""

from dataclasses import replace

from adapter_lib.families.gpt2 import GPT2_LAYER
from adapter_lib.families.registry import register_family
from adapter_lib.families.spec import FamilySpec, Fused, LayerSpec, Tower

# Crossing layers exist in neither: the model's own code for them does not run.
_MULTI_QUERY_LAYER = GPT2_LAYER.without_cross()
_MULTI_HEAD_LAYER = replace(_MULTI_QUERY_LAYER, qkv=Fused("attn.c_attn", layout="per_head"))


def _tower(layer: LayerSpec, multi_query: bool) -> Tower:
    when = (("multi_query", multi_query),)
    return Tower("h", layer, role="decoder", embed="drop", tokens="wte", norm="ln_f", when=when)


register_family(
    FamilySpec(
        "gpt_bigcode",
        ("gpt_bigcode",),
        (_tower(_MULTI_QUERY_LAYER, True), _tower(_MULTI_HEAD_LAYER, False)),
    )
)
