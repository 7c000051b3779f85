"""Adapters from and to the folders of PEFT: `adapter_config.json` and `adapter_model.safetensors`."""

from adapter_lib.formats.peft.exporting import export
from adapter_lib.formats.peft.importing import read

__all__ = ["export", "read"]
