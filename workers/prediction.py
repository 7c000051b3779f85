"""Running a model over many texts: batches of equal length, answers in the texts' own order."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import torch
from torch import Tensor

from workers.loaded import LoadedBackbone

BATCH = 32

Inputs = dict[str, Tensor]


@torch.inference_mode()
def over_batches(
    backbone: LoadedBackbone, texts: Sequence[str], answer: Callable[[Inputs], Tensor]
) -> Tensor:
    """`answer` maps a batch of B texts to [B, …]; the result is [len(texts), …] on the CPU.

    Texts are sorted by their number of tokens, so that little is padded; `texts` must not be empty.
    """
    encoded = backbone.tokenizer(list(texts), truncation=True, max_length=backbone.longest)
    order = sorted(range(len(texts)), key=lambda index: len(encoded["input_ids"][index]))
    answers = torch.cat([answer(batch).cpu() for batch in _batches(backbone, encoded, order)])
    result = torch.empty_like(answers)
    result[torch.tensor(order)] = answers
    return result


def _batches(backbone: LoadedBackbone, encoded: Any, order: Sequence[int]) -> Iterator[Inputs]:
    for begin in range(0, len(order), BATCH):
        chosen = order[begin : begin + BATCH]
        rows = {name: [values[index] for index in chosen] for name, values in encoded.items()}
        padded = backbone.tokenizer.pad(rows, return_tensors="pt")
        yield {name: values.to(backbone.device) for name, values in padded.items()}
