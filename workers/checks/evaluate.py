"""Step 8: how good is it? Accuracy on the suite of its task, beside what the bare backbone reaches."""

import random
import time
from collections import Counter
from collections.abc import Sequence
from typing import Any

import adapter_lib
from hubsite.core.errors import BadInput
from hubsite.validation.reports import Interval, Measurement
from hubsite.validation.steps import StepName
from hubsite.validation.suite_files import Row, SuiteDescription, read_description, read_split
from workers.baselines import majority, probe
from workers.case import SuiteFiles
from workers.checks.load import NAME
from workers.loaded import LoadedBackbone
from workers.metrics import accuracy
from workers.prediction import over_batches
from workers.registry import Phase, register
from workers.report import Report
from workers.subject import Subject

# A smoke evaluation is to cost seconds; larger test splits are sampled, always alike.
MOST_ROWS = 2000
SAMPLE_SEED = 1


def evaluate(subject: Subject, report: Report) -> None:
    """Measure what can be measured; without a task, a suite or a fitting head there is no score."""
    suite = subject.case.suite
    if not subject.case.task:
        report.note("evaluate.no_task")
        return
    if suite is None:
        report.note("evaluate.no_suite", task=subject.case.task)
        return
    if subject.manifest.head is None:
        report.note("evaluate.no_head")
        return
    try:
        description = read_description(suite.folder)
        order = label_order(subject.manifest.head.labels, description.labels)
        if order is None:
            actual, expected = list(subject.manifest.head.labels[:20]), description.labels[:20]
            report.warning("evaluate.label_mismatch", suite=suite.name, actual=actual, expected=expected)
            return
        test = sample(read_split(suite.folder, "test", description))
        _measure(subject, test, order, report)
        if subject.case.needs_baselines:
            _measure_baselines(subject, suite, description, test, report)
    except BadInput as error:
        report.error("hub.suite_unavailable", suite=suite.name, reason=error.message)


def label_order(head: Sequence[str], suite: Sequence[str]) -> list[int] | None:
    """For each of the head's outputs the suite's number of that label; None where the two sets differ."""
    numbers = {label.casefold(): number for number, label in enumerate(suite)}
    found = [numbers.get(label.strip().casefold()) for label in head]
    known = [number for number in found if number is not None]
    return known if sorted(known) == list(range(len(suite))) and len(known) == len(head) else None


def sample(rows: Sequence[Row]) -> list[Row]:
    """All rows, or MOST_ROWS of them drawn with a fixed seed, in their order."""
    if len(rows) <= MOST_ROWS:
        return list(rows)
    chosen = sorted(random.Random(SAMPLE_SEED).sample(range(len(rows)), MOST_ROWS))  # noqa: S311 - no secret
    return [rows[index] for index in chosen]


def _measure(subject: Subject, test: Sequence[Row], order: Sequence[int], report: Report) -> None:
    began = time.perf_counter()
    predicted = [order[index] for index in _predict(subject.backbone, [row.text for row in test])]
    seconds = time.perf_counter() - began
    result = accuracy(predicted, [row.label for row in test])
    report.measured(Measurement(result, len(test) / seconds, subject.backbone.device))
    report.log(f"accuracy {_words(result)} on {len(test)} examples, {len(test) / seconds:.0f} per second")
    commonest = max(Counter(row.label for row in test).values()) / len(test)
    if result.value <= commonest:
        report.warning("evaluate.below_majority", value=_words(result), majority=f"{commonest:.3f}")
    claimed = subject.case.claimed
    if claimed is not None and not result.low <= claimed <= result.high:
        report.note("evaluate.claim_differs", claimed=f"{claimed:.3f}", value=_words(result))


def _predict(backbone: LoadedBackbone, texts: Sequence[str]) -> list[int]:
    model: Any = backbone.model
    model.active_adapters = NAME
    return [
        int(index)
        for index in over_batches(backbone, texts, lambda inputs: model(**inputs).logits.argmax(-1))
    ]


def _measure_baselines(
    subject: Subject, suite: SuiteFiles, description: SuiteDescription, test: Sequence[Row], report: Report
) -> None:
    """Once per suite and backbone; the adapter is taken off first, which restores the backbone."""
    backbone = subject.backbone
    adapter_lib.detach(backbone.model)
    train, validation = (read_split(suite.folder, split, description) for split in ("train", "validation"))
    for measured in (majority(train, test), probe(backbone, train, validation, test)):
        report.measured(measured)
        report.log(f"{measured.kind.label} reaches {_words(measured.result)}")


def _words(result: Interval) -> str:
    return f"{result.value:.3f} (95 % {result.low:.3f} to {result.high:.3f})"


register(StepName.EVALUATE, Phase.MODEL, evaluate)
