"""PEFT's checkpoints as adapters of ours."""

from adapter_lib.formats.peft.importing.reading import read

__all__ = ["read"]
