"""What every config file of AdapterHub's library says of the model."""

from typing import Any

from adapter_lib.formats.adapterhub.document import VERSION
from adapter_lib.formats.adapterhub.names import names_of
from adapter_lib.inject import Atlas


def described(atlas: Atlas, backbone_id: str, name: str, config: object) -> dict[str, object]:
    """The object of a config file. Raises LoadError for a model without names there."""
    model: Any = atlas.config
    return {
        "config": config,
        "hidden_size": getattr(model, "hidden_size", None),
        "model_class": names_of(atlas).model_class,
        "model_name": backbone_id,
        "model_type": model.model_type,
        "name": name,
        "version": VERSION,
    }
