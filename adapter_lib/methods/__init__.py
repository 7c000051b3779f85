"""One file per method; importing this package registers them all."""

from adapter_lib.methods.adalora import AdaLoRA
from adapter_lib.methods.bitfit import BitFit
from adapter_lib.methods.boft import BOFT
from adapter_lib.methods.bottleneck import Bottleneck
from adapter_lib.methods.compacter import Compacter
from adapter_lib.methods.dora import DoRA
from adapter_lib.methods.dvora import DVoRA
from adapter_lib.methods.fourierft import FourierFT
from adapter_lib.methods.fusion import Fusion
from adapter_lib.methods.hira import HiRA
from adapter_lib.methods.hra import HRA
from adapter_lib.methods.ia3 import IA3
from adapter_lib.methods.invertible import Invertible
from adapter_lib.methods.loha import LoHa
from adapter_lib.methods.lokr import LoKr
from adapter_lib.methods.lora import LoRA
from adapter_lib.methods.mtl_lora import MTLLoRA
from adapter_lib.methods.norm_tuning import NormTuning
from adapter_lib.methods.oft import OFT
from adapter_lib.methods.p_tuning import PTuning
from adapter_lib.methods.prefix_tuning import PrefixTuning
from adapter_lib.methods.prompt_tuning import PromptTuning, SoftPrompt
from adapter_lib.methods.reft import Reft
from adapter_lib.methods.registry import (
    Method,
    learning_rate_of,
    list_methods,
    method_of,
    register_method,
)
from adapter_lib.methods.route import Route
from adapter_lib.methods.trainable_tokens import TrainableTokens
from adapter_lib.methods.vera import VeRA

__all__ = [
    "BOFT",
    "HRA",
    "IA3",
    "OFT",
    "AdaLoRA",
    "BitFit",
    "Bottleneck",
    "Compacter",
    "DVoRA",
    "DoRA",
    "FourierFT",
    "Fusion",
    "HiRA",
    "Invertible",
    "LoHa",
    "LoKr",
    "LoRA",
    "MTLLoRA",
    "Method",
    "NormTuning",
    "PTuning",
    "PrefixTuning",
    "PromptTuning",
    "Reft",
    "Route",
    "SoftPrompt",
    "TrainableTokens",
    "VeRA",
    "learning_rate_of",
    "list_methods",
    "method_of",
    "register_method",
]
