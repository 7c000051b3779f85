"""StarCoder 2: LLaMA's layer with GPT-2's feed-forward."""

from dataclasses import replace

from adapter_lib.families.llama import LLAMA_LAYER, LLAMA_TOWER
from adapter_lib.families.registry import register_family
from adapter_lib.families.spec import FamilySpec

STARCODER2_LAYER = replace(LLAMA_LAYER, up="mlp.c_fc", gate=None, down="mlp.c_proj")

register_family(FamilySpec("starcoder2", ("starcoder2",), (replace(LLAMA_TOWER, layer=STARCODER2_LAYER),)))
