"""Adapters of ours that `peft` can have: for round trips, and for that peer to load."""

import copy
import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import torch
import transformers

import adapter_lib
from adapter_lib.formats import peft
from adapter_lib.formats.conversion import Exported, Imported, attach_imported, check_imported, exportable
from adapter_lib.formats.writing import write_exported
from adapter_lib.points import like_of
from adapter_lib.spec.configs import (
    BitFitConfig,
    DoRAConfig,
    LoRAConfig,
    MethodConfig,
    TrainableTokensConfig,
    UnionConfig,
)
from adapter_lib.spec.manifest import BackboneRef
from tests.adapter_lib import tiny
from tests.interop.reading import Reference, Tensors, reference

FAMILIES = ("bert", "gpt2", "llama", "t5", "vit", "mixtral")
BACKBONE = BackboneRef("org/base", "abc", "0" * 8, "any", 32, 2)
_EMBEDDING = {"bert": "word_embeddings", "gpt2": "wte", "llama": "embed_tokens", "t5": "embed_tokens"}
# Rotations go by series or inverses: a smaller step keeps them near the identity.
_SMALL = ("oft", "hra")
_TOKENS = (3, 5, 29)
# GPT-2's q, k and v are one matrix to the peer, which then wants one rotation, spectrum or C ⊗ D for all.
_WHOLE = {"gpt2": "targets=[o, up, down]"}
_LENGTH = "encoder_prefix=false, cross_prefix=false, shift_positions=true"

# Methods whose layers in the peer take no Conv1D, of which GPT-2 is made.
NO_CONV1D = (
    "loha", "lokr", "lokr_both", "oft", "oft_blocks", "oft_series", "oft_coft", "boft", "boft_rescale", "hra",
)  # fmt: skip
# What else the peer does not have there, with what the refusal says.
REFUSED: Mapping[tuple[str, str], str] = {
    **{("gpt2", name): "Conv1D" for name in NO_CONV1D},
    ("t5", "prefix"): "one prefix",
    ("t5", "prefix_flat"): "one prefix",
}
# What has no place at all in the family's models.
ABSENT = (("llama", "lora_bitfit"), ("t5", "lora_bitfit"))
# Written in another form, which computes the same.
REWRITTEN = ("pissa", "olora", "p_tuning", "p_tuning_lstm", "prefix", "lora_lora", "boft", "oft_coft")


_PLACE = "targets=[projection, q]"
# Convolutions, and the tensors of experts.
_OTHERS: dict[str, dict[str, str | MethodConfig]] = {
    "vit": {
        "lora_conv": f"lora[r=4, {_PLACE}]",
        "dora_conv": f"dora[r=4, {_PLACE}]",
        "loha_conv": f"loha[r=3, {_PLACE}]",
        "lokr_conv": f"lokr[r=2, {_PLACE}]",
        "norm_tuning": "norm_tuning",
    },
    "mixtral": {
        "experts": "lora[r=2, targets=[q, experts]]",
        "experts_alone": "lora[r=2, alpha=4, targets=[experts]]",
    },
}


