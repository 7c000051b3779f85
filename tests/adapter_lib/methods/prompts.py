"""What soft prompts mean, without the library: prompts are words that the vocabulary did not have before."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from adapter_lib.families import paths, resolve
from tests.adapter_lib.tiny import VOCABULARY

_FIRST_WORD = 5


def lead(mask: Tensor) -> int:
    """The number of the first token of a row [S] that is no padding."""
    return int((mask.cumsum(0) == 0).sum())


def inserted(rows: Tensor, masks: Tensor, words: Tensor, behind: int) -> Tensor:
    """Rows [B, S, …] with words [n, …] in front of (behind 0) or behind (1) each one's first token."""
    cut = [(row, lead(mask) + behind) for row, mask in zip(rows, masks, strict=True)]
    return torch.stack([torch.cat([row[:at], words, row[at:]]) for row, at in cut])


def without(rows: Tensor, masks: Tensor, count: int, behind: int) -> Tensor:
    """Undoes `inserted` for rows [B, n + S, …]."""
    cut = [(row, lead(mask) + behind) for row, mask in zip(rows, masks, strict=True)]
    return torch.stack([torch.cat([row[:at], row[at + count :]]) for row, at in cut])


def as_words(base: Any, given: dict[str, Any], prompt: Tensor, behind: int = 0) -> dict[str, Any]:
    """Inputs with unused words for a prompt [n, d]; their embeddings in `base` become the prompt's."""
    found = resolve(base)
    tower = next(tower for tower in found.towers if tower.table.tokens is not None)
    table: Any = paths.get(found.base, str(tower.table.tokens))
    words = torch.tensor(_unused(given["input_ids"], len(prompt)))
    scale = float(getattr(table, "embed_scale", 1.0))
    with torch.no_grad():
        table.weight[words] = prompt / scale
    mask = given["attention_mask"]
    ones = torch.ones(len(prompt), dtype=mask.dtype)
    ids = inserted(given["input_ids"], mask, words, behind)
    return given | {"input_ids": ids, "attention_mask": inserted(mask, mask, ones, behind)}


def prompts_of(model: nn.Module, name: str) -> Sequence[Tensor]:
    """The prompts of an adapter, one per tower."""
    anything: Any = model
    return [part.made().detach() for part in anything.adapter_runtime.injection.members(name)]


def _unused(ids: Tensor, count: int) -> list[int]:
    used = set(ids.flatten().tolist())
    return [word for word in range(_FIRST_WORD, VOCABULARY) if word not in used][:count]
