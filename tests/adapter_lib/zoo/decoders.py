"""Causal decoders of text."""

from typing import Any

import transformers as hf

from tests.adapter_lib.zoo.feeds import tokens
from tests.adapter_lib.zoo.tiny_model import FFN, HEADS, VOCABULARY, WIDTH, TinyModel

LLAMA_LIKE = {
    "hidden_size": WIDTH,
    "num_hidden_layers": 2,
    "num_attention_heads": HEADS,
    "num_key_value_heads": 2,
    "intermediate_size": FFN,
    "max_position_embeddings": 64,
    "vocab_size": VOCABULARY,
    "pad_token_id": 0,
    "bos_token_id": 1,
    "eos_token_id": 2,
}
# Wider heads than hidden size / heads, as in the released models.
WIDE_HEADS = LLAMA_LIKE | {"head_dim": 12}
GPT2_LIKE = {
    "n_embd": WIDTH,
    "n_layer": 2,
    "n_head": HEADS,
    "n_inner": FFN,
    "n_positions": 64,
    "vocab_size": VOCABULARY,
    "pad_token_id": 0,
    "bos_token_id": 1,
    "eos_token_id": 2,
}


def _decoder(
    name: str,
    config: str,
    sizes: dict[str, Any],
    head: str | None = "AutoModelForCausalLM",
    model: str = "AutoModel",
) -> TinyModel:
    return TinyModel(name, "decoder", lambda: getattr(hf, config)(**sizes), tokens, model, head)


MOE = LLAMA_LIKE | {
    "num_experts_per_tok": 2,
    "num_local_experts": 4,
    "num_experts": 4,
    "moe_intermediate_size": 16,
}
NEOX_LIKE = {key: value for key, value in LLAMA_LIKE.items() if key != "num_key_value_heads"}
FALCON = NEOX_LIKE | {"ffn_hidden_size": FFN}
MPT = {
    "d_model": WIDTH,
    "n_layers": 2,
    "n_heads": HEADS,
    "max_seq_len": 64,
    "vocab_size": VOCABULARY,
    "pad_token_id": 0,
}
OPT = NEOX_LIKE | {"ffn_dim": FFN, "word_embed_proj_dim": WIDTH}
GRANITE = {"residual_multiplier": 0.5, "embedding_multiplier": 3.0}

# LLaMA's layer under other names.
_LLAMAS = {
    "llama": "LlamaConfig",
    "mistral": "MistralConfig",
    "qwen2": "Qwen2Config",
    "olmo": "OlmoConfig",
    "smollm3": "SmolLM3Config",
    "arcee": "ArceeConfig",
    "nemotron": "NemotronConfig",
    "cwm": "CwmConfig",
    "cohere": "CohereConfig",
    "stablelm": "StableLmConfig",
    "olmo2": "Olmo2Config",
    "phi": "PhiConfig",
    "phi3": "Phi3Config",
    "starcoder2": "Starcoder2Config",
    "ministral3": "Ministral3Config",
    "exaone4": "Exaone4Config",
}
_WIDE_LLAMAS = {
    "qwen3": "Qwen3Config",
    "gemma": "GemmaConfig",
    "gemma2": "Gemma2Config",
    "gemma3-text": "Gemma3TextConfig",
    "vaultgemma": "VaultGemmaConfig",
    "glm": "GlmConfig",
    "glm4": "Glm4Config",
    "seed-oss": "SeedOssConfig",
    "ernie4_5": "Ernie4_5Config",
    "hunyuan-v1-dense": "HunYuanDenseV1Config",
    "ministral": "MinistralConfig",
    "olmo3": "Olmo3Config",
    "cohere2": "Cohere2Config",
}
_MIXTURES = {
    "mixtral": "MixtralConfig",
    "qwen2-moe": "Qwen2MoeConfig",
    "qwen3-moe": "Qwen3MoeConfig",
    "olmoe": "OlmoeConfig",
    "phimoe": "PhimoeConfig",
    "gpt-oss": "GptOssConfig",
}

DECODERS = (
    _decoder("gpt2", "GPT2Config", GPT2_LIKE),
    _decoder("gptj", "GPTJConfig", GPT2_LIKE | {"rotary_dim": 4}),
    *(_decoder(name, config, LLAMA_LIKE) for name, config in _LLAMAS.items()),
    *(_decoder(name, config, WIDE_HEADS) for name, config in _WIDE_LLAMAS.items()),
    *(_decoder(name, config, MOE | {"head_dim": 8}) for name, config in _MIXTURES.items()),
    _decoder("helium", "HeliumConfig", LLAMA_LIKE | {"head_dim": 8}),
    _decoder("stablelm-parallel", "StableLmConfig", LLAMA_LIKE | {"use_parallel_residual": True}),
    _decoder("granite", "GraniteConfig", LLAMA_LIKE | GRANITE),
    _decoder("granitemoe", "GraniteMoeConfig", MOE | GRANITE),
    _decoder("gpt-neox", "GPTNeoXConfig", NEOX_LIKE),
    _decoder("gpt-neox-serial", "GPTNeoXConfig", NEOX_LIKE | {"use_parallel_residual": False}),
    _decoder("persimmon", "PersimmonConfig", NEOX_LIKE),
    _decoder(
        "gpt-neo",
        "GPTNeoConfig",
        NEOX_LIKE
        | {
            "num_layers": 2,
            "num_heads": HEADS,
            "attention_types": [[["global", "local"], 1]],
            "window_size": 4,
        },
    ),
    _decoder("gpt-bigcode", "GPTBigCodeConfig", GPT2_LIKE),
    _decoder("gpt-bigcode-mha", "GPTBigCodeConfig", GPT2_LIKE | {"multi_query": False}),
    _decoder("bloom", "BloomConfig", NEOX_LIKE | {"n_layer": 2, "n_head": HEADS}),
    _decoder(
        "bloom-post",
        "BloomConfig",
        NEOX_LIKE | {"n_layer": 2, "n_head": HEADS, "apply_residual_connection_post_layernorm": True},
    ),
    _decoder("mpt", "MptConfig", MPT),
    _decoder("falcon", "FalconConfig", FALCON),
    _decoder(
        "falcon-serial",
        "FalconConfig",
        FALCON | {"parallel_attn": False, "multi_query": False, "alibi": True},
    ),
    _decoder("falcon-new", "FalconConfig", FALCON | {"new_decoder_architecture": True, "num_kv_heads": 2}),
    _decoder(
        "falcon-new-one-norm",
        "FalconConfig",
        FALCON | {"new_decoder_architecture": True, "num_kv_heads": 2, "num_ln_in_parallel_attn": 1},
    ),
    _decoder("opt", "OPTConfig", OPT),
    _decoder("opt-post", "OPTConfig", OPT | {"do_layer_norm_before": False, "word_embed_proj_dim": 16}),
    _decoder("biogpt", "BioGptConfig", NEOX_LIKE),
    _decoder(
        "xglm",
        "XGLMConfig",
        {
            "d_model": WIDTH,
            "ffn_dim": FFN,
            "num_layers": 2,
            "attention_heads": HEADS,
            "vocab_size": VOCABULARY,
            "max_position_embeddings": 64,
            "pad_token_id": 1,
            "eos_token_id": 2,
        },
    ),
    _decoder("eurobert", "EuroBertConfig", LLAMA_LIKE, None),
)
