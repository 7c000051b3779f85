"""What an adapter's commit says of itself.

Nothing here refuses a commit: what cannot be used becomes a warning, and validation decides.
"""

from dataclasses import dataclass, field

from adapter_lib.spec.card import CARD_FILE, CardText, parse_card
from adapter_lib.spec.configs import canonical_hash, config_to_dict
from adapter_lib.spec.manifest import (
    CONFIG_FILE,
    HEAD_PREFIX,
    WEIGHTS_FILE,
    Manifest,
    ManifestError,
    parse_manifest,
)
from adapter_lib.spec.manifest import MAX_BYTES as _CONFIG_LIMIT
from adapter_lib.spec.safetensors_header import HeaderError
from hubsite.core.errors import BadInput
from hubsite.registry.models import Backbone, Card, Commit, Language, Task
from hubsite.registry.selectors import backbones
from hubsite.registry.services.backbones import on_first_sight
from hubsite.registry.services.content import Content

_README_LIMIT = 500_000


@dataclass
class _Draft:
    """A card in the making, with the sentences its owner will read."""

    card: Card
    warnings: list[str] = field(default_factory=list)


def describe(commit: Commit, content: Content) -> Card:
    """Make the Card of `commit` from its README.md, adapter_config.json and the header of its weights."""
    text = parse_card(content.read(CARD_FILE, _README_LIMIT) or b"")
    draft = _Draft(Card(commit=commit), list(text.warnings))
    manifest = _manifest(content, draft)
    _fill_text(draft, text)
    _fill_method(draft, manifest)
    _fill_weights(draft, content)
    draft.card.backbone = _backbone(draft, manifest, text)
    draft.card.task = _task(draft, text)
    languages = _languages(draft, text)
    draft.card.warnings = draft.warnings
    draft.card.save()
    draft.card.languages.set(languages)
    return draft.card


def _manifest(content: Content, draft: _Draft) -> Manifest | None:
    data = content.read(CONFIG_FILE, _CONFIG_LIMIT)
    if data is None:
        draft.warnings.append(f"There is no {CONFIG_FILE}; save the adapter with save_adapter.")
        return None
    try:
        return parse_manifest(data)
    except ManifestError as error:
        draft.warnings.append(error.message)
        return None


def _fill_text(draft: _Draft, text: CardText) -> None:
    card = draft.card
    card.summary, card.body, card.license = text.summary, text.body, text.license
    card.dataset = text.datasets[0] if text.datasets else ""
    card.claims = [
        {
            "metric": claim.metric,
            "value": claim.value if claim.fraction is None else claim.fraction,
            "dataset": claim.dataset,
        }
        for claim in text.claims
    ]


def _fill_method(draft: _Draft, manifest: Manifest | None) -> None:
    if manifest is None:
        return
    card = draft.card
    card.method = manifest.config.name()
    card.config = config_to_dict(manifest.config)
    card.config_hash = canonical_hash(manifest.config)
    revision = manifest.backbone.revision or ""
    card.backbone_revision = revision[:64] if revision.isprintable() else ""


def _fill_weights(draft: _Draft, content: Content) -> None:
    blob = content.blob(WEIGHTS_FILE)
    if blob is None:
        draft.warnings.append(f"There is no {WEIGHTS_FILE}; save the adapter with save_adapter.")
        return
    draft.card.weights_sha256, draft.card.weights_size = blob.sha256, blob.size
    try:
        tensors = content.header(blob).tensors
    except HeaderError as error:
        draft.warnings.append(f"{WEIGHTS_FILE}: {error.message}")
        return
    draft.card.parameters = sum(
        tensor.elements for tensor in tensors if not tensor.name.startswith(HEAD_PREFIX)
    )


def _backbone(draft: _Draft, manifest: Manifest | None, text: CardText) -> Backbone | None:
    """The manifest's word counts: it was written by the library that trained; a card's must agree."""
    if manifest is None or not manifest.backbone.id:
        return backbones.by_name(text.base_model) if text.base_model else None
    try:
        found = on_first_sight(manifest.backbone)
    except BadInput as error:
        draft.warnings.append(f"{CONFIG_FILE}: {error.message}")
        return None
    if text.base_model and backbones.by_name(text.base_model) != found:
        draft.warnings.append(
            f"The card says base_model {text.base_model}, {CONFIG_FILE} says {manifest.backbone.id}; "
            "the latter counts."
        )
    return found


def _task(draft: _Draft, text: CardText) -> Task | None:
    """`adapter_task`, else the first tag that is a task."""
    if text.task:
        task = Task.objects.filter(slug=text.task).first()
        if task is None:
            draft.warnings.append(
                f"The task {text.task!r} is not known here; choose one of the hub's list for adapter_task."
            )
        return task
    tagged = {task.slug: task for task in Task.objects.filter(slug__in=text.tags)}
    found = next((tagged[tag] for tag in text.tags if tag in tagged), None)
    if found is None:
        draft.warnings.append("The card names no task; add a line such as `adapter_task: sentiment`.")
    return found


def _languages(draft: _Draft, text: CardText) -> list[Language]:
    """By primary tag: `pt-br` is filed under `pt`."""
    primary = {tag: tag.partition("-")[0] for tag in text.languages}
    known = {language.code: language for language in Language.objects.filter(code__in=primary.values())}
    for tag, code in primary.items():
        if code not in known:
            draft.warnings.append(
                f"The language {tag!r} is not known here; write an ISO 639 code such as en."
            )
    return list(known.values())
