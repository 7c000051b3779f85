"""What is wrong with a checkpoint's numbers."""

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence

from torch import Tensor

from adapter_lib.inspection.checkpoints.report import Checkpoint, Problem
from adapter_lib.inspection.checkpoints.tensors import values_of

_NUMBER = re.compile(r"\d+")


def value_problems(checkpoint: Checkpoint) -> list[Problem]:
    """Numbers that are not finite, and matrices that are zero everywhere.

    One matrix may be zero; where all of one name are (every `lora_b`), the adapter was never trained.
    """
    found: list[Problem] = []
    is_zero: dict[str, list[bool]] = defaultdict(list)
    for path in checkpoint.weights:
        for name, tensor in values_of(path):
            found += _not_finite(name, tensor)
            if tensor.dim() > 1:
                # The same tensor of every layer has one name but for numbers.
                is_zero[_NUMBER.sub("N", name)].append(not bool(tensor.any()))
    return [*found, *_zeros(is_zero)]


def _not_finite(name: str, tensor: Tensor) -> Iterator[Problem]:
    if not tensor.is_floating_point():
        return
    for word, mask in (("NaN", tensor.isnan()), ("infinite", tensor.isinf())):
        count = int(mask.sum())
        if count:
            yield Problem(
                f"values.{word.lower()}", f"{name} has {count} of {tensor.numel()} numbers that are {word}."
            )


def _zeros(is_zero: dict[str, list[bool]]) -> Sequence[Problem]:
    return [
        Problem("values.zero", f"Every {name} is zero everywhere: was the adapter trained?")
        for name, zeros in is_zero.items()
        if all(zeros)
    ]
