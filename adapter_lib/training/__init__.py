"""What training needs besides the model: callbacks for transformers' Trainer, and their plain cores."""

from adapter_lib.training.adalora import AdaLoRACallback, RankAllocator
from adapter_lib.training.adapter_drop import AdapterDropCallback
from adapter_lib.training.eva import eva_start
from adapter_lib.training.loftq import LoftQReport, loftq_start

__all__ = [
    "AdaLoRACallback",
    "AdapterDropCallback",
    "LoftQReport",
    "RankAllocator",
    "eva_start",
    "loftq_start",
]
