"""Checkpoints of AdapterHub's library, `adapters`, and of its predecessor."""

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from adapter_lib.formats.reading import read_object
from adapter_lib.inspection.checkpoints.report import (
    BackboneFacts,
    Checkpoint,
    Problem,
    bytes_of,
    sizes_of,
    type_problems,
)
from adapter_lib.inspection.checkpoints.tensors import TensorFact, facts_of
from adapter_lib.spec.errors import LoadError

_WEIGHTS = ("adapter.safetensors", "pytorch_adapter.bin")
_HEAD_WEIGHTS = ("model_head.safetensors", "pytorch_model_head.bin")
_HEAD_CONFIG = "head_config.json"
_LAYER = re.compile(r"\.(?:layers?|h|block)\.(\d+)\.")


def read_adapterhub(folder: Path, values: Mapping[str, Any]) -> Checkpoint:
    """What a folder says. Raises HeaderError, LoadError where it cannot be read at all."""
    weights = _first(folder, _WEIGHTS)
    if weights is None:
        raise LoadError(f"{folder} has neither {' nor '.join(_WEIGHTS)}: the adapter's weights are missing.")
    config = values.get("config")
    config = config if isinstance(config, Mapping) else {}
    head_weights = _first(folder, _HEAD_WEIGHTS)
    files = [path for path in (weights, head_weights) if path is not None]
    own = facts_of(weights)
    numbers = {int(number) for fact in own for number in _LAYER.findall(fact.name)}
    hidden = values.get("hidden_size")
    return Checkpoint(
        folder=folder,
        format="adapterhub",
        method=str(config.get("architecture") or "bottleneck"),
        config=config,
        backbone=BackboneFacts(
            id=_text(values, "model_name"),
            model_type=_text(values, "model_type"),
            hidden_size=hidden if isinstance(hidden, int) else None,
            layers=max(numbers) + 1 if numbers else None,
        ),
        tensors=own,
        weights=files,
        size=bytes_of(files),
        head=_head(folder),
        head_tensors=facts_of(head_weights) if head_weights is not None else (),
        problems=tuple(_problems(values, config, own)),
        sizes=sizes_of(config),
    )


def _head(folder: Path) -> dict[str, Any] | None:
    if not (folder / _HEAD_CONFIG).is_file():
        return None
    values = read_object(folder / _HEAD_CONFIG)
    config = values.get("config")
    config = config if isinstance(config, Mapping) else {}
    labels = config.get("label2id")
    named = _in_order(labels) if isinstance(labels, Mapping) else None
    return {"type": config.get("head_type"), "labels": named, "layers": config.get("layers")}


def _in_order(numbers: Mapping[str, Any]) -> list[str]:
    """Labels by their number; what has none comes last."""
    return sorted(numbers, key=lambda name: _place(numbers[name]))


def _place(number: Any) -> float:
    return float(number) if type(number) is int else math.inf


def _problems(
    values: Mapping[str, Any], config: Mapping[str, Any], own: Sequence[TensorFact]
) -> Iterator[Problem]:
    yield from type_problems(own)
    if not config:
        yield Problem("config.missing", "adapter_config.json has no config of a method.")
    name = _text(values, "name")
    foreign = next((fact.name for fact in own if name and f".{name}." not in f".{fact.name}."), None)
    if foreign is not None:
        yield Problem("tensors.name", f"The tensor {foreign} does not belong to the adapter {name!r}.")


def _first(folder: Path, names: Sequence[str]) -> Path | None:
    return next((folder / name for name in names if (folder / name).is_file()), None)


def _text(values: Mapping[str, Any], key: str) -> str | None:
    value = values.get(key)
    return value if isinstance(value, str) and value else None
