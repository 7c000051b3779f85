"""Regression: one number for a text or a pair of texts, such as how alike two sentences are."""

from collections.abc import Mapping, Sequence
from typing import Any

from adapter_lib.tasks import cells
from adapter_lib.tasks.columns import Part
from adapter_lib.tasks.features import Feature
from adapter_lib.tasks.kinds.texts import PAIR, TEXT, LabelledText, text_features, texts_of
from adapter_lib.tasks.metrics import Measure
from adapter_lib.tasks.reading import Rows
from adapter_lib.tasks.task import Ask, Task, register_task

_LABEL = Part("label", ("label", "score", "similarity_score", "value", "rating", "stars"))


class Regression(Task[LabelledText[float], float]):
    """Answers are numbers."""

    name = "regression"
    summary = "one number for a text or a pair of texts"
    parts = (TEXT, PAIR, _LABEL)
    head = "regression"

    def examples(
        self, rows: Rows, columns: Mapping[str, str], labels: Sequence[str]
    ) -> list[LabelledText[float]]:
        """Texts with their number."""
        return [
            LabelledText(texts_of(rows, row, columns), cells.number(rows, row, columns["label"]))
            for row in rows.rows
        ]

    def features(
        self, tokenizer: Any, examples: Sequence[LabelledText[float]], max_length: int
    ) -> list[Feature]:
        """One per example."""
        return text_features(tokenizer, examples, max_length)

    def answers(
        self, tokenizer: Any, examples: Sequence[LabelledText[float]], features: Sequence[Feature], ask: Ask
    ) -> list[float]:
        """The head's output for each example."""
        return ask(features, _values)

    def measures(
        self, answers: Sequence[float], examples: Sequence[LabelledText[float]], labels: Sequence[str]
    ) -> list[Measure]:
        """Pearson's and Spearman's correlation, mean squared error."""
        # Imported here because scipy is an extra.
        from adapter_lib.tasks.metrics.numbers import number_measures

        return number_measures(answers, [example.label for example in examples])

    def unlabelled(self, text: str) -> LabelledText[float]:
        """The text, with any number."""
        return LabelledText((text,), 0.0)


def _values(model: Any, features: Sequence[Feature], batch: Mapping[str, Any]) -> list[float]:
    values: list[float] = model(**batch).logits.float().reshape(len(features)).tolist()
    return values


register_task(Regression())
