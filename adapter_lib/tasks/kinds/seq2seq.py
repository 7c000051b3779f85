"""Sequence to sequence: a text from a text, such as a summary or a translation."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from adapter_lib.tasks import cells
from adapter_lib.tasks.columns import Part
from adapter_lib.tasks.features import Feature, encoded
from adapter_lib.tasks.metrics import Measure
from adapter_lib.tasks.reading import Rows
from adapter_lib.tasks.task import Ask, Task, register_task

_SOURCE = Part("source", ("source", "input", "article", "document", "text", "dialogue"))
_TARGET = Part("target", ("target", "output", "summary", "highlights", "translation"))
# Tokens that an answer may have beyond the longest target.
_SPARE = 8


@dataclass(frozen=True)
class TextPair:
    """What is read and what should be written."""

    source: str
    target: str


class Seq2Seq(Task[TextPair, str]):
    """Answers are generated texts (greedily)."""

    name = "seq2seq"
    summary = "a text from a text"
    parts = (_SOURCE, _TARGET)
    auto = "AutoModelForSeq2SeqLM"
    max_length = 512

    def examples(self, rows: Rows, columns: Mapping[str, str], labels: Sequence[str]) -> list[TextPair]:
        """Sources with their targets."""
        return [
            TextPair(*(cells.text(rows, row, columns[part]) for part in ("source", "target")))
            for row in rows.rows
        ]

    def features(self, tokenizer: Any, examples: Sequence[TextPair], max_length: int) -> list[Feature]:
        """One per example; both texts are cut to the length."""
        return [
            Feature(
                {
                    **encoded(tokenizer, max_length, example.source),
                    "labels": tokenizer(text_target=example.target, truncation=True, max_length=max_length)[
                        "input_ids"
                    ],
                }
            )
            for example in examples
        ]

    def answers(
        self, tokenizer: Any, examples: Sequence[TextPair], features: Sequence[Feature], ask: Ask
    ) -> list[str]:
        """What the model writes."""
        longest = max(len(feature.inputs["labels"]) for feature in features) + _SPARE

        def written(model: Any, features: Sequence[Feature], batch: Mapping[str, Any]) -> list[str]:
            ids = model.generate(**batch, max_new_tokens=longest, do_sample=False, num_beams=1)
            texts: list[str] = tokenizer.batch_decode(ids, skip_special_tokens=True)
            return texts

        return ask(features, written)

    def measures(
        self, answers: Sequence[str], examples: Sequence[TextPair], labels: Sequence[str]
    ) -> list[Measure]:
        """ROUGE-L, ROUGE-1 and chrF."""
        # Imported here because rouge-score and sacrebleu are extras.
        from adapter_lib.tasks.metrics.texts import text_measures

        return text_measures(answers, [example.target for example in examples])

    def unlabelled(self, text: str) -> TextPair:
        """The text; the answer may be as long as it is."""
        return TextPair(text, text)


register_task(Seq2Seq())
