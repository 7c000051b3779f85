"""ReFT. The peer keeps two units even where only the first or only the last tokens are edited."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn

from adapter_lib.formats.adapterhub.backbone import Backbone
from adapter_lib.formats.adapterhub.importing.source import Source
from adapter_lib.formats.adapterhub.importing.tensors import PlaceTensors
from adapter_lib.spec.configs import ReftConfig

_FIELDS = (
    "prefix_positions",
    "suffix_positions",
    "r",
    "orthogonality",
    "tied_weights",
    "dropout",
    "non_linearity",
    "subtract_projection",
)
UNITS = {"tied": 0, "prefix": 0, "suffix": 1}
ORTHOGONAL = "projection.parametrizations.weight."
_ROUNDING = 1e-4


def reft_config(given: Mapping[str, Any]) -> ReftConfig:
    """Ours for the peer's config.

    DiReFT's file does not say that nothing is subtracted, and reads as NoReFT; `subtract_projection` says it
    for whoever knows better.
    """
    layers = tuple(given["layers"]) if isinstance(given["layers"], list) else given["layers"]
    return ReftConfig(layers=layers, **{field: given[field] for field in _FIELDS})


def truly_orthogonal(config: ReftConfig, source: Source, backbone: Backbone) -> ReftConfig:
    """The config, with orthogonality only if the file's projections are orthonormal.

    torch's parametrisation keeps signs on a diagonal and cuts them to whole numbers: a file in which they
    have moved away from ± 1 has rows of zeros.
    """
    if not config.orthogonality:
        return config
    rows = [
        _rows(source, f"{_layer(source, path)}units.{UNITS[unit]}.")
        for path in map(backbone.path, backbone.places(config))
        for unit in config.units()
    ]
    return config if all(map(_is_orthonormal, rows)) else replace(config, orthogonality=False)


def reft_tensors(config: ReftConfig, source: Source, backbone: Backbone) -> Iterator[PlaceTensors]:
    """Every layer's units."""
    units = {unit: UNITS[unit] for unit in config.units()}
    for place in backbone.places(config):
        stem = _layer(source, backbone.path(place))
        found: dict[str, Tensor] = {}
        for unit, number in units.items():
            own = f"{stem}units.{number}."
            for kind in ("weight", "bias"):
                found[f"{unit}.source.{kind}"] = source.take(f"{own}learned_source.{kind}")
            found[f"{unit}.projection"] = _rows(source, own)
        for key in [key for key in source.names() if key.startswith(stem)]:
            if not any(key.startswith(f"{stem}units.{number}.") for number in units.values()):
                source.leave(key, "a unit that edits no token")
        yield place, found


def _is_orthonormal(rows: Tensor) -> bool:
    count, width = rows.shape
    return count <= width and torch.allclose(rows @ rows.mT, torch.eye(count).to(rows), atol=_ROUNDING)


def _layer(source: Source, path: str) -> str:
    return f"{path}.reft_layer.refts.{source.name}."


def _rows(source: Source, stem: str) -> Tensor:
    """R [r, d], which torch's parametrisation makes of what is stored."""
    if source.has(f"{stem}projection.weight"):
        return source.take(f"{stem}projection.weight", dims=2)
    original = source.take(f"{stem}{ORTHOGONAL}original", dims=2)
    base = source.take(f"{stem}{ORTHOGONAL}0.base", shape=(original.shape[1], original.shape[1]))
    made: Any = nn.utils.parametrizations.orthogonal(
        nn.Linear(original.shape[1], original.shape[0], bias=False)
    )
    state = {"original": original, "0.base": base}
    made.load_state_dict({f"parametrizations.weight.{key}": value for key, value in state.items()})
    weight: Tensor = made.weight.detach().clone()
    return weight
