"""LLaMA's layer with a norm behind each sub-layer too (Gemma 2), or behind only (OLMo 2)."""

from dataclasses import replace

from adapter_lib.families.llama import FUSED_MLP_LAYER, LLAMA_LAYER, LLAMA_TOWER
from adapter_lib.families.registry import register_family
from adapter_lib.families.spec import FamilySpec, Site

GEMMA2_LAYER = replace(
    LLAMA_LAYER,
    mh=Site("post_attention_layernorm", res="input_layernorm"),
    ffn=Site("post_feedforward_layernorm", res="pre_feedforward_layernorm"),
)
# The residual is what goes into the sub-layer itself.
OLMO2_LAYER = replace(
    LLAMA_LAYER,
    mh=Site("post_attention_layernorm", res="self_attn"),
    ffn=Site("post_feedforward_layernorm", res="mlp"),
)
GLM4_LAYER = replace(
    FUSED_MLP_LAYER,
    mh=Site("post_self_attn_layernorm", res="input_layernorm"),
    ffn=Site("post_mlp_layernorm", res="post_attention_layernorm"),
)

for _name in ("gemma2", "gemma3_text"):
    register_family(FamilySpec(_name, (_name,), (replace(LLAMA_TOWER, layer=GEMMA2_LAYER),)))
for _name in ("olmo2", "olmo3", "exaone4"):
    register_family(FamilySpec(_name, (_name,), (replace(LLAMA_TOWER, layer=OLMO2_LAYER),)))
register_family(FamilySpec("glm4", ("glm4",), (replace(LLAMA_TOWER, layer=GLM4_LAYER),)))
