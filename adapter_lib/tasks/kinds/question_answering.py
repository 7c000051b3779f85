"""Extractive question answering: the span of a text that answers a question, or that none does."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from adapter_lib.tasks.columns import Part
from adapter_lib.tasks.features import Feature
from adapter_lib.tasks.kinds.asked import Asked, asked_of
from adapter_lib.tasks.kinds.windows import Window, windows
from adapter_lib.tasks.metrics import Measure
from adapter_lib.tasks.metrics.answers import answer_measures
from adapter_lib.tasks.reading import Rows
from adapter_lib.tasks.task import Ask, Task, register_task

_QUESTION = Part("question", ("question", "query"))
_CONTEXT = Part("context", ("context", "passage", "paragraph", "text"))
_ANSWERS = Part("answers", ("answers", "answer"))
# Longer spans are no answers.
_MOST_TOKENS = 30


class QuestionAnswering(Task[Asked, str]):
    """Answers are spans of the text; an empty one says that the text holds none."""

    name = "qa"
    summary = "the span of a text that answers a question"
    parts = (_QUESTION, _CONTEXT, _ANSWERS)
    head = "question_answering"
    max_length = 384
    needs_fast_tokenizer = True

    def examples(self, rows: Rows, columns: Mapping[str, str], labels: Sequence[str]) -> list[Asked]:
        """Questions with their texts and answers."""
        return [asked_of(rows, row, columns) for row in rows.rows]

    def features(self, tokenizer: Any, examples: Sequence[Asked], max_length: int) -> list[Feature]:
        """One per window over a text; a window without the answer points at its first token."""
        return windows(tokenizer, examples, max_length)

    def answers(
        self, tokenizer: Any, examples: Sequence[Asked], features: Sequence[Feature], ask: Ask
    ) -> list[str]:
        """The likeliest span over all windows; none if that is likelier and some questions have no answer."""
        found: dict[int, list[tuple[float, float, str]]] = defaultdict(list)
        for feature, best in zip(features, ask(features, _best_spans), strict=True):
            score, nothing, (begin, end) = best
            example = feature.notes.example
            found[example].append((score, nothing, examples[example].context[begin:end]))
        may_be_none = any(not example.answers for example in examples)
        return [_chosen(found[number], may_be_none=may_be_none) for number in range(len(examples))]

    def measures(
        self, answers: Sequence[str], examples: Sequence[Asked], labels: Sequence[str]
    ) -> list[Measure]:
        """F1 over words and exact match."""
        return answer_measures(answers, [example.answers for example in examples])


def _chosen(found: Sequence[tuple[float, float, str]], *, may_be_none: bool) -> str:
    score, _, answer = max(found)
    return "" if may_be_none and min(nothing for _, nothing, _ in found) > score else answer


def _best_spans(
    model: Any, features: Sequence[Feature], batch: Mapping[str, Any]
) -> list[tuple[float, float, tuple[int, int]]]:
    """Per window: the best span's score, that of no answer, and the span in the text's characters."""
    outputs = model(**batch)
    starts, ends = outputs.start_logits.float().cpu(), outputs.end_logits.float().cpu()
    return [
        _best_span(start, end, feature.notes)
        for start, end, feature in zip(starts, ends, features, strict=True)
    ]


def _best_span(starts: Any, ends: Any, window: Window) -> tuple[float, float, tuple[int, int]]:
    first, last = window.first, window.first + len(window.offsets)
    scores = starts[first:last, None] + ends[None, first:last]
    allowed = scores.new_ones(scores.shape).triu().tril(_MOST_TOKENS - 1).bool()
    best = int(scores.masked_fill(~allowed, -float("inf")).argmax())
    begin, end = divmod(best, scores.shape[1])
    nothing = float(starts[window.nothing] + ends[window.nothing])
    return float(scores[begin, end]), nothing, (window.offsets[begin][0], window.offsets[end][1])


register_task(QuestionAnswering())
