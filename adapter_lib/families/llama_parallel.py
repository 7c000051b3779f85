"""LLaMA's layer with attention and feed-forward side by side behind one norm: Cohere, StableLM by config."""

from dataclasses import replace

from adapter_lib.families.llama import LLAMA_LAYER, LLAMA_TOWER
from adapter_lib.families.registry import register_family
from adapter_lib.families.spec import FamilySpec, Site

PARALLEL_LAYER = replace(LLAMA_LAYER, ffn=Site("mlp", res=("input_layernorm", "+self_attn")))
_PARALLEL = replace(LLAMA_TOWER, layer=PARALLEL_LAYER)
_STABLELM_LAYER = replace(LLAMA_LAYER, ffn=Site("dropout", res="post_attention_layernorm"))
_STABLELM_PARALLEL = replace(_STABLELM_LAYER, ffn=Site("dropout", res=("input_layernorm", "+self_attn")))
_WHEN = "use_parallel_residual"

for _name in ("cohere", "cohere2"):
    register_family(FamilySpec(_name, (_name,), (_PARALLEL,)))
register_family(
    FamilySpec(
        "stablelm",
        ("stablelm",),
        (
            replace(LLAMA_TOWER, layer=_STABLELM_LAYER, when=((_WHEN, False),)),
            replace(LLAMA_TOWER, layer=_STABLELM_PARALLEL, when=((_WHEN, True),)),
        ),
    )
)
