"""Encoded examples, and batches of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

# What is written where there is no token: labels there count for no loss.
IGNORED = -100


@dataclass(frozen=True)
class Feature:
    """What a model reads of one example, or of one piece of it.

    inputs: by the forward's argument, a number or one number per token.
    notes: what turns outputs back into an answer; never given to the model.
    """

    inputs: Mapping[str, Any]
    notes: Any = None

    @property
    def length(self) -> int:
        """Its number of tokens."""
        return len(self.inputs["input_ids"])


class Padding:
    """Makes batches [B, S]: each argument padded on the right to the longest of the batch."""

    def __init__(self, pad_token_id: int) -> None:
        self._values = {"input_ids": pad_token_id, "labels": IGNORED}

    def __call__(self, features: Sequence[Feature]) -> dict[str, Tensor]:
        """The batch of some features."""
        names = features[0].inputs.keys()
        return {name: self._padded(name, [feature.inputs[name] for feature in features]) for name in names}

    def _padded(self, name: str, values: Sequence[Any]) -> Tensor:
        if not isinstance(values[0], list):
            return torch.tensor(values)
        longest, padding = max(map(len, values)), self._values.get(name, 0)
        return torch.tensor([[*row, *[padding] * (longest - len(row))] for row in values])


def encoded(tokenizer: Any, max_length: int, *texts: str, **options: Any) -> dict[str, list[int]]:
    """Ids, mask and what else the tokenizer's model reads of a text or a pair of texts, cut to a length."""
    found = tokenizer(*texts, truncation=True, max_length=max_length, return_attention_mask=True, **options)
    return dict(found)
