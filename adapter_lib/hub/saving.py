"""The part of publishing that needs a model, and so torch."""

from pathlib import Path
from typing import Any

from transformers import PreTrainedModel

from adapter_lib.hub.backbones import known_backbone
from adapter_lib.model import AdapterModel
from adapter_lib.spec.errors import LoadError, listing


def save(model: PreTrainedModel, name: str | None, backbone: str | None, workshop: Path) -> Path:
    """Save one adapter of `model` (by default the active one) below `workshop`. Raises AdapterLibError."""
    adapted: Any = model
    if not isinstance(adapted, AdapterModel):
        raise LoadError(
            f"{type(model).__name__} carries no adapters: prepare it with adapter_lib.init first."
        )
    known = known_backbone(model)
    if known is not None and backbone not in (None, known.id):
        known = None
    folder = workshop / "adapter"
    adapted.save_adapter(
        folder,
        name or _active(adapted),
        backbone_id=backbone or (known.id if known else None),
        backbone_revision=known.revision if known else None,
    )
    return folder


def _active(model: AdapterModel) -> str:
    block = model.active_adapters
    names = tuple(block.names()) if block is not None else ()
    if len(names) != 1:
        raise LoadError(f"name= must say which adapter to publish; active are: {listing(names)}.")
    return names[0]
