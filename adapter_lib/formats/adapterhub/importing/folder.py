"""An adapter's folder, as AdapterHub's library writes it: config and weights, and those of a head."""

from pathlib import Path

from torch import Tensor

from adapter_lib.formats.adapterhub.backbone import Backbone
from adapter_lib.formats.adapterhub.document import CONFIG_FILE, PICKLE_FILE, WEIGHTS_FILE, parse
from adapter_lib.formats.adapterhub.heads import ReadHead, read_head
from adapter_lib.formats.adapterhub.importing.converting import convert
from adapter_lib.formats.conversion import ADAPTERHUB, Imported
from adapter_lib.formats.reading import read_object, read_tensors
from adapter_lib.inject import Atlas
from adapter_lib.spec.errors import LoadError

_INTERFACE = "adapter_interface.json"


def read(folder: Path, atlas: Atlas) -> Imported:
    """An adapter, and the head beside it, as ours for a model with these places.

    Raises LoadError for files that are unsound, for what has no counterpart here and for tensors that the
    config asks for and the file does not hold; ConfigError for a value out of range.
    """
    if (folder / _INTERFACE).is_file():
        raise LoadError(
            f"{folder} was made for a model that AdapterHub's library was told the places of "
            f"({_INTERFACE}); only adapters for the models that it knows itself can be read."
        )
    document = parse(read_object(folder / CONFIG_FILE))
    tensors, _ = read_tensors(folder, WEIGHTS_FILE, PICKLE_FILE)
    backbone = Backbone.of(atlas)
    found = convert(document, _floats(tensors), backbone)
    head = read_head(folder, atlas) or ReadHead()
    return Imported(
        format=ADAPTERHUB,
        name=document.name,
        config=found.config,
        tensors=found.tensors,
        head=head.spec,
        head_tensors=head.tensors,
        set_aside={**found.set_aside, **head.set_aside},
        unexpected=found.unexpected,
        notes=(*found.notes, *head.notes),
    )


def _floats(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    for key, tensor in tensors.items():
        if not tensor.is_floating_point():
            raise LoadError(f"The tensor {key} is {tensor.dtype}, not floating point.")
    return tensors
