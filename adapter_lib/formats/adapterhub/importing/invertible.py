"""Invertible adapters, which belong to a bottleneck's config there and are a member of their own here."""

from collections.abc import Iterator, Mapping
from typing import Any

import torch

from adapter_lib.formats.adapterhub.backbone import Backbone
from adapter_lib.formats.adapterhub.importing.source import Source
from adapter_lib.formats.adapterhub.importing.tensors import PlaceTensors
from adapter_lib.formats.adapterhub.names import PeerNames
from adapter_lib.spec.configs import InvertibleConfig
from adapter_lib.spec.errors import LoadError


def invertible_tensors(
    config: InvertibleConfig, source: Source, backbone: Backbone
) -> Iterator[PlaceTensors]:
    """F and G; where a model has several owners they are one module there, written again and again.

    Raises LoadError for copies that differ.
    """
    first, *others = backbone.names.invertible
    found = source.under(f"{first}.{source.name}.")
    for owner in others:
        for key, value in source.under(f"{owner}.{source.name}.").items():
            if key not in found or not torch.equal(value, found[key]):
                raise LoadError(f"{owner} should repeat {first}, and its {key} says something else.")
            source.leave(f"{owner}.{source.name}.{key}", f"{first} again")
    yield None, {f"{key[0].lower()}{key[1:]}": value for key, value in found.items()}


def is_unused(config: Mapping[str, Any], source: Source, names: PeerNames) -> bool:
    """True for a config with an invertible adapter and a file without one.

    Old releases gave every task adapter such a config, and built the coupling for languages only.
    """
    stems = [f"{owner}.{source.name}." for owner in names.invertible]
    return bool(config.get("inv_adapter")) and not any(
        key.startswith(stem) for key in source.names() for stem in stems
    )
