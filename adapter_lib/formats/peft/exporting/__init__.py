"""Adapters of ours as checkpoints of PEFT's."""

from adapter_lib.formats.peft.exporting.writing import export

__all__ = ["export"]
