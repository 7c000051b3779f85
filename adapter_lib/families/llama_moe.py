"""LLaMA's layer with a mixture of experts for feed-forward; some have plain or shared experts beside it."""

from dataclasses import replace

from adapter_lib.families.llama import LLAMA_LAYER, LLAMA_TOWER
from adapter_lib.families.registry import register_family
from adapter_lib.families.spec import FamilySpec

# The linear maps are there in the layers that are dense by config.
MOE_LAYER = replace(LLAMA_LAYER, experts="mlp.experts")
_SHARED_LAYER = replace(
    MOE_LAYER,
    up="mlp.up_proj|mlp.shared_expert.up_proj",
    gate="mlp.gate_proj|mlp.shared_expert.gate_proj",
    down="mlp.down_proj|mlp.shared_expert.down_proj",
)

for _name in ("mixtral", "qwen3_moe", "olmoe", "phimoe"):
    register_family(FamilySpec(_name, (_name,), (replace(LLAMA_TOWER, layer=MOE_LAYER),)))
register_family(FamilySpec("qwen2_moe", ("qwen2_moe",), (replace(LLAMA_TOWER, layer=_SHARED_LAYER),)))
# GPT-OSS stores its experts input first and interleaves gate and up: they have no role.
register_family(
    FamilySpec("gpt_oss", ("gpt_oss",), (replace(LLAMA_TOWER, layer=replace(MOE_LAYER, experts=None)),))
)
