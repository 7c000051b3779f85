"""Invertible adapters, which belong to a bottleneck's config there and are a member of their own here."""

from collections.abc import Iterator

from adapter_lib.spec.configs import InvertibleConfig
from tests.interop.porting.backbone import Backbone
from tests.interop.porting.source import Source
from tests.interop.porting.tensors import PlaceTensors


def invertible_tensors(config: InvertibleConfig, source: Source, backbone: Backbone) -> Iterator[PlaceTensors]:
    """F and G of the first owner; what the others have the peer computes nothing with."""
    first, *others = backbone.names.invertible
    found = source.under(f"{first}.{source.name}.")
    for owner in others:
        for key in source.under(f"{owner}.{source.name}."):
            source.leave(f"{owner}.{source.name}.{key}", "a coupling that never acts")
    yield None, {f"{key[0].lower()}{key[1:]}": value for key, value in found.items()}
