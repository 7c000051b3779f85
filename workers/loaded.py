"""Backbones in memory. A worker keeps the last few; its children share them by fork."""

import os
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from transformers import AutoModel, AutoTokenizer, PreTrainedModel, PreTrainedTokenizerBase
from transformers.utils import logging as transformers_logging

from workers.case import BackboneFiles

KEPT = 2


@dataclass(frozen=True)
class LoadedBackbone:
    """A bare model in evaluation mode with its tokenizer."""

    model: PreTrainedModel
    tokenizer: PreTrainedTokenizerBase
    device: str

    @property
    def longest(self) -> int:
        """The most tokens the model takes at once, at most 512."""
        limits = [512, int(self.tokenizer.model_max_length)]
        positions = getattr(self.model.config, "max_position_embeddings", None)
        return min([*limits, *([int(positions)] if positions else [])])


_RESIDENT: "OrderedDict[tuple[str, str], LoadedBackbone]" = OrderedDict()


def resident(files: BackboneFiles, device: str) -> LoadedBackbone:
    """The backbone, loaded if it is not in memory yet; the one that was used longest ago goes for it.

    Raises OSError or ValueError for files that are no model of a kind transformers knows.
    """
    key = (str(files.folder), device)
    if key not in _RESIDENT:
        _RESIDENT[key] = load(files.folder, device)
        while len(_RESIDENT) > KEPT:
            _RESIDENT.popitem(last=False)
    _RESIDENT.move_to_end(key)
    return _RESIDENT[key]


def is_resident(files: BackboneFiles, device: str) -> bool:
    """Whether the backbone is in memory."""
    return (str(files.folder), device) in _RESIDENT


def load(folder: Path, device: str) -> LoadedBackbone:
    """Load model and tokenizer from files alone: safetensors only, no code from the folder, no network."""
    # Nobody watches a worker's terminal; its news are the steps of the run.
    transformers_logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    safe: dict[str, Any] = {"local_files_only": True, "trust_remote_code": False}
    model = AutoModel.from_pretrained(folder, use_safetensors=True, dtype=torch.float32, **safe)
    tokenizer = AutoTokenizer.from_pretrained(folder, **safe)
    if tokenizer.pad_token is None:
        # Padding is masked out, so any known token serves.
        tokenizer.pad_token = tokenizer.eos_token
    return LoadedBackbone(model.eval().requires_grad_(False).to(device), tokenizer, device)


def use_one_thread() -> None:
    """Keep this process able to fork children that compute: torch must never have run in parallel here."""
    torch.set_num_threads(1)


def use_all_threads() -> None:
    """In a child: as many threads as there are cores, or as OMP_NUM_THREADS says."""
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "0")) or os.cpu_count() or 1)


def device() -> str:
    """`cuda` where there is one, else `cpu`."""
    return "cuda" if torch.cuda.is_available() else "cpu"


def forget() -> None:
    """Drop all backbones from memory."""
    _RESIDENT.clear()
