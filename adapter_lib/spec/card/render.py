"""Writing a card that says all that is known of an adapter."""

import re
from dataclasses import dataclass
from typing import Any

from adapter_lib.spec.card.front_fields import TASK_KEY
from adapter_lib.spec.card.front_yaml import dump_front


@dataclass(frozen=True)
class Metric:
    """A measured number, e.g. ("accuracy", 0.91); fractions from 0 to 1 where the metric is one."""

    name: str
    value: float


@dataclass(frozen=True)
class CardContent:
    """All that a card tells; what is empty is left out.

    `method` is the name of the preset (`lora`, `seq_bn`), `settings` the values of its configuration that a
    reader wants to see, `labels` the labels in the order of the head's outputs, `snippet` Python code that
    uses the adapter.
    """

    title: str
    summary: str
    method: str
    backbone: str
    license: str
    backbone_revision: str = ""
    task: str = ""
    dataset: str = ""
    languages: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    metrics: tuple[Metric, ...] = ()
    settings: tuple[tuple[str, str], ...] = ()
    pipeline_tag: str = ""
    snippet: str = ""


def render_card(content: CardContent) -> str:
    """The text of README.md; the same content always gives the same text, and `parse_card` reads it back."""
    parts = [
        f"---\n{dump_front(_front(content))}---",
        f"# {_line(content.title)}",
        _line(content.summary),
        _code_block(content.snippet) if content.snippet else "",
        _table(content),
        _labels(content.labels) if content.labels else "",
        _results(content) if content.metrics else "",
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _front(content: CardContent) -> dict[str, Any]:
    front = {
        "language": list(content.languages),
        "license": content.license,
        "library_name": "adapter_lib",
        "tags": list(dict.fromkeys(["adapter_lib", content.method])),
        "datasets": [content.dataset] if content.dataset else [],
        "metrics": [metric.name for metric in content.metrics],
        "base_model": content.backbone,
        "base_model_relation": "adapter",
        "pipeline_tag": content.pipeline_tag,
        TASK_KEY: content.task,
        "model-index": [_model_index(content)] if content.metrics else [],
    }
    return {key: value for key, value in front.items() if value}


def _model_index(content: CardContent) -> dict[str, Any]:
    # The model hub refuses results without a task and a dataset.
    dataset = content.dataset or "unknown"
    result = {
        "task": {"type": content.pipeline_tag or content.task or "other"},
        "dataset": {"type": dataset, "name": dataset},
        "metrics": [{"type": metric.name, "value": metric.value} for metric in content.metrics],
    }
    return {"name": content.title, "results": [result]}


def _table(content: CardContent) -> str:
    rows = [
        ("Method", content.method),
        *content.settings,
        ("Backbone", content.backbone),
        ("Backbone revision", content.backbone_revision),
        ("Task", content.task),
        ("Trained on", content.dataset),
        ("Language", ", ".join(content.languages)),
        ("Licence", content.license),
    ]
    lines = [f"| {_cell(name)} | {_cell(value)} |" for name, value in rows if value]
    return "\n".join(["## What it is", "", "| | |", "|---|---|", *lines])


def _labels(labels: tuple[str, ...]) -> str:
    lines = [f"| {index} | {_cell(label)} |" for index, label in enumerate(labels)]
    return "\n".join(["## Labels", "", "| Output | Label |", "|---|---|", *lines])


def _results(content: CardContent) -> str:
    lines = [f"| {_cell(metric.name)} | {metric.value:.4g} |" for metric in content.metrics]
    intro = "Stated by the author; the hub measures its own score beside it."
    return "\n".join(["## Results", "", intro, "", "| Metric | Value |", "|---|---|", *lines])


def _code_block(code: str) -> str:
    longest = max((len(run) for run in re.findall(r"`+", code)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"## Use it\n\n{fence}python\n{code.strip()}\n{fence}"


def _line(text: str) -> str:
    return " ".join(text.split())


def _cell(text: str) -> str:
    return _line(text).replace("\\", "\\\\").replace("|", "\\|")
