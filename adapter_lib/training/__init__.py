"""What training needs besides the model: trainers, callbacks for them, and their plain cores."""

from adapter_lib.training.adalora import AdaLoRACallback, RankAllocator
from adapter_lib.training.adapter_drop import AdapterDropCallback
from adapter_lib.training.arguments import AdapterArguments, setup_adapter_training
from adapter_lib.training.collapse import CollapseWarning, CollapseWatch
from adapter_lib.training.eva import eva_start
from adapter_lib.training.gradients import GradientWarning, GradientWatch
from adapter_lib.training.loftq import LoftQReport, loftq_start
from adapter_lib.training.lora_plus import lora_plus_groups
from adapter_lib.training.report import ReportCallback, TrainedRow, TrainingReport
from adapter_lib.training.trainers import AdapterTrainer, Seq2SeqAdapterTrainer

__all__ = [
    "AdaLoRACallback",
    "AdapterArguments",
    "AdapterDropCallback",
    "AdapterTrainer",
    "CollapseWarning",
    "CollapseWatch",
    "GradientWarning",
    "GradientWatch",
    "LoftQReport",
    "RankAllocator",
    "ReportCallback",
    "Seq2SeqAdapterTrainer",
    "TrainedRow",
    "TrainingReport",
    "eva_start",
    "loftq_start",
    "lora_plus_groups",
    "setup_adapter_training",
]
