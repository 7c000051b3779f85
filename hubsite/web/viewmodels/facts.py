"""The facts of an adapter, as pairs of a word and a value."""

from dataclasses import dataclass
from urllib.parse import urlencode

from django.urls import reverse

from hubsite.registry.models import Backbone, Card, Repo
from hubsite.web import numbers
from hubsite.web.viewmodels.methods import MethodView


@dataclass(frozen=True)
class Fact:
    """`url` is empty where the value leads nowhere; `note` stands behind it in a lighter tone."""

    label: str
    value: str
    url: str = ""
    note: str = ""


def facts_of(repo: Repo, card: Card, method: MethodView, *, backbone_visible: bool) -> list[Fact]:
    """What is known, in the order people ask for it; the unknown is left out."""
    facts = [
        *([_backbone(card.backbone, visible=backbone_visible)] if card.backbone else []),
        Fact("Method", method.text, _browse("method", card.method)),
        _parameters(card),
        Fact("Weights", numbers.file_size(card.weights_size)),
        Fact(
            "Task", card.task.name if card.task else "", _browse("task", card.task.slug if card.task else "")
        ),
        Fact("Trained on", card.dataset),
        Fact("Language", ", ".join(language.name for language in card.languages.all())),
        Fact("Licence", card.license),
        Fact("Downloads", numbers.exact(repo.downloads)),
    ]
    return [fact for fact in facts if fact.value]


def _browse(facet: str, value: str) -> str:
    return f"{reverse('browse')}?{urlencode({facet: value})}" if value else ""


def _backbone(backbone: Backbone, *, visible: bool) -> Fact:
    shape = [f"{backbone.num_layers} layers"] if backbone.num_layers else []
    shape += [f"{backbone.hidden_size} wide"] if backbone.hidden_size else []
    url = _browse("backbone", backbone.name)
    if backbone.repo and visible:
        url = reverse("adapter", args=[backbone.repo.namespace.name, backbone.repo.name])
    return Fact("Backbone", backbone.name, url, ", ".join(shape))


def _parameters(card: Card) -> Fact:
    if card.parameters is None:
        return Fact("Parameters", "")
    whole = card.backbone.parameters if card.backbone else None
    note = f"{100 * card.parameters / whole:.2g} % of the backbone" if whole else ""
    return Fact("Parameters", numbers.exact(card.parameters), note=note)
