"""Prefix and prompt tuning, and caches."""

from typing import Any

import torch

from tests.interop.adapters_cases.defects.registry import (
    add,
    apart,
    convolved_deberta,
    defect,
    hidden,
    inputs,
    member,
    model,
)
from tests.interop.adapters_cases.peer import adapters


def _sdpa_effect(name: str) -> float:
    made = model(name, "sdpa", p=member("prefix_a"))
    given = inputs(name, "padded")
    return apart(hidden(made, given, "p"), hidden(made, given))


@defect(
    "prefix_has_no_effect_gpt2", "A prefix on GPT-2 with sdpa and a padded batch: change it makes.", "> 0"
)
def _gpt2_padded() -> float:
    return _sdpa_effect("gpt2")


@defect(
    "prefix_has_no_effect_llama", "A prefix on LLaMA with sdpa and a padded batch: change it makes.", "> 0"
)
def _llama_padded() -> float:
    return _sdpa_effect("llama")


def _eager_and_sdpa(name: str, variant: str) -> float:
    given = inputs(name, variant)
    if variant == "plain":
        del given["attention_mask"]
    return apart(*(hidden(model(name, kind, p=member("prefix_a")), given, "p") for kind in ("eager", "sdpa")))


@defect("prefix_shifts_causality_gpt2", "A prefix on GPT-2 without padding: sdpa against eager.", 0.0)
def _gpt2_plain() -> float:
    return _eager_and_sdpa("gpt2", "plain")


@defect("prefix_shifts_causality_llama", "A prefix on LLaMA without padding: sdpa against eager.", 0.0)
def _llama_plain() -> float:
    return _eager_and_sdpa("llama", "plain")


@defect("distilbert_prefix_mask", "A prefix on DistilBERT, padded batch: sdpa against eager.", 0.0)
def _distilbert() -> float:
    return _eager_and_sdpa("distilbert", "padded")


@defect(
    "t5_prefix_shifts_the_bias",
    "A prefix on T5: the bias of real keys in the encoder's first block against the same without a prefix.",
    0.0,
)
def _t5() -> float:
    made = model("t5", p=member("prefix_a"))
    found: list[torch.Tensor] = []
    attention = made.base_model.encoder.block[0].layer[0].SelfAttention
    # The attention returns its bias second, with the mask (all ones here) added.
    attention.register_forward_hook(lambda _module, _args, output: found.append(output[1]))
    hidden(made, inputs("t5"))
    hidden(made, inputs("t5"), "p")
    plain, shifted = found
    return apart(shifted[..., -7:], plain)


@defect("beit_prefix_crashes", "A prefix on BEiT with its relative position bias.", "runs")
def _beit() -> float:
    return float(hidden(model("beit", p=member("prefix_a")), inputs("beit"), "p").norm())


@defect("prompt_tuning_refused_on_decoders", "Prompt tuning on GPT-2.", "runs")
def _prompt_gpt2() -> float:
    model("gpt2", p=adapters.PromptTuningConfig())
    return 0.0


@defect("prompt_tuning_crashes_on_deberta_v2", "Prompt tuning on DeBERTa-v2 with its convolution.", "runs")
def _prompt_deberta() -> float:
    made = convolved_deberta()
    add(made, "p", adapters.PromptTuningConfig())
    return float(hidden(made, inputs("deberta-v2"), "p").norm())


def _continued(made: Any, ids: torch.Tensor) -> torch.Tensor:
    with torch.no_grad():
        first = made(input_ids=ids[:, :4], use_cache=True)
        return made(input_ids=ids[:, 4:], past_key_values=first.past_key_values, use_cache=True)[
            "last_hidden_state"
        ]


@defect(
    "llama_cache_is_never_filled",
    "LLaMA: tokens 4 to 7 with a cache of the first four against one pass.",
    0.0,
)
def _cache() -> float:
    made, ids = model("llama"), inputs("llama")["input_ids"]
    return apart(_continued(made, ids), hidden(made, {"input_ids": ids})[:, 4:])


@defect("mistral_cache_is_never_filled", "Mistral: the same.", 0.0)
def _cache_mistral() -> float:
    made, ids = model("mistral"), inputs("mistral")["input_ids"]
    return apart(_continued(made, ids), hidden(made, {"input_ids": ids})[:, 4:])