def configs(family: str) -> dict[str, str | MethodConfig]:
    """The adapters by name."""
    if family in _OTHERS:
        return _OTHERS[family]
    embedding, whole = _EMBEDDING[family], _WHOLE.get(family, "targets=[q, v, up]")
    tokens = TrainableTokensConfig(token_indices=_TOKENS, tied_head=family == "gpt2")
    patterns: dict[str, Any] = {"rank_pattern": {"v": 2}, "alpha_pattern": {"up": 3, "layers.1.attn.q": 5}}
    found: dict[str, str | MethodConfig] = {
        "lora": "lora[r=4, alpha=8]",
        "lora_all": "lora[r=3, targets=[q, k, v, o, up, down]]",
        "lora_layer": "lora[r=3, leave_out=[0]]",
        "lora_scaled": "lora[r=4, alpha=6, rslora=true]",
        "lora_patterns": LoRAConfig(targets=("q", "v", "up"), r=4, alpha=8, **patterns),
        "lora_embedding": LoRAConfig(targets=(embedding,), r=4),
        "pissa": "lora[r=4, init_weights=pissa]",
        "olora": "lora[r=4, init_weights=olora]",
        "dora": "dora[r=4, targets=[q, v, up]]",
        "dora_embedding": DoRAConfig(targets=(embedding,), r=4),
        "adalora": "adalora[init_r=4, target_r=2]",
        "loha": "loha[r=3]",
        "lokr": f"lokr[r=2, {whole}]",
        "lokr_both": f"lokr[r=2, decompose_both=true, factor=4, {whole}]",
        "hira": "hira[r=3]",
        "vera": "vera[r=8]",
        "fourierft": f"fourierft[n_frequency=20, {whole}]",
        "oft": f"oft[block_size=8, {whole}]",
        "oft_blocks": f"oft[blocks=4, {whole}]",
        "oft_series": f"oft[block_size=8, neumann_terms=4, {whole}]",
        "oft_coft": f"oft[block_size=8, coft=true, eps=0.1, block_share=true, {whole}]",
        "boft": f"boft[{whole}]",
        "boft_rescale": f"boft[rescale=true, {whole}]",
        "hra": f"hra[r=4, {whole}]",
        "ia3": "ia3",
        "ia3_all": "ia3[targets=[q, k, v, o, up]]",
        "norm_tuning": "norm_tuning",
        "trainable_tokens": tokens,
        "prompt_tuning": "prompt_tuning[prompt_length=4]",
        "p_tuning": "p_tuning[prompt_length=3, hidden_size=8]",
        "p_tuning_lstm": "p_tuning[prompt_length=3, hidden_size=8, encoder=lstm]",
        "prefix": f"prefix_tuning[prefix_length=3, bottleneck_size=8, {_LENGTH}]",
        "prefix_flat": f"prefix_tuning_flat[prefix_length=3, {_LENGTH}]",
        "lora_bitfit": UnionConfig(configs=(LoRAConfig(r=3), BitFitConfig())),
        "lora_bias": UnionConfig(
            configs=(LoRAConfig(r=3), BitFitConfig(biases=("q", "v"), add_missing=True))
        ),
        "lora_tokens": UnionConfig(configs=(LoRAConfig(r=3), tokens)),
        "lora_lora": UnionConfig(
            configs=(LoRAConfig(r=3, alpha=6), LoRAConfig(r=2, alpha=5, targets=("v", "o")))
        ),
    }
    return {name: config for name, config in found.items() if (family, name) not in ABSENT}


@cache
def _base(folder: Path) -> Any:
    kind = json.loads((folder / "config.json").read_text(encoding="utf-8"))["architectures"][0]
    return getattr(transformers, kind).from_pretrained(folder, attn_implementation="eager").eval()


def case_of(family: str) -> Reference:
    """Any case of a family: its base and what it is fed."""
    return reference("peft", family, "lora_qv")


def prepared(family: str) -> Any:
    """A family's base, fresh."""
    return adapter_lib.init(copy.deepcopy(_base(case_of(family).base)))


def with_adapter(family: str, name: str) -> Any:
    """The base with an adapter "a" of random numbers, active."""
    model = prepared(family)
    model.add_adapter("a", configs(family)[name])
    torch.manual_seed(1)
    step = 0.05 if any(word in name for word in _SMALL) else 0.2
    with torch.no_grad():
        for parameter in model.adapter_runtime.injection.trained("a"):
            parameter.add_(torch.randn_like(parameter) * step)
    model.set_active_adapters("a")
    return model


def with_equal_halves() -> Any:
    """T5 with one prefix in both layers, as the peer has it."""
    model = with_adapter("t5", "prefix_flat")
    first, second = (
        part for (_, role), part in model.adapter_runtime.injection.parts("a").items() if role == "attn"
    )
    second.load_state_dict(first.state_dict())
    return model


