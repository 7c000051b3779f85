"""One config per method, immutable and validated; importing this package registers them all."""

from adapter_lib.spec.configs.adalora import AdaLoRAConfig
from adapter_lib.spec.configs.base import Aim, MethodConfig, Place, Shapes, canonical_hash
from adapter_lib.spec.configs.bitfit import BitFitConfig
from adapter_lib.spec.configs.block_config import BlockConfig
from adapter_lib.spec.configs.boft import BOFTConfig
from adapter_lib.spec.configs.bottleneck import (
    AdapterPlusConfig,
    BnConfig,
    DoubleSeqBnConfig,
    DoubleSeqBnInvConfig,
    ParBnConfig,
    ScaledParBnConfig,
    SeqBnConfig,
    SeqBnInvConfig,
)
from adapter_lib.spec.configs.compacter import CompacterConfig, CompacterPlusPlusConfig
from adapter_lib.spec.configs.complex import mam_config, unipelt_config
from adapter_lib.spec.configs.dora import DoRAConfig
from adapter_lib.spec.configs.dvora import DVoRAConfig
from adapter_lib.spec.configs.fourierft import FourierFTConfig
from adapter_lib.spec.configs.fusion import FusionConfig, StaticFusionConfig
from adapter_lib.spec.configs.hira import HiRAConfig
from adapter_lib.spec.configs.hra import HRAConfig
from adapter_lib.spec.configs.ia3 import IA3Config
from adapter_lib.spec.configs.invertible import GlowConfig, InvertibleConfig
from adapter_lib.spec.configs.loha import LoHaConfig
from adapter_lib.spec.configs.lokr import LoKrConfig
from adapter_lib.spec.configs.lora import LoRAConfig
from adapter_lib.spec.configs.low_rank import LowRankConfig
from adapter_lib.spec.configs.mtl_lora import MTLLoRAConfig
from adapter_lib.spec.configs.norm_tuning import NormTuningConfig
from adapter_lib.spec.configs.oft import OFTConfig
from adapter_lib.spec.configs.p_tuning import PTuningConfig
from adapter_lib.spec.configs.per_layer import PerLayer
from adapter_lib.spec.configs.per_place import PerPlace
from adapter_lib.spec.configs.prefix_tuning import PrefixTuningConfig, PrefixTuningFlatConfig
from adapter_lib.spec.configs.prompt_tuning import PromptTuningConfig, SoftPromptConfig, ids_of_text
from adapter_lib.spec.configs.reft import DiReftConfig, LoReftConfig, NoReftConfig, ReftConfig
from adapter_lib.spec.configs.registry import (
    config_from_dict,
    config_to_dict,
    known_aliases,
    known_methods,
    known_presets,
    method_class,
    preset_class,
    preset_config,
    preset_keys,
    register_config,
    register_ready_config,
    valid_keys,
)
from adapter_lib.spec.configs.route import RouteConfig
from adapter_lib.spec.configs.targeted import TargetedConfig
from adapter_lib.spec.configs.trainable_tokens import TrainableTokensConfig
from adapter_lib.spec.configs.union import UnionConfig, members_of
from adapter_lib.spec.configs.vera import VeRAConfig

__all__ = [
    "AdaLoRAConfig",
    "AdapterPlusConfig",
    "Aim",
    "BOFTConfig",
    "BitFitConfig",
    "BlockConfig",
    "BnConfig",
    "CompacterConfig",
    "CompacterPlusPlusConfig",
    "DVoRAConfig",
    "DiReftConfig",
    "DoRAConfig",
    "DoubleSeqBnConfig",
    "DoubleSeqBnInvConfig",
    "FourierFTConfig",
    "FusionConfig",
    "GlowConfig",
    "HRAConfig",
    "HiRAConfig",
    "IA3Config",
    "InvertibleConfig",
    "LoHaConfig",
    "LoKrConfig",
    "LoRAConfig",
    "LoReftConfig",
    "LowRankConfig",
    "MTLLoRAConfig",
    "MethodConfig",
    "NoReftConfig",
    "NormTuningConfig",
    "OFTConfig",
    "PTuningConfig",
    "ParBnConfig",
    "PerLayer",
    "PerPlace",
    "Place",
    "PrefixTuningConfig",
    "PrefixTuningFlatConfig",
    "PromptTuningConfig",
    "ReftConfig",
    "RouteConfig",
    "ScaledParBnConfig",
    "SeqBnConfig",
    "SeqBnInvConfig",
    "Shapes",
    "SoftPromptConfig",
    "StaticFusionConfig",
    "TargetedConfig",
    "TrainableTokensConfig",
    "UnionConfig",
    "VeRAConfig",
    "canonical_hash",
    "config_from_dict",
    "config_to_dict",
    "ids_of_text",
    "known_aliases",
    "known_methods",
    "known_presets",
    "mam_config",
    "members_of",
    "method_class",
    "preset_class",
    "preset_config",
    "preset_keys",
    "register_config",
    "register_ready_config",
    "unipelt_config",
    "valid_keys",
]
