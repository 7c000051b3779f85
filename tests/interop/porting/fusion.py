"""AdapterFusion."""

from collections.abc import Mapping
from typing import Any

from torch import Tensor

from adapter_lib.spec.configs import FusionConfig
from tests.interop.porting.backbone import Backbone
from tests.interop.porting.source import PortingError, Source

_FIELDS = ("query", "key", "value", "query_before_ln", "residual_before", "temperature", "value_initialized")
_REGULARISATION = 0.01


def port_fusion(
    given: Mapping[str, Any], tensors: Mapping[str, Tensor], backbone: Backbone, keys: list[tuple[int, str]]
) -> tuple[FusionConfig, dict[tuple[int, str], dict[str, Tensor]]]:
    """(ours for the peer's config, tensors by place). keys: where ours has parameters. Raises PortingError."""
    source = Source(tensors, given["name"])
    config = fusion_config(given["config"])
    found = {
        key: source.under(
            f"{backbone.path(backbone.atlas.spot(key).place)}.adapter_fusion_layer.{source.name}."
        )
        for key in keys
    }
    if source.left():
        raise PortingError(f"The fusion's file has tensors without a place: {', '.join(source.left())}.")
    return config, found


def fusion_config(given: Mapping[str, Any]) -> FusionConfig:
    """Ours for the peer's config; the peer takes its dropout from the model where none is given."""
    return FusionConfig(
        **{field: given[field] for field in _FIELDS},
        regularization=_REGULARISATION if given["regularization"] else 0.0,
        dropout_prob=given["dropout_prob"] or 0.0,
    )
