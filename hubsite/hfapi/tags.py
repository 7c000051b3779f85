"""The tags that tools filter by, and the filters on lists that they stand for (hf_protocol 3.3)."""

from django.db.models import Exists, OuterRef, Q

from hubsite.hfapi.facts import RepoFacts
from hubsite.registry.models import Card, RepoKind

LIBRARY = "adapter_lib"
# Old and new name of one library; its clients list by either.
_ADAPTER_LIBRARIES = frozenset({LIBRARY, "adapters", "adapter-transformers"})


def tags_of(facts: RepoFacts) -> list[str]:
    """Library, method, task, languages, and `key:value` tags, then the card's own; each once."""
    found = [library_of(facts)] if library_of(facts) else []
    if facts.card is not None:
        found += _card_tags(facts.card)
    text = facts.card_text
    found += [*text.languages, *text.tags]
    found += [f"dataset:{name}" for name in text.datasets]
    if text.license:
        found.append(f"license:{text.license}")
    return list(dict.fromkeys(tag for tag in found if tag))


def library_of(facts: RepoFacts) -> str:
    """The library that loads the repository: the card's word, else what its kind says; "" for datasets."""
    named = facts.front.get("library_name")
    if isinstance(named, str) and named:
        return named
    return {RepoKind.ADAPTER: LIBRARY, RepoKind.BACKBONE: "transformers"}.get(RepoKind(facts.repo.kind), "")


def _card_tags(card: Card) -> list[str]:
    found = [card.method, card.task.slug if card.task else ""]
    found += [language.code for language in card.languages.all()]
    if card.license:
        found.append(f"license:{card.license}")
    if card.dataset:
        found.append(f"dataset:{card.dataset}")
    if card.backbone:
        found += [f"base_model:{card.backbone.name}", f"base_model:adapter:{card.backbone.name}"]
    return found


def tag_filter(tag: str) -> Q:
    """The condition on listed repositories (with their `shown_commit`) that have `tag`.

    Tags that stand in a README.md alone are not stored, so a list does not find them.
    """
    if tag in _ADAPTER_LIBRARIES:
        return Q(kind=RepoKind.ADAPTER)
    if tag == "transformers":
        return Q(kind=RepoKind.BACKBONE)
    return Q(Exists(Card.objects.filter(_card_condition(tag), commit=OuterRef("shown_commit"))))


def _card_condition(tag: str) -> Q:
    key, _, value = tag.partition(":")
    if value and key == "license":
        return Q(license=value.lower())
    if value and key == "dataset":
        return Q(dataset=value)
    if value and key == "base_model":
        return Q(backbone__name=value.removeprefix("adapter:"))
    return Q(method=tag) | Q(task__slug=tag) | Q(languages__code=tag.lower())
