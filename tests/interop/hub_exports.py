"""Adapters of ours that `adapters` can have: for round trips, and for that peer to load."""

import copy
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import torch
from transformers import AutoModel

import adapter_lib
from adapter_lib.formats.report import SaveReport
from adapter_lib.points import like_of
from adapter_lib.spec.composition import BatchSplit, Block, Fuse, Parallel, Stack
from adapter_lib.spec.configs import (
    BnConfig,
    CompacterConfig,
    DoRAConfig,
    InvertibleConfig,
    LoRAConfig,
    MethodConfig,
    UnionConfig,
)
from adapter_lib.spec.heads import (
    CausalLMSpec,
    ClassificationSpec,
    HeadSpec,
    MaskedLMSpec,
    MultilabelSpec,
    QuestionAnsweringSpec,
    RegressionSpec,
    Seq2SeqLMSpec,
    TaggingSpec,
)
from tests.interop.reading import Reference, Tensors, reference

FAMILIES = ("bert", "gpt2", "t5", "llama")
_OUTPUTS = ("last_hidden_state", "logits", "start_logits", "end_logits")
_GATED = "use_gating=true, gate_over_padding=true"
# What else the peer does not have there, with what the refusal says.
REFUSED: Mapping[tuple[str, str], str] = {
    ("gpt2", "dora"): "multiplies the bias",
    ("bert", "dora"): "multiplies the bias",
    ("gpt2", "dora_bias"): "fused map",
    ("gpt2", "dvora"): "multiplies the bias",
    ("bert", "dvora"): "multiplies the bias",
    ("gpt2", "mtl_lora"): "fused map",
    ("t5", "prefix_tuning"): "moves this model's keys",
    ("t5", "mam"): "moves this model's keys",
    **{(family, "lora_o"): r"acts on layers\.0\.attn\.o" for family in FAMILIES},
    **{(family, "ia3"): "before the activation" for family in FAMILIES},
    **{(family, "oft"): "no method that computes what oft" for family in FAMILIES},
    **{(family, "direft"): "nothing is subtracted" for family in FAMILIES},
    **{(family, "glow"): "one of its two networks" for family in FAMILIES},
    **{(family, "nice_alone"): "beside a bottleneck" for family in FAMILIES},
    **{(family, "two_loras"): "one member of a kind" for family in FAMILIES},
    **{(family, "prompt_tuning"): "position embeddings" for family in FAMILIES},
}
# Written in another form, which computes the same.
REWRITTEN = (
    "pissa",
    "olora",
    "adalora",
    "vera",
    "dvora",
    "lora_patterns",
    "lora_scaled",
    "dora",
    "dora_bias",
)