# A classifier of transformers' own, and the head of ours that computes the same.
CLASSIFIERS: Mapping[str, Mapping[str, Any]] = {
    "BertForSequenceClassification": {"layers": 2, "pooling": "cls"},
    "RobertaForSequenceClassification": {"layers": 2, "pooling": "cls"},
    "ElectraForSequenceClassification": {"layers": 2, "pooling": "cls", "activation": "gelu"},
    "DistilBertForSequenceClassification": {"layers": 2, "pooling": "cls", "activation": "relu"},
    "GPT2ForSequenceClassification": {"layers": 1, "pooling": "last"},
    "LlamaForSequenceClassification": {"layers": 1, "pooling": "last"},
    "BertForTokenClassification": {},
    "LlamaForTokenClassification": {},
}
_SIZES = {"num_labels": 3, "vocab_size": 60, "pad_token_id": 0}


def classifier_base(kind: str) -> Any:
    """A tiny model with a classifier of its own, in random numbers."""
    config = tiny.CONFIGS[kind.partition("For")[0].lower()]() if kind[0] in "BRDGL" else _electra()
    for name, value in _SIZES.items():
        setattr(config, name, value)
    torch.manual_seed(0)
    model = getattr(transformers, kind)._from_config(config, attn_implementation="eager")
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.1)
    return model.eval()


def _electra() -> Any:
    return transformers.ElectraConfig(
        hidden_size=32,
        embedding_size=32,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=48,
        max_position_embeddings=64,
    )


def with_head(kind: str) -> Any:
    """Such a model with a LoRA and a head of ours, both random."""
    model = adapter_lib.init(classifier_base(kind))
    model.add_adapter("a", "lora[r=3]")
    if "Token" in kind:
        model.add_tagging_head("a", num_labels=3)
    else:
        model.add_classification_head("a", num_labels=3, **CLASSIFIERS[kind])
    torch.manual_seed(1)
    head = model.adapter_runtime.heads.get("a")
    with torch.no_grad():
        for parameter in model.adapter_runtime.injection.trained("a"):
            parameter.add_(torch.randn_like(parameter) * 0.3)
        for name, parameter in head.named_parameters():
            # `score` has no bias.
            parameter.normal_(std=0.0 if CLASSIFIERS[kind].get("layers") == 1 and "bias" in name else 0.3)
    model.set_active_adapters("a")
    return model


def with_prompt(kind: str, config: str) -> Any:
    """Such a model with a prompt or a prefix, and its own classifier."""
    model = adapter_lib.init(classifier_base(kind))
    torch.manual_seed(1)
    model.add_adapter("a", config)
    model.set_active_adapters("a")
    return model


def exported(model: Any, folder: Path | None = None, name: str = "a") -> Exported:
    """An adapter as the peer's files, written to a folder if one is given."""
    runtime = model.adapter_runtime
    head = runtime.heads.get(name) if name in runtime.heads.names() else None
    found = peft.export(exportable(runtime.injection, head, name, BACKBONE))
    if folder is not None:
        write_exported(found, folder, name)
    return found


def attach(model: Any, found: Imported, name: str = "a") -> Any:
    """Put an imported adapter on a model, active; every tensor must have its place."""
    runtime = model.adapter_runtime
    problems = check_imported(found, runtime.injection.atlas, Path(name), strict=True)
    attach_imported(found, runtime.injection, runtime.heads, name, like_of(model), problems)
    model.set_active_adapters(name)
    return model


def outputs(model: Any, case: Reference) -> Tensors:
    """What a model computes for the case's plain inputs, in the precision that its code takes, as float64."""
    kind = getattr(torch, case.entry["precision"])
    given = {k: v.to(kind) if v.is_floating_point() else v for k, v in case.inputs().items()}
    with torch.no_grad():
        output = model.to(kind)(**given)
    return {name: output[name].double() for name in case.base_outputs()}
