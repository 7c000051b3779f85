"""LLaMA: pre-norm decoder, gated feed-forward, grouped-query attention."""

from adapter_lib.families.registry import register_family
from adapter_lib.families.spec import Dims, FamilySpec, LayerSpec, Site, Tower

LLAMA_LAYER = LayerSpec(
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

register_family(
    FamilySpec(
        "llama",
        ("llama",),
        Tower("layers", LLAMA_LAYER),
        Dims(
            hidden="hidden_size",
            layers="num_hidden_layers",
            heads="num_attention_heads",
            ffn="intermediate_size",
            kv_heads="num_key_value_heads",
            head_dim="head_dim",
        ),
    )
)
