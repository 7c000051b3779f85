"""Texts that are longer than a model reads, in windows that overlap."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from adapter_lib.tasks.errors import DataError
from adapter_lib.tasks.features import Feature
from adapter_lib.tasks.kinds.asked import Asked

# The share of a window that the next one repeats.
_OVERLAP = 0.3


@dataclass(frozen=True)
class Window:
    """What a window shows: characters of the example's text per token from `first` on.

    nothing: the token that stands for no answer.
    """

    example: int
    first: int
    offsets: tuple[tuple[int, int], ...]
    nothing: int


def windows(tokenizer: Any, examples: Sequence[Asked], max_length: int) -> list[Feature]:
    """Every window over every text, with the tokens where the answer begins and ends as labels.

    Raises DataError for a question that leaves no room for the text.
    """
    return [
        feature
        for number, example in enumerate(examples)
        for feature in _of_one(tokenizer, number, example, max_length)
    ]


def _of_one(tokenizer: Any, number: int, example: Asked, max_length: int) -> list[Feature]:
    room = _room(tokenizer, example, max_length)
    found = tokenizer(
        example.question,
        example.context,
        truncation="only_second",
        max_length=max_length,
        stride=int(_OVERLAP * room),
        return_overflowing_tokens=True,
        return_offsets_mapping=True,
        return_attention_mask=True,
    )
    inputs = {key: rows for key, rows in found.items() if key in tokenizer.model_input_names}
    made = []
    for i, offsets in enumerate(found["offset_mapping"]):
        places = [token for token, part in enumerate(found.sequence_ids(i)) if part == 1]
        if not places:
            continue
        shown = tuple(offsets[token] for token in places)
        nothing = _nothing(tokenizer, found["input_ids"][i])
        begin, end = _tokens(example, shown, places[0]) or (nothing, nothing)
        own = {key: rows[i] for key, rows in inputs.items()}
        made.append(
            Feature(
                {**own, "start_positions": begin, "end_positions": end},
                Window(number, places[0], shown, nothing),
            )
        )
    return made


def _room(tokenizer: Any, example: Asked, max_length: int) -> int:
    """Tokens of a window that are left for the text."""
    question = len(tokenizer(example.question, add_special_tokens=False)["input_ids"])
    room: int = max_length - question - tokenizer.num_special_tokens_to_add(pair=True)
    if room < max_length // 4:
        raise DataError(
            f"{example.where}: the question has {question} tokens, which leaves no room for the text in "
            f"{max_length}: raise --max-length or shorten it."
        )
    return room


def _nothing(tokenizer: Any, ids: Sequence[int]) -> int:
    begins: int | None = tokenizer.cls_token_id
    return 0 if begins is None or begins not in ids else list(ids).index(begins)


def _tokens(example: Asked, shown: Sequence[tuple[int, int]], first: int) -> tuple[int, int] | None:
    """The first and last token of the answer, or None if the window does not show all of it."""
    span = example.span
    if span is None or span[0] < shown[0][0] or span[1] > shown[-1][1]:
        return None
    inside = [i for i, (begin, end) in enumerate(shown) if begin < span[1] and end > span[0]]
    return (first + inside[0], first + inside[-1]) if inside else None
