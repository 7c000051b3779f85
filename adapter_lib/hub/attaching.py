"""The part of loading that needs torch: imported only when a model is made."""

from pathlib import Path
from typing import Any, cast

from transformers import AutoModel, PreTrainedModel

from adapter_lib.model import init
from adapter_lib.spec.errors import LoadError


def load_backbone(folder: Path) -> PreTrainedModel:
    """The model in a folder of transformers, in eval mode. Raises LoadError."""
    try:
        # Safetensors only: nothing that comes from a hub is unpickled.
        model = AutoModel.from_pretrained(folder, local_files_only=True, use_safetensors=True)
    except (OSError, ValueError, KeyError) as error:
        raise LoadError(f"The backbone in {folder} could not be loaded: {error}") from error
    return cast("PreTrainedModel", model)


def attach(model: PreTrainedModel, folder: Path, name: str) -> PreTrainedModel:
    """Put the adapter in `folder` on `model` under `name`, active with its head. Raises AdapterLibError."""
    prepared: Any = init(model)
    prepared.load_adapter(folder, name=name)
    prepared.set_active_adapters(name)
    prepared.eval()
    return cast("PreTrainedModel", prepared)
