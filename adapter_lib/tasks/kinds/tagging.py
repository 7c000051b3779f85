"""Tagging: one tag for every word, such as the names in a sentence."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from adapter_lib.tasks import cells
from adapter_lib.tasks.columns import Part
from adapter_lib.tasks.errors import DataError
from adapter_lib.tasks.features import IGNORED, Feature
from adapter_lib.tasks.labels import number_of, tags_in_order
from adapter_lib.tasks.metrics import Measure
from adapter_lib.tasks.reading import Rows
from adapter_lib.tasks.task import Ask, Task, register_task

_TOKENS = Part("tokens", ("tokens", "words"))
_TAGS = Part("tags", ("tags", "ner_tags", "pos_tags", "chunk_tags", "upos", "labels", "label"))


@dataclass(frozen=True)
class TaggedWords:
    """Words and the number of each one's tag."""

    words: tuple[str, ...]
    tags: tuple[int, ...]


class Tagging(Task[TaggedWords, list[int]]):
    """Answers are numbers of tags, one per word."""

    name = "tagging"
    summary = "one tag for every word"
    parts = (_TOKENS, _TAGS)
    head = "tagging"
    needs_fast_tokenizer = True

    def labels(self, rows: Rows, columns: Mapping[str, str]) -> tuple[str, ...]:
        """The tags that occur, `O` first."""
        column = columns["tags"]
        return tags_in_order(
            rows, column, (tag for row in rows.rows for tag in cells.words(rows, row, column))
        )

    def examples(self, rows: Rows, columns: Mapping[str, str], labels: Sequence[str]) -> list[TaggedWords]:
        """Words with the numbers of their tags."""
        found = []
        for row in rows.rows:
            words, tags = (cells.words(rows, row, columns[part]) for part in ("tokens", "tags"))
            if len(words) != len(tags):
                raise DataError(
                    f"{rows.where(row)} has {len(words)} words and {len(tags)} tags: each word needs one tag."
                )
            found.append(TaggedWords(words, tuple(number_of(tag, labels, rows.where(row)) for tag in tags)))
        return found

    def features(self, tokenizer: Any, examples: Sequence[TaggedWords], max_length: int) -> list[Feature]:
        """One per example; the first token of a word carries its tag. The notes: (word, its first token)."""
        return [_feature(tokenizer, example, max_length) for example in examples]

    def answers(
        self, tokenizer: Any, examples: Sequence[TaggedWords], features: Sequence[Feature], ask: Ask
    ) -> list[list[int]]:
        """A tag per word; words that were cut off are answered by the first tag, `O`."""
        found = []
        for example, feature, tags in zip(examples, features, ask(features, _tags), strict=True):
            answer = [0] * len(example.words)
            for word, token in feature.notes:
                answer[word] = tags[token]
            found.append(answer)
        return found

    def measures(
        self, answers: Sequence[list[int]], examples: Sequence[TaggedWords], labels: Sequence[str]
    ) -> list[Measure]:
        """F1, precision and recall over spans, accuracy over words."""
        # Imported here because seqeval is an extra.
        from adapter_lib.tasks.metrics.spans import tag_measures

        given, wanted = (
            [[labels[tag] for tag in tags] for tags in found] for found in (answers, _wanted(examples))
        )
        return tag_measures(given, wanted)

    def unlabelled(self, text: str) -> TaggedWords:
        """The words between spaces, with any tags."""
        words = tuple(text.split())
        return TaggedWords(words, (0,) * len(words))

    def told(self, answer: list[int], labels: Sequence[str]) -> list[str]:
        """The tags."""
        return [labels[tag] for tag in answer]


def _wanted(examples: Sequence[TaggedWords]) -> list[list[int]]:
    return [list(example.tags) for example in examples]


def _feature(tokenizer: Any, example: TaggedWords, max_length: int) -> Feature:
    found = tokenizer(
        list(example.words),
        is_split_into_words=True,
        truncation=True,
        max_length=max_length,
        return_attention_mask=True,
    )
    firsts: dict[int, int] = {}
    for token, word in enumerate(found.word_ids()):
        if word is not None:
            firsts.setdefault(word, token)
    labels = [IGNORED] * len(found["input_ids"])
    for word, token in firsts.items():
        labels[token] = example.tags[word]
    return Feature({**found, "labels": labels}, tuple(firsts.items()))


def _tags(model: Any, features: Sequence[Feature], batch: Mapping[str, Any]) -> list[list[int]]:
    tags: list[list[int]] = model(**batch).logits.argmax(dim=-1).tolist()
    return tags


register_task(Tagging())
