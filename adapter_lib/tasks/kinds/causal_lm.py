"""Causal language modelling: the next word, over texts that are packed one after the other."""

from collections.abc import Mapping, Sequence
from typing import Any

from torch.nn import functional as F

from adapter_lib.tasks import cells
from adapter_lib.tasks.columns import Part
from adapter_lib.tasks.errors import DataError
from adapter_lib.tasks.features import IGNORED, Feature
from adapter_lib.tasks.metrics import Measure
from adapter_lib.tasks.metrics.likelihood import perplexity_measures
from adapter_lib.tasks.reading import Rows
from adapter_lib.tasks.task import Ask, Task, register_task

_TEXT = Part("text", ("text", "content", "document", "sentence"))


class CausalLM(Task[str, tuple[float, int]]):
    """Answers are the summed loss and the number of tokens of each piece of text."""

    name = "causal-lm"
    summary = "the next word of a text"
    parts = (_TEXT,)
    auto = "AutoModelForCausalLM"
    max_length = 512

    def examples(self, rows: Rows, columns: Mapping[str, str], labels: Sequence[str]) -> list[str]:
        """The texts."""
        return [cells.text(rows, row, columns["text"]) for row in rows.rows]

    def features(self, tokenizer: Any, examples: Sequence[str], max_length: int) -> list[Feature]:
        """All texts in a row, each followed by the end-of-text token, cut into pieces of `max_length`."""
        between = [] if tokenizer.eos_token_id is None else [tokenizer.eos_token_id]
        ids = [token for text in examples for token in [*_ids(tokenizer, text), *between]]
        pieces = [ids[start : start + max_length] for start in range(0, len(ids), max_length)]
        # One token alone predicts nothing.
        made = [_feature(piece) for piece in pieces if len(piece) > 1]
        if not made:
            raise DataError("The texts have fewer than two tokens in all: there is nothing to predict.")
        return made

    def answers(
        self, tokenizer: Any, examples: Sequence[str], features: Sequence[Feature], ask: Ask
    ) -> list[tuple[float, int]]:
        """One per piece."""
        return ask(features, _losses)

    def measures(
        self, answers: Sequence[tuple[float, int]], examples: Sequence[str], labels: Sequence[str]
    ) -> list[Measure]:
        """Perplexity."""
        return perplexity_measures(answers)


def _ids(tokenizer: Any, text: str) -> list[int]:
    ids: list[int] = tokenizer(text, add_special_tokens=False, verbose=False)["input_ids"]
    return ids


def _feature(piece: list[int]) -> Feature:
    return Feature({"input_ids": piece, "attention_mask": [1] * len(piece), "labels": piece})


def _losses(model: Any, features: Sequence[Feature], batch: Mapping[str, Any]) -> list[tuple[float, int]]:
    ids, mask = batch["input_ids"][:, 1:], batch["attention_mask"][:, 1:]
    logits = model(**batch).logits[:, :-1].float()
    wanted = ids.masked_fill(mask == 0, IGNORED)
    losses = F.cross_entropy(logits.transpose(1, 2), wanted, reduction="none", ignore_index=IGNORED)
    return list(zip(losses.sum(dim=1).tolist(), mask.sum(dim=1).tolist(), strict=True))


register_task(CausalLM())
