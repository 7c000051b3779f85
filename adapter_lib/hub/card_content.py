"""From a manifest and what the publisher adds to the content of a card."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from adapter_lib.hub.settings import Hub
from adapter_lib.spec.card import CardContent, Metric
from adapter_lib.spec.configs import MethodConfig, config_to_dict, members_of
from adapter_lib.spec.manifest import Manifest
from adapter_lib.spec.snippet import snippet

_PIPELINES = {
    "classification": "text-classification",
    "multilabel": "text-classification",
    "tagging": "token-classification",
    "question_answering": "question-answering",
    "multiple_choice": "multiple-choice",
    "masked_lm": "fill-mask",
    "causal_lm": "text-generation",
    "seq2seq_lm": "text2text-generation",
    "image_classification": "image-classification",
}


@dataclass(frozen=True)
class Details:
    """What only the publisher knows. `metrics` are fractions by name, `languages` BCP-47 tags."""

    task: str
    license: str
    dataset: str | None = None
    languages: tuple[str, ...] = ()
    metrics: Mapping[str, float] | None = None
    summary: str | None = None


def card_content(hub: Hub, repo_id: str, manifest: Manifest, details: Details) -> CardContent:
    """The card of the adapter at `repo_id`."""
    name = repo_id.partition("/")[2]
    method, head = manifest.config.name(), manifest.head
    labels = head.labels if head else ()
    trained = f" Trained on {details.dataset}." if details.dataset else ""
    return CardContent(
        title=name,
        summary=details.summary
        or f"A {method} adapter for {details.task} on {manifest.backbone.id}.{trained}",
        method=method,
        backbone=manifest.backbone.id,
        backbone_revision=manifest.backbone.revision or "",
        license=details.license,
        task=details.task,
        dataset=details.dataset or "",
        languages=details.languages,
        labels=labels,
        metrics=tuple(Metric(key, float(value)) for key, value in (details.metrics or {}).items()),
        settings=_configuration(manifest.config),
        pipeline_tag=_PIPELINES.get(head.type, "") if head else "",
        snippet=snippet(repo_id, labels=labels, endpoint=hub.endpoint),
    )


def as_languages(language: str | Sequence[str]) -> tuple[str, ...]:
    """One tag or several as a tuple."""
    return (language,) if isinstance(language, str) else tuple(language)


def _configuration(config: MethodConfig) -> tuple[tuple[str, str], ...]:
    """One row of settings, of a union one for each of its members."""
    members = members_of(config)
    if len(members) == 1:
        return (("Configuration", _settings(config_to_dict(members[0]))),)
    return tuple((f"Configuration: {member.name()}", _settings(config_to_dict(member))) for member in members)


def _settings(values: Mapping[str, Any]) -> str:
    return ", ".join(f"{key}={_shown(value)}" for key, value in values.items())


def _shown(value: Any) -> str:
    return "+".join(map(str, value)) or "none" if isinstance(value, list) else str(value)
