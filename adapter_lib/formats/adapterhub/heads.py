"""The prediction head beside an adapter of AdapterHub's, as one of ours where there is one."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from torch import Tensor

from adapter_lib.formats.adapterhub.head_specs import (
    CONFIG_FILE,
    PICKLE_FILE,
    WEIGHTS_FILE,
    our_names,
    spec_of,
    why_not,
)
from adapter_lib.formats.reading import read_object, read_tensors
from adapter_lib.inject import Atlas
from adapter_lib.spec.heads import HeadSpec, LanguageModelSpec


@dataclass(frozen=True)
class ReadHead:
    """A head of ours with its tensors, or none; what of the files has no counterpart, and why."""

    spec: HeadSpec | None = None
    tensors: Mapping[str, Tensor] = field(default_factory=dict)
    set_aside: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def read_head(folder: Path, atlas: Atlas) -> ReadHead | None:
    """The head in a folder, None where there is none.

    Raises LoadError for files that are unsound, ConfigError for a value out of range.
    """
    if not (folder / CONFIG_FILE).is_file():
        return None
    config = read_object(folder / CONFIG_FILE).get("config")
    given, _ = read_tensors(folder, WEIGHTS_FILE, PICKLE_FILE)
    if isinstance(config, Mapping):
        reason = why_not(config)
        if reason is None:
            return _read(config, given, atlas)
    else:
        reason = "it is a part of the model that it was trained with"
    note = f"The head in {CONFIG_FILE} was left out: {reason}."
    return ReadHead(set_aside=dict.fromkeys(given, reason), notes=(note,))


def _read(config: Mapping[str, Any], given: Mapping[str, Tensor], atlas: Atlas) -> ReadHead:
    tensors = our_names(config, given)
    spec = spec_of(config, tensors, atlas)
    if not isinstance(spec, LanguageModelSpec) or not spec.tied:
        return ReadHead(spec, tensors)
    decoder = tensors.pop("decoder.weight")
    key = next(key for key, value in given.items() if value is decoder)
    return ReadHead(spec, tensors, {key: "the model's input embeddings again"})
