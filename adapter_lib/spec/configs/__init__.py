"""One config per method, immutable and validated; importing this package registers them all."""

from adapter_lib.spec.configs.base import MethodConfig, Place, Shapes, canonical_hash
from adapter_lib.spec.configs.bottleneck import BnConfig, DoubleSeqBnConfig, ParBnConfig, SeqBnConfig
from adapter_lib.spec.configs.lora import LoRAConfig
from adapter_lib.spec.configs.per_layer import PerLayer
from adapter_lib.spec.configs.registry import (
    config_from_dict,
    config_to_dict,
    known_methods,
    known_presets,
    method_class,
    preset_class,
    register_config,
    valid_keys,
)

__all__ = [
    "BnConfig",
    "DoubleSeqBnConfig",
    "LoRAConfig",
    "MethodConfig",
    "ParBnConfig",
    "PerLayer",
    "Place",
    "SeqBnConfig",
    "Shapes",
    "canonical_hash",
    "config_from_dict",
    "config_to_dict",
    "known_methods",
    "known_presets",
    "method_class",
    "preset_class",
    "register_config",
    "valid_keys",
]
