"""Checkpoints of three formats, told from their files alone."""

from adapter_lib.inspection.checkpoints.opening import inspect_checkpoint
from adapter_lib.inspection.checkpoints.report import BackboneFacts, Checkpoint, Problem
from adapter_lib.inspection.checkpoints.tensors import TensorFact

__all__ = ["BackboneFacts", "Checkpoint", "Problem", "TensorFact", "inspect_checkpoint"]
