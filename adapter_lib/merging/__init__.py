"""One adapter of several: updates of weights are combined as updates, everything else as parameters.

The algorithms are functions over tensors, a file each; `lora_of` applies them to a model's adapters.
"""

from adapter_lib.merging.averaging import (
    check_equal,
    check_has_mean,
    mean_parameters,
    write_parameters,
)
from adapter_lib.merging.changes import Change, Changes
from adapter_lib.merging.lora_of import MadeLoRA, lora_of
from adapter_lib.merging.low_rank import Delta, Factors
from adapter_lib.merging.report import AverageReport, LoRAReport, MergeReport, PlaceLoss
from adapter_lib.merging.strategies import STRATEGIES, Strategy
from adapter_lib.merging.weights import Weights, checked

__all__ = [
    "STRATEGIES",
    "AverageReport",
    "Change",
    "Changes",
    "Delta",
    "Factors",
    "LoRAReport",
    "MadeLoRA",
    "MergeReport",
    "PlaceLoss",
    "Strategy",
    "Weights",
    "check_equal",
    "check_has_mean",
    "checked",
    "lora_of",
    "mean_parameters",
    "write_parameters",
]
