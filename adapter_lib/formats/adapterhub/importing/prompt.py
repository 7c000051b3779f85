"""Prompt tuning."""

from collections.abc import Iterator, Mapping
from typing import Any

from adapter_lib.formats.adapterhub.backbone import Backbone
from adapter_lib.formats.adapterhub.importing.source import Source
from adapter_lib.formats.adapterhub.importing.tensors import PlaceTensors
from adapter_lib.spec.configs import PromptTuningConfig
from adapter_lib.spec.errors import LoadError
from adapter_lib.spec.strict_json import quoted

COMBINE = {"prefix": "prefix", "prefix_after_bos": "after_first"}


def prompt_config(given: Mapping[str, Any]) -> PromptTuningConfig:
    """Ours for the peer's config; how the prompt started is of no interest any more. Raises LoadError."""
    combine = given["combine"]
    if combine not in COMBINE:
        raise LoadError(f"combine must be one of {', '.join(COMBINE)}, not {quoted(repr(combine))}.")
    return PromptTuningConfig(prompt_length=given["prompt_length"], combine=COMBINE[combine])


def prompt_tensors(config: PromptTuningConfig, source: Source, backbone: Backbone) -> Iterator[PlaceTensors]:
    """The prompt."""
    (place,) = backbone.places(config)
    stem = backbone.below_root(f"prompt_tuning.prompt_tunings.{source.name}")
    yield place, {"prompt": source.take(f"{stem}.prompt_embedding.weight")}
