"""The parts of a query as filters on cards, each with the words to speak of it."""

from dataclasses import dataclass

from django.db.models import Q, QuerySet

from adapter_lib.spec.ids import HubQuery
from hubsite.accounts.actors import Actor
from hubsite.accounts.permissions import visible_repos
from hubsite.registry.models import Card, Task
from hubsite.search.builder import published_cards
from hubsite.search.methods import method_names
from hubsite.search.resolver.wishes import Wishes


@dataclass(frozen=True)
class Condition:
    """One part of the query as a filter; `field` is where cards say what exists instead."""

    words: str
    field: str
    plural: str
    filter: Q


def conditions_of(actor: Actor, task: Task, query: HubQuery, wishes: Wishes) -> list[Condition]:
    """Every condition of the query, so that none can be forgotten on the way."""
    found = []
    if query.qualifier:
        found.append(_qualifier(actor, task, query.qualifier))
    if query.namespace:
        owner = Q(commit__repo__namespace__key=query.namespace.casefold())
        found.append(Condition(f"by {query.namespace}", "commit__repo__namespace__name", "namespaces", owner))
    if wishes.backbone:
        made_for = Q(backbone=wishes.backbone)
        found.append(Condition(f"for {wishes.backbone.name}", "backbone__name", "backbones", made_for))
    if wishes.language:
        reads = Q(languages=wishes.language)
        found.append(
            Condition(f"for the language {wishes.language.code}", "languages__code", "languages", reads)
        )
    return found


def _qualifier(actor: Actor, task: Task, word: str) -> Condition:
    """A method where one is called so, else a dataset: no dataset can hide a method."""
    names = method_names(word)
    if not names and visible_cards(actor).filter(method__iexact=word).exists():
        names = frozenset({word})
    if names:
        methods = Q()
        for name in sorted(names):
            methods |= Q(method__iexact=name)
        return Condition(f"with the method {word}", "method", "methods", methods)
    dataset = Q(dataset__iexact=word) | Q(dataset__iendswith=f"/{word}")
    if visible_cards(actor).filter(dataset, task=task).exists():
        return Condition(f"for the dataset {word}", "dataset", "datasets", dataset)
    return Condition(f"with a method or dataset {word}", "method", "methods", dataset)


def visible_cards(actor: Actor) -> QuerySet[Card]:
    """The latest published card of every adapter that `actor` may see."""
    return published_cards().filter(visible_repos(actor, "commit__repo__"))


def matching(actor: Actor, task: Task, conditions: list[Condition]) -> QuerySet[Card]:
    """The cards for `task` that fulfil all of `conditions`."""
    cards = visible_cards(actor).filter(task=task)
    for condition in conditions:
        cards = cards.filter(condition.filter)
    return cards
