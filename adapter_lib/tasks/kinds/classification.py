"""Text classification: one class for a text or a pair of texts."""

from collections.abc import Mapping, Sequence
from typing import Any

from adapter_lib.tasks.columns import Part
from adapter_lib.tasks.features import Feature
from adapter_lib.tasks.kinds.texts import PAIR, TEXT, LabelledText, text_features, texts_of
from adapter_lib.tasks.labels import label_of, names_in_order, number_of
from adapter_lib.tasks.metrics import Measure
from adapter_lib.tasks.reading import Rows
from adapter_lib.tasks.task import Ask, Task, register_task

_LABEL = Part("label", ("label", "labels", "class", "category", "gold_label"))
_LABEL_NAME = Part("label_name", ("label_name", "label_text"), is_optional=True)


class Classification(Task[LabelledText[int], int]):
    """Answers are numbers of classes."""

    name = "classification"
    summary = "one class for a text or a pair of texts"
    parts = (TEXT, PAIR, _LABEL, _LABEL_NAME)
    head = "classification"

    def labels(self, rows: Rows, columns: Mapping[str, str]) -> tuple[str, ...]:
        """The classes that occur."""
        return names_in_order(rows, columns)

    def examples(
        self, rows: Rows, columns: Mapping[str, str], labels: Sequence[str]
    ) -> list[LabelledText[int]]:
        """Texts with the number of their class."""
        return [
            LabelledText(
                texts_of(rows, row, columns),
                number_of(label_of(rows, row, columns), labels, rows.where(row)),
            )
            for row in rows.rows
        ]

    def features(
        self, tokenizer: Any, examples: Sequence[LabelledText[int]], max_length: int
    ) -> list[Feature]:
        """One per example."""
        return text_features(tokenizer, examples, max_length)

    def answers(
        self, tokenizer: Any, examples: Sequence[LabelledText[int]], features: Sequence[Feature], ask: Ask
    ) -> list[int]:
        """The likeliest class of each example."""
        return ask(features, _classes)

    def measures(
        self, answers: Sequence[int], examples: Sequence[LabelledText[int]], labels: Sequence[str]
    ) -> list[Measure]:
        """Accuracy, macro-F1, Matthews' correlation."""
        # Imported here because scikit-learn is an extra.
        from adapter_lib.tasks.metrics.classes import class_measures

        return class_measures(answers, [example.label for example in examples])

    def unlabelled(self, text: str) -> LabelledText[int]:
        """The text, with any class."""
        return LabelledText((text,), 0)

    def told(self, answer: int, labels: Sequence[str]) -> str:
        """The label."""
        return labels[answer]


def _classes(model: Any, features: Sequence[Feature], batch: Mapping[str, Any]) -> list[int]:
    classes: list[int] = model(**batch).logits.argmax(dim=-1).tolist()
    return classes


register_task(Classification())
