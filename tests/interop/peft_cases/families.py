"""One tiny model per family, and what it is fed."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch

from tests.interop.peft_cases.peer import transformers
from tests.interop.recording import BASE_NOISE, Variants, add_noise, mask_of, seed_of, token_ids

VOCAB = 60
ROWS, TOKENS = 3, 7
LENGTHS = (7, 5, 4)
# Large enough for attention scores and activations to matter; 0.02 would make every adapter look linear.
WIDE_START = 0.2

_BERT = {
    "vocab_size": VOCAB,
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 48,
    "max_position_embeddings": 32,
    "initializer_range": WIDE_START,
}
_LLAMA = {**_BERT, "num_key_value_heads": 2, "tie_word_embeddings": False}
_EXPERTS = {**_LLAMA, "num_hidden_layers": 1}
_GPT2 = {
    "vocab_size": VOCAB,
    "n_positions": 32,
    "n_embd": 32,
    "n_layer": 2,
    "n_head": 4,
    "n_inner": 48,
    "initializer_range": WIDE_START,
    "bos_token_id": 0,
    "eos_token_id": 0,
}
_T5 = {
    "vocab_size": VOCAB,
    "d_model": 32,
    "d_kv": 8,
    "d_ff": 48,
    "num_layers": 2,
    "num_heads": 4,
    "decoder_start_token_id": 0,
    "relative_attention_num_buckets": 8,
    "relative_attention_max_distance": 16,
}
_VIT = {
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 48,
    "image_size": 16,
    "patch_size": 8,
    "initializer_range": WIDE_START,
}


@dataclass(frozen=True)
class Family:
    """A model class, its configuration, the peer's task type, and the names that cases target."""

    name: str
    model: str
    config: Callable[[], Any]
    variants: Callable[[], Variants]
    task: str | None
    query_value: tuple[str, ...]
    up_down: tuple[str, ...] = ()

    def build(self) -> Any:
        """The bare model with every parameter noised, in evaluation mode; the same in each call."""
        torch.manual_seed(seed_of(self.name))
        model = getattr(transformers, self.model)._from_config(self.config(), attn_implementation="eager")
        add_noise(dict(model.named_parameters()), BASE_NOISE, self.name)
        return model.eval()


def _text() -> Variants:
    ids = token_ids(ROWS, TOKENS, VOCAB, "input_ids")
    mask = mask_of(LENGTHS, TOKENS)
    return {
        "plain": {"input_ids": ids, "attention_mask": torch.ones_like(ids)},
        "padded": {"input_ids": ids.masked_fill(mask == 0, 0), "attention_mask": mask},
    }


def _sequences() -> Variants:
    target = token_ids(ROWS, TOKENS, VOCAB, "decoder_input_ids")
    plain, padded = _text().values()
    return {
        "plain": {**plain, "decoder_input_ids": target},
        "padded": {**padded, "decoder_input_ids": target[:, :5].clone()},
    }


def _pixels() -> Variants:
    generator = torch.Generator().manual_seed(seed_of("pixel_values"))
    return {"plain": {"pixel_values": torch.randn((ROWS, 3, 16, 16), generator=generator)}}


def _named(name: str, **options: Any) -> Callable[[], Any]:
    return lambda: getattr(transformers, name)(**options)


FAMILIES = (
    Family(
        "bert",
        "BertModel",
        _named("BertConfig", **_BERT),
        _text,
        "FEATURE_EXTRACTION",
        ("query", "value"),
        ("intermediate.dense", "output.dense"),
    ),
    Family(
        "gpt2",
        "GPT2LMHeadModel",
        _named("GPT2Config", **_GPT2),
        _text,
        "CAUSAL_LM",
        ("c_attn",),
        ("c_fc", "mlp.c_proj"),
    ),
    Family(
        "llama",
        "LlamaForCausalLM",
        _named("LlamaConfig", **_LLAMA),
        _text,
        "CAUSAL_LM",
        ("q_proj", "v_proj"),
        ("up_proj", "down_proj"),
    ),
    Family(
        "t5",
        "T5ForConditionalGeneration",
        _named("T5Config", **_T5),
        _sequences,
        "SEQ_2_SEQ_LM",
        ("q", "v"),
        ("wi", "wo"),
    ),
    Family("vit", "ViTModel", _named("ViTConfig", **_VIT), _pixels, None, ("q_proj", "v_proj")),
    Family(
        "mixtral",
        "MixtralForCausalLM",
        _named("MixtralConfig", num_local_experts=3, num_experts_per_tok=2, sliding_window=None, **_EXPERTS),
        _text,
        "CAUSAL_LM",
        ("q_proj", "v_proj"),
    ),
    Family(
        "qwen2-moe",
        "Qwen2MoeForCausalLM",
        _named(
            "Qwen2MoeConfig",
            num_experts=3,
            num_experts_per_tok=2,
            moe_intermediate_size=24,
            shared_expert_intermediate_size=48,
            **_EXPERTS,
        ),
        _text,
        "CAUSAL_LM",
        ("q_proj", "v_proj"),
    ),
)
