"""Cases of one adapter each. Widths fit a hidden size of 32; every case has an adapter of its own name."""

from collections.abc import Callable
from typing import Any

from tests.interop.adapters_cases.peer import adapters

Config = Callable[[], Any]


def _config(name: str, **options: Any) -> Config:
    return lambda: getattr(adapters, name)(**options)


def _prefix(**options: Any) -> Any:
    return adapters.PrefixTuningConfig(**{"prefix_length": 3, "bottleneck_size": 6, **options})


def _mam() -> Any:
    return adapters.MAMConfig(prefix_tuning=_prefix(bottleneck_size=12), adapter=adapters.ParBnConfig())


def _unipelt() -> Any:
    return adapters.UniPELTConfig(
        prefix_tuning=_prefix(use_gating=True),
        adapter=adapters.SeqBnConfig(reduction_factor=8, use_gating=True),
        lora=adapters.LoRAConfig(r=4, alpha=2, use_gating=True),
    )


_ALL = {
    "r": 4,
    "alpha": 6,
    "attn_matrices": ["q", "k", "v"],
    "intermediate_lora": True,
    "output_lora": True,
}
_SEQ = {"reduction_factor": 8}

# What every family gets.
FEW: dict[str, Config] = {
    "lora_all": _config("LoRAConfig", **_ALL),
    "double_seq_bn": _config("DoubleSeqBnConfig", **_SEQ),
    "par_bn": _config("ParBnConfig", reduction_factor=4),
    "prefix_tuning": lambda: _prefix(),
    "seq_bn_inv": _config("SeqBnInvConfig", **_SEQ),
    "loreft": _config("LoReftConfig", r=2, prefix_positions=2, suffix_positions=1),
}

_BOTTLENECKS: dict[str, Config] = {
    "seq_bn": _config("SeqBnConfig", **_SEQ),
    "scaled_par_bn": _config("ParBnConfig", reduction_factor=4, scaling="learned"),
    # Without row-wise drop-path, which needs torchvision and does nothing in evaluation mode.
    "adapter_plus": _config("AdapterPlusConfig", reduction_factor=8, stochastic_depth=0.0),
    "double_seq_bn_inv": _config("DoubleSeqBnInvConfig", **_SEQ),
    "seq_bn_glow": _config("SeqBnInvConfig", inv_adapter="glow", **_SEQ),
    "compacter": _config("CompacterConfig", reduction_factor=4),
    "compacter_plus_plus": _config("CompacterPlusPlusConfig", reduction_factor=4),
    "seq_bn_gated": _config("SeqBnConfig", use_gating=True, **_SEQ),
}

_PROMPTS: dict[str, Config] = {
    "prefix_tuning_flat": lambda: _prefix(flat=True),
    "prefix_tuning_gated": lambda: _prefix(use_gating=True),
    "prompt_tuning": _config("PromptTuningConfig", prompt_length=4),
    "prompt_tuning_after_bos": _config("PromptTuningConfig", prompt_length=4, combine="prefix_after_bos"),
}

_LOW_RANK: dict[str, Config] = {
    "lora_qv": _config("LoRAConfig", r=4, alpha=8),
    "lora_gated": _config("LoRAConfig", r=4, alpha=8, use_gating=True),
    "ia3": _config("IA3Config"),
    "dora": _config("DoRAConfig", r=4, alpha=8),
    "vera": _config("VeraConfig", r=4, alpha=4),
    "dvora": _config("DvoRAConfig", r=4, alpha=4),
    "mtl_lora_alone": _config("MTLLoRAConfig", r=4, alpha=8, n_up_projection=2),
}

_REFT: dict[str, Config] = {
    "noreft": _config("NoReftConfig", r=2, prefix_positions=2),
    "direft": _config("DiReftConfig", r=2, prefix_positions=2),
}

_UNIONS: dict[str, Config] = {"mam": _mam, "unipelt": _unipelt}

# What encoder-decoders get besides.
TWO_SIDED: dict[str, Config] = {
    "prefix_tuning_leave_out": lambda: _prefix(flat=True, leave_out=[0], cross_prefix=False),
    "prefix_tuning_no_encoder": lambda: _prefix(flat=True, encoder_prefix=False),
    "seq_bn_cross": _config("DoubleSeqBnConfig", cross_adapter=True, **_SEQ),
}

# Options that change the arithmetic, on a post-norm and a pre-norm family.
OPTIONS: dict[str, Config] = {
    "compacter_factorized": _config(
        "CompacterConfig", reduction_factor=4, factorized_phm_rule=True, shared_phm_rule=False, phm_rank=2
    ),
    "compacter_dense": _config("CompacterConfig", reduction_factor=4, factorized_phm_W=False),
    "par_bn_gated": _config("ParBnConfig", reduction_factor=4, use_gating=True),
    "seq_bn_norms": _config("SeqBnConfig", ln_before=True, ln_after=True, scaling=2.0, **_SEQ),
    "seq_bn_norm_sum": _config("SeqBnConfig", ln_after=True, adapter_residual_before_ln=True, **_SEQ),
    "seq_bn_post_add": _config("SeqBnConfig", residual_before_ln="post_add", **_SEQ),
    "seq_bn_residual_late": _config("SeqBnConfig", residual_before_ln=False, **_SEQ),
    "double_seq_bn_no_ln_after": _config(
        "DoubleSeqBnConfig", original_ln_before=True, original_ln_after=False, **_SEQ
    ),
    "par_bn_both": _config("ParBnConfig", reduction_factor=4, mh_adapter=True, ln_before=True),
    "seq_bn_leave_out": _config("DoubleSeqBnConfig", reduction_factor={"0": 8, "default": 4}, leave_out=[1]),
    "seq_bn_leakyrelu": _config("SeqBnConfig", non_linearity="leakyrelu", **_SEQ),
    "seq_bn_gelu_orig": _config("SeqBnConfig", non_linearity="gelu_new", **_SEQ),
    "prefix_tuning_gates_apart": lambda: _prefix(use_gating=True, shared_gating=False),
    "lora_scale": _config("LoRAConfig", r=1, alpha=1, composition_mode="scale", init_weights="ia3"),
    "lora_ffn": _config(
        "LoRAConfig", r=4, alpha=8, selfattn_lora=False, intermediate_lora=True, output_lora=True
    ),
    "ia3_attention": _config("IA3Config", intermediate_lora=False),
    "dora_unscaled": _config("DoRAConfig", r=4, alpha=4),
    "loreft_tied": _config("LoReftConfig", r=2, suffix_positions=2, tied_weights=True, non_linearity="gelu"),
    "loreft_layer": _config("LoReftConfig", r=2, layers=[1]),
    "noreft_long": _config("NoReftConfig", r=2, prefix_positions=9, suffix_positions=9),
}

ALL: dict[str, Config] = {**FEW, **_BOTTLENECKS, **_PROMPTS, **_LOW_RANK, **_REFT, **_UNIONS}
