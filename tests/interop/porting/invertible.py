"""Invertible adapters, which belong to a bottleneck's config there and are a member of their own here."""

from collections.abc import Iterator

import torch

from adapter_lib.spec.configs import InvertibleConfig
from tests.interop.porting.backbone import Backbone
from tests.interop.porting.source import PortingError, Source
from tests.interop.porting.tensors import PlaceTensors


def invertible_tensors(
    config: InvertibleConfig, source: Source, backbone: Backbone
) -> Iterator[PlaceTensors]:
    """F and G; where a model has several owners they are one module there, written again and again."""
    first, *others = backbone.names.invertible
    found = source.under(f"{first}.{source.name}.")
    for owner in others:
        for key, value in source.under(f"{owner}.{source.name}.").items():
            if not torch.equal(value, found[key]):
                raise PortingError(f"{owner} should repeat {first}, and its {key} says something else.")
            source.leave(f"{owner}.{source.name}.{key}", f"{first} again")
    yield None, {f"{key[0].lower()}{key[1:]}": value for key, value in found.items()}
