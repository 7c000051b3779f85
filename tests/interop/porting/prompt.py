"""Prompt tuning."""

from collections.abc import Iterator, Mapping
from typing import Any

from adapter_lib.spec.configs import PromptTuningConfig
from tests.interop.porting.backbone import Backbone
from tests.interop.porting.source import Source
from tests.interop.porting.tensors import PlaceTensors

_COMBINE = {"prefix": "prefix", "prefix_after_bos": "after_first"}


def prompt_config(given: Mapping[str, Any]) -> PromptTuningConfig:
    """Ours for the peer's config; how the prompt started is of no interest any more."""
    return PromptTuningConfig(prompt_length=given["prompt_length"], combine=_COMBINE[given["combine"]])


def prompt_tensors(config: PromptTuningConfig, source: Source, backbone: Backbone) -> Iterator[PlaceTensors]:
    """The prompt."""
    (place,) = backbone.places(config)
    stem = backbone.below_root(f"prompt_tuning.prompt_tunings.{source.name}")
    yield place, {"prompt": source.take(f"{stem}.prompt_embedding.weight")}
