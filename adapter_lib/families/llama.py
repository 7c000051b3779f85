"""LLaMA: pre-norm decoder, gated feed-forward, grouped queries; the layer that most decoders share."""

from dataclasses import replace

from adapter_lib.families.registry import register_family
from adapter_lib.families.spec import FamilySpec, Fused, LayerSpec, Site, Tower

LLAMA_LAYER = LayerSpec(
    attn="self_attn",
    q="self_attn.q_proj",
    k="self_attn.k_proj",
    v="self_attn.v_proj",
    o="self_attn.o_proj",
    up="mlp.up_proj",
    gate="mlp.gate_proj",
    down="mlp.down_proj",
    mh=Site("self_attn", res="input_layernorm"),
    ffn=Site("mlp", res="post_attention_layernorm"),
)
LLAMA_TOWER = Tower(
    "layers", LLAMA_LAYER, role="decoder", embed="embed_tokens", tokens="embed_tokens", norm="norm"
)
# Gate and up in one map.
FUSED_MLP_LAYER = replace(
    LLAMA_LAYER, up=None, gate=None, up_gate=Fused("mlp.gate_up_proj", letters=("gate", "up"))
)

_ALIKE = (
    "llama", "mistral", "qwen2", "qwen3", "gemma", "olmo", "smollm3", "arcee", "nemotron", "helium",
    "ministral", "ministral3", "seed_oss", "ernie4_5", "hunyuan_v1_dense", "cwm",
)  # fmt: skip
for _name in _ALIKE:
    register_family(FamilySpec(_name, (_name,), (LLAMA_TOWER,)))
register_family(FamilySpec("glm", ("glm",), (replace(LLAMA_TOWER, layer=FUSED_MLP_LAYER),)))
# LLaMA's layer looking both ways.
register_family(FamilySpec("eurobert", ("eurobert",), (replace(LLAMA_TOWER, role="encoder"),)))
_VAULTGEMMA_LAYER = replace(LLAMA_LAYER, ffn=Site("mlp", res="pre_feedforward_layernorm"))
register_family(FamilySpec("vaultgemma", ("vaultgemma",), (replace(LLAMA_TOWER, layer=_VAULTGEMMA_LAYER),)))
