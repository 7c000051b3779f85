"""AdapterFusion."""

from collections.abc import Mapping
from typing import Any

from torch import Tensor

from adapter_lib.inject.atlas import Key
from adapter_lib.spec.configs import BnConfig, FusionConfig
from tests.interop.porting.backbone import Backbone
from tests.interop.porting.source import PortingError, Source

_FIELDS = ("query", "key", "value", "query_before_ln", "residual_before", "temperature", "value_initialized")
_REGULARISATION = 0.01


def port_fusion(
    given: Mapping[str, Any],
    tensors: Mapping[str, Tensor],
    backbone: Backbone,
    last: BnConfig,
    keys: list[Key],
) -> tuple[FusionConfig, dict[Key, dict[str, Tensor]]]:
    """(ours for the peer's config, tensors by place).

    last: the config of the last child, whose norms the peer takes for the block's. keys: where ours has
    parameters. Raises PortingError.
    """
    source = Source(tensors, given["name"])
    config = fusion_config(given["config"], last)
    found = {
        key: source.under(
            f"{backbone.path(backbone.atlas.spot(key).place)}.adapter_fusion_layer.{source.name}."
        )
        for key in keys
    }
    if source.left():
        raise PortingError(f"The fusion's file has tensors without a place: {', '.join(source.left())}.")
    return config, found


def fusion_config(given: Mapping[str, Any], last: BnConfig) -> FusionConfig:
    """Ours for the peer's config.

    Without `original_ln_before` the peer's query is the sub-layer's plain output, whatever the fusion says.
    Raises PortingError for a parallel child, whose input the peer would ask with.
    """
    if last.is_parallel:
        raise PortingError("A fusion whose last child is parallel asks with the sub-layer's input.")
    values = {field: given[field] for field in _FIELDS}
    values["query_before_ln"] = given["query_before_ln"] or not last.original_ln_before
    return FusionConfig(
        **values,
        regularization=_REGULARISATION if given["regularization"] else 0.0,
        dropout_prob=given["dropout_prob"] or 0.0,
    )