def configs(family: str) -> dict[str, str | MethodConfig]:
    """The adapters by name."""
    moves = "moves_keys=true, " if family == "t5" else ""
    before = "down" if family == "llama" else "up"
    patterns = {"rank_pattern": {"v": 2}, "alpha_pattern": {"up": 3, "layers.1.attn.q": 5}}
    return {
        "seq_bn": "seq_bn[reduction_factor=4]",
        "double_seq_bn": "double_seq_bn[reduction_factor={'0': 4, 'default': 8}, leave_out=[1]]",
        "par_bn": "par_bn[reduction_factor=4]",
        "scaled_par_bn": "scaled_par_bn[reduction_factor=4]",
        "adapter_plus": "adapter_plus[reduction_factor=8, stochastic_depth=0]",
        "bn_norms": BnConfig(
            mh_adapter=True,
            output_adapter=True,
            reduction_factor=8,
            non_linearity="gelu",
            ln_before=True,
            ln_after=True,
            adapter_residual_before_ln=True,
            use_gating=True,
            gate_over_padding=True,
        ),
        "seq_bn_inv": "seq_bn_inv[reduction_factor=4]",
        "compacter": "compacter[reduction_factor=4, phm_dim=2]",
        "compacter_own": CompacterConfig(reduction_factor=4, shared_phm_rule=False, factorized_phm_rule=True),
        "compacter_shared": CompacterConfig(reduction_factor=4, shared_W_phm=True),
        "prefix": f"prefix_tuning[{moves}prefix_length=3, bottleneck_size=8, {_GATED}]",
        "prefix_flat": f"prefix_tuning_flat[{moves}prefix_length=3]",
        "prefix_tuning": "prefix_tuning[prefix_length=3, bottleneck_size=8]" if family == "t5" else "oft",
        "prompt_tuning": "prompt_tuning[prompt_length=3]",
        "lora": "lora[r=4, alpha=8]",
        "lora_ffn": f"lora[r=3, targets=[k, up, down], leave_out=[0], {_GATED}]",
        "lora_scaled": "lora[r=4, alpha=6, rslora=true]",
        "lora_patterns": LoRAConfig(targets=("q", "v", "up"), r=4, alpha=8, **patterns),
        "lora_o": "lora[targets=[q, o]]",
        "two_loras": UnionConfig(configs=(LoRAConfig(r=3), LoRAConfig(r=2, targets=("k",)))),
        "pissa": "lora[r=4, init_weights=pissa]",
        "olora": "lora[r=4, init_weights=olora]",
        "adalora": "adalora[init_r=4, target_r=2]",
        "vera": "vera[r=8]",
        "dora": "dora[r=4, alpha=12, targets=[q, v, up]]",
        "dora_bias": DoRAConfig(r=4, alpha=12, scales_bias=True),
        "dvora": "dvora[r=8]",
        "mtl_lora": "mtl_lora[r=4, n_up_projection=2]",
        "ia3": "ia3",
        "ia3_before": f"ia3[targets=[k, v, {before}]]",
        "oft": "oft[block_size=8]",
        "loreft": "loreft[r=2, prefix_positions=2, suffix_positions=1]",
        "loreft_prefix": "loreft[r=2, prefix_positions=2, layers=[1]]",
        "noreft_tied": "noreft[r=2, prefix_positions=1, suffix_positions=1, tied_weights=true]",
        "direft": "direft[r=2]",
        "glow": "seq_bn_inv[reduction_factor=4, inv_adapter=glow]",
        "nice_alone": InvertibleConfig(),
        "mam": f"prefix_tuning[{'' if family == 't5' else moves}prefix_length=3, bottleneck_size=8]|par_bn",
        "unipelt": f"prefix_tuning[{moves}prefix_length=3, bottleneck_size=8, {_GATED}]"
        f"|seq_bn[{_GATED}]|lora[r=4, alpha=2, {_GATED}]",
    }


def cases() -> list[tuple[str, str]]:
    """(family, name) of everything that the peer can have."""
    return [
        (family, name) for family in FAMILIES for name in configs(family) if not _is_left_out(family, name)
    ]


def _is_left_out(family: str, name: str) -> bool:
    return (family, name) in REFUSED or (name == "prefix_tuning" and family != "t5")


@cache
def _base(folder: Path) -> Any:
    return AutoModel.from_pretrained(folder, attn_implementation="eager").eval()


def case_of(family: str) -> Reference:
    """Any case of a family: its base and what it is fed."""
    return reference("adapters", family, "seq_bn")


def prepared(family: str) -> Any:
    """A family's base, fresh."""
    return adapter_lib.init(copy.deepcopy(_base(case_of(family).base)))


def with_adapter(family: str, name: str) -> Any:
    """The base with an adapter "a" of random numbers, active."""
    model = prepared(family)
    model.add_adapter("a", configs(family)[name])
    torch.manual_seed(1)
    with torch.no_grad():
        for parameter in model.adapter_runtime.injection.trained("a"):
            parameter.add_(torch.randn_like(parameter) * 0.2)
    model.set_active_adapters("a")
    return model


