"""Checkpoints of PEFT: what their config and their tensors' names say."""

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

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

_WEIGHTS = ("adapter_model.safetensors", "adapter_model.bin")
_LAYER = re.compile(r"\.(?:layers?|h|blocks?)\.(\d+)\.")
_PAIR = re.compile(r"(.*\.lora_)([AB])(\.weight)?")
# Tensors of a head that the adapter brings along.
_HEAD = re.compile(r"(^|\.)(classifier|score|qa_outputs|lm_head|cls)\.[^.]*(weight|bias)$")


def read_peft(folder: Path, values: Mapping[str, Any]) -> Checkpoint:
    """What a folder says. Raises HeaderError, LoadError where it cannot be read at all."""
    weights = next((folder / name for name in _WEIGHTS if (folder / name).is_file()), None)
    if weights is None:
        raise LoadError(f"{folder} has neither {' nor '.join(_WEIGHTS)}: the adapter's weights are missing.")
    facts = facts_of(weights)
    head = [fact for fact in facts if _HEAD.search(fact.name) and "lora_" not in fact.name]
    own = [fact for fact in facts if fact not in head]
    numbers = {int(number) for fact in own for number in _LAYER.findall(fact.name)}
    return Checkpoint(
        folder=folder,
        format="peft",
        method=_text(values, "peft_type") or "unknown",
        config=values,
        backbone=BackboneFacts(
            id=_text(values, "base_model_name_or_path"),
            revision=_text(values, "revision"),
            layers=max(numbers) + 1 if numbers else None,
        ),
        tensors=own,
        weights=[weights],
        size=bytes_of([weights]),
        head={"type": _text(values, "task_type"), "labels": None} if head else None,
        head_tensors=head,
        problems=tuple(_problems(values, own)),
        sizes=sizes_of(values),
    )


def _problems(values: Mapping[str, Any], own: Sequence[TensorFact]) -> Iterator[Problem]:
    yield from type_problems(own)
    yield from _halves(own)
    yield from _ranks(values, own)


def _halves(own: Sequence[TensorFact]) -> Iterator[Problem]:
    """A map with one of LoRA's two matrices."""
    names = {fact.name for fact in own}
    for fact in own:
        found = _PAIR.fullmatch(fact.name)
        other = found and f"{found[1]}{'B' if found[2] == 'A' else 'A'}{found[3] or ''}"
        if other and other not in names:
            yield Problem("tensors.missing", f"There is {fact.name}, but no {other}.")


def _ranks(values: Mapping[str, Any], own: Sequence[TensorFact]) -> Iterator[Problem]:
    """Matrices of another rank than the config says."""
    rank, patterns = values.get("r"), values.get("rank_pattern")
    if _text(values, "peft_type") != "LORA" or not isinstance(rank, int):
        return
    allowed = {rank, *(patterns.values() if isinstance(patterns, Mapping) else ())}
    for fact in own:
        if fact.name.endswith("lora_A.weight") and fact.shape and fact.shape[0] not in allowed:
            yield Problem(
                "tensors.shape", f"{fact.name} has the rank {fact.shape[0]}, but the config says r = {rank}."
            )


def _text(values: Mapping[str, Any], key: str) -> str | None:
    value = values.get(key)
    return value if isinstance(value, str) and value else None
