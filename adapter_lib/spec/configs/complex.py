"""Unions that papers propose: Mix-and-Match and UniPELT."""

from adapter_lib.spec.configs.bottleneck import ParBnConfig, SeqBnConfig
from adapter_lib.spec.configs.lora import LoRAConfig
from adapter_lib.spec.configs.prefix_tuning import PrefixTuningConfig
from adapter_lib.spec.configs.registry import register_ready_config
from adapter_lib.spec.configs.union import UnionConfig


def mam_config() -> UnionConfig:
    """He et al. 2021 (https://arxiv.org/abs/2110.04366): prefixes in attention, parallel adapters beside the
    feed-forward blocks."""
    return UnionConfig(configs=(PrefixTuningConfig(bottleneck_size=800), ParBnConfig()))


def unipelt_config() -> UnionConfig:
    """Mao et al. 2021 (https://arxiv.org/abs/2110.07577): prefix tuning, an adapter and LoRA, all gated."""
    return UnionConfig(
        configs=(
            PrefixTuningConfig(prefix_length=10, use_gating=True),
            SeqBnConfig(reduction_factor=16, use_gating=True),
            LoRAConfig(r=8, alpha=2, use_gating=True),
        )
    )


register_ready_config("mam", mam_config)
register_ready_config("unipelt", unipelt_config)