def heads() -> dict[tuple[str, str], HeadSpec]:
    """Heads that the peer has too, by (family, name)."""
    labels = ("no", "perhaps", "yes")
    bert: dict[str, HeadSpec] = {
        "head_classification": ClassificationSpec(labels, "cls", layers=2),
        "head_regression": RegressionSpec(("stars",), "cls"),
        "head_multilabel": MultilabelSpec(labels, "cls", activation="relu", layers=3),
        "head_tagging": TaggingSpec(labels),
        "head_qa": QuestionAnsweringSpec(layers=2),
        "head_masked_lm": MaskedLMSpec(vocab_size=60),
    }
    others: dict[tuple[str, str], HeadSpec] = {
        ("gpt2", "head_classification"): ClassificationSpec(labels, "last"),
        ("gpt2", "head_tagging"): TaggingSpec(labels, layers=2),
        ("gpt2", "head_causal_lm"): CausalLMSpec(vocab_size=60),
        ("llama", "head_causal_lm"): CausalLMSpec(vocab_size=60, tied=False, transform=True, use_bias=True),
        ("t5", "head_seq2seq_lm"): Seq2SeqLMSpec(vocab_size=60, scale=32**-0.5),
    }
    return {**{("bert", name): spec for name, spec in bert.items()}, **others}


def with_head(family: str, name: str) -> Any:
    """The base with a LoRA "a" and a head of random numbers, active."""
    model = prepared(family)
    model.add_adapter("a", "lora[r=4, init_weights=bert]")
    head = model.adapter_runtime.heads.add("a", heads()[family, name], like_of(model))
    torch.manual_seed(4)
    with torch.no_grad():
        for parameter in (*head.parameters(), *model.adapter_runtime.injection.trained("a")):
            parameter.add_(torch.randn_like(parameter) * 0.2)
    model.set_active_adapters("a")
    return model.eval()


def setups() -> dict[str, Block]:
    """Compositions of bottlenecks that the peer computes as ours."""
    return {
        "setup_stack": Stack("a", "b"),
        "setup_fuse": Fuse("a", "b"),
        "setup_fuse_stacked": Stack("c", Fuse("a", "b")),
        "setup_parallel": Stack("a", Parallel("b", "c")),
        "setup_split": BatchSplit("a", "b", batch_sizes=[1, 2]),
    }


def with_setup(name: str) -> Any:
    """A BERT with bottlenecks of random numbers in a composition, active, and what its Fuse has learned."""
    model, composition = prepared("bert"), setups()[name]
    for adapter in composition.names():
        model.add_adapter(adapter, "seq_bn[reduction_factor=4]")
    for block in composition.blocks():
        if isinstance(block, Fuse):
            model.add_adapter_fusion(block)
    torch.manual_seed(5)
    injection = model.adapter_runtime.injection
    parts = [part for block in injection.blocks for part in injection.block_parts(*block).values()]
    parameters = [parameter for adapter in composition.names() for parameter in injection.trained(adapter)]
    parameters += [parameter for part in parts for parameter in part.parameters()]
    with torch.no_grad():
        for parameter in parameters:
            parameter.add_(torch.randn_like(parameter) * 0.2)
    model.set_active_adapters(composition)
    return model


def exported(model: Any, folder: Path) -> SaveReport:
    """The adapter in the peer's files."""
    report: SaveReport = model.save_adapter(folder, "a", format="adapterhub")
    return report


def outputs(model: Any, case: Reference, variant: str = "plain") -> Tensors:
    """What a model computes for a case's inputs, in float64."""
    given = {k: v.double() if v.is_floating_point() else v for k, v in case.inputs(variant).items()}
    with torch.no_grad():
        output = model.double()(**given)
    found = {name: output[name] for name in _OUTPUTS if output.get(name) is not None}
    return found if len(found) == 1 else {name: found[name] for name in found if name in _OUTPUTS[1:]}
