"""LoReFT and NoReFT."""

from typing import Any

import torch
from torch import Tensor, nn

from adapter_lib.formats.adapterhub.document import REFT
from adapter_lib.formats.adapterhub.exporting.held import Draft, Held, Tensors
from adapter_lib.formats.adapterhub.importing.reft import ORTHOGONAL, UNITS
from adapter_lib.methods.reft import orthonormal
from adapter_lib.spec.configs import ReftConfig
from adapter_lib.spec.errors import LoadError


def reft(held: Held) -> Draft:
    """Representation fine-tuning. Raises LoadError for what AdapterHub's config cannot say."""
    config = held.config
    if not isinstance(config, ReftConfig):
        raise TypeError(f"{config.name()} is no ReFT.")
    _check(config)
    tensors: Tensors = {}
    for place in held.places:
        own = held.at(place)
        stem = f"{held.backbone.path(place)}.reft_layer.refts.{held.name}.units."
        for unit in config.units():
            tensors |= _unit(config, own, unit, f"{stem}{UNITS[unit]}.")
        if not config.tied_weights and len(config.units()) == 1:
            # Two units are kept there even where one of them edits no token.
            (unit,) = config.units()
            tensors |= _unit(config, own, unit, f"{stem}{1 - UNITS[unit]}.")
    own_values = config.values()
    values = {field: own_values.get(field, default) for field, default in REFT.items()}
    del values["subtract_projection"]
    layers = sorted({place.layer for place in held.places})
    everywhere = len(layers) == held.backbone.atlas.num_layers
    return Draft(values | {"architecture": "reft", "layers": "all" if everywhere else layers}, tensors)


def _check(config: ReftConfig) -> None:
    if not config.subtract_projection:
        raise LoadError(
            "A file of AdapterHub's cannot say that nothing is subtracted: it would be read as a NoReFT."
        )
    if config.use_gating:
        raise LoadError("AdapterHub's library has no gates at a ReFT.")


def _unit(config: ReftConfig, own: Tensors, unit: str, stem: str) -> Tensors:
    found = {f"{stem}learned_source.{kind}": own[f"{unit}.source.{kind}"] for kind in ("weight", "bias")}
    projection = own[f"{unit}.projection"]
    if not config.orthogonality:
        return found | {f"{stem}projection.weight": projection}
    return found | {
        f"{stem}{ORTHOGONAL}{key}": value for key, value in _made(orthonormal(projection)).items()
    }


def _made(rows: Tensor) -> Tensors:
    """What torch's parametrisation stores for orthonormal rows R [r, d]."""
    linear: Any = nn.Linear(rows.shape[1], rows.shape[0], bias=False, dtype=rows.dtype)
    made: Any = nn.utils.parametrizations.orthogonal(linear)
    with torch.no_grad():
        made.weight = rows
    prefix = "parametrizations.weight."
    return {key.removeprefix(prefix): value.detach() for key, value in made.state_dict().items()}
