"""Which output columns of a fused linear map belong to which role."""

from typing import Any

import torch
from torch import Tensor, nn

from adapter_lib.families import Fused
from adapter_lib.spec.errors import FamilyError


def columns(
    fused: Fused, width: int, query: int | None, attention: nn.Module, config: Any
) -> dict[str, Tensor]:
    """Letter → the numbers of its columns, in order.

    width: all columns. query: those of q, where that is known from the output projection.
    attention: the module that attends, config: the model's; one of them tells the heads.
    """
    letters = tuple(fused.letters)
    layout = _falcon_layout(config) if fused.layout == "falcon" else fused.layout
    if layout == "blocks":
        return _blocks(letters, width, query)
    heads = _number(attention, config, "num_attention_heads", "num_heads", "n_head", "n_heads")
    if layout == "per_head":
        return _per_head(letters, width, heads)
    if layout == "grouped":
        groups = _number(attention, config, "num_kv_heads", "num_key_value_heads")
        return _grouped(width, heads, groups)
    raise FamilyError(f"There is no layout {fused.layout!r} of fused columns.")


def _blocks(letters: tuple[str, ...], width: int, query: int | None) -> dict[str, Tensor]:
    if "q" in letters and query is not None and len(letters) > 1:
        rest = (width - query) // (len(letters) - 1)
        sizes = [query if letter == "q" else rest for letter in letters]
    else:
        sizes = [width // len(letters)] * len(letters)
    if sum(sizes) != width:
        raise FamilyError(f"{width} fused columns cannot be shared out among {', '.join(letters)}.")
    return dict(zip(letters, torch.split(torch.arange(width), sizes), strict=True))


def _per_head(letters: tuple[str, ...], width: int, heads: int) -> dict[str, Tensor]:
    turns = torch.arange(width).view(heads, len(letters), -1)
    return {letter: turns[:, i].reshape(-1) for i, letter in enumerate(letters)}


def _grouped(width: int, heads: int, groups: int) -> dict[str, Tensor]:
    """Per key-value head: its query heads, its key, its value."""
    turns = torch.arange(width).view(groups, heads // groups + 2, -1)
    parts = {"q": turns[:, :-2], "k": turns[:, -2], "v": turns[:, -1]}
    return {letter: part.reshape(-1) for letter, part in parts.items()}


def _falcon_layout(config: Any) -> str:
    """Falcon's three generations of fused projections, told apart as its own code does."""
    if config.new_decoder_architecture:
        return "grouped"
    return "blocks" if config.multi_query else "per_head"


def _number(attention: nn.Module, config: Any, *names: str) -> int:
    for holder in (attention, getattr(attention, "config", None), config):
        for name in names:
            found = getattr(holder, name, None)
            if isinstance(found, int) and not isinstance(found, bool):
                return found
    raise FamilyError(f"{type(attention).__name__} does not tell its number of heads ({', '.join(names)}).")
