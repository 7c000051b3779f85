"""`TASK[/DATASET-OR-METHOD][@NAMESPACE]`: the best published adapter for a task, under all conditions."""

from dataclasses import replace

from django.db.models import Q, QuerySet

from adapter_lib.spec.ids import HubQuery
from hubsite.accounts.actors import Actor
from hubsite.core.errors import NotFound
from hubsite.registry.models import Card, Task
from hubsite.search.resolver.answer import Candidate, Kind, Resolution
from hubsite.search.resolver.candidates import candidates, files
from hubsite.search.resolver.conditions import Condition, conditions_of, matching, visible_cards
from hubsite.search.resolver.limits import MAX_CANDIDATES
from hubsite.search.resolver.ranking import ranked
from hubsite.search.resolver.sentences import did_you_mean, listing
from hubsite.search.resolver.wishes import Wishes


def resolve_query(actor: Actor, query: HubQuery, wishes: Wishes) -> Resolution:
    """The first of the ranking. Raises NotFound saying what exists where nothing fits all conditions."""
    task = _find_task(actor, query)
    conditions = conditions_of(actor, task, query, wishes)
    cards = matching(actor, task, conditions)
    best = list(ranked(cards)[: MAX_CANDIDATES + 1])
    if not best:
        raise NotFound(_nothing_fits(actor, task, conditions))
    total = cards.count()
    found = candidates(actor, best)
    choice = replace(found[0], reason=_why(found[0], total))
    return Resolution(Kind.QUERY, choice, files(best[0].commit), found[1:], total)


def _find_task(actor: Actor, query: HubQuery) -> Task:
    task = Task.objects.filter(slug__iexact=query.task).first()
    if task:
        return task
    slugs = list(Task.objects.values_list("slug", flat=True))
    hint = did_you_mean(query.task, slugs)
    dataset = Q(dataset__iexact=query.task) | Q(dataset__iendswith=f"/{query.task}")
    known_as = (
        visible_cards(actor).filter(dataset, task__isnull=False).values_list("task__slug", flat=True).first()
    )
    if known_as:
        hint = f" It is a dataset of the task {known_as}: ask for {known_as}/{query.task}."
    with_adapters = _values(visible_cards(actor), "task__slug")
    exists = f" There are adapters for: {with_adapters}." if with_adapters else ""
    raise NotFound(f"There is no task {query.task!r}.{hint or exists}")


def _why(best: Candidate, total: int) -> str:
    if total == 1:
        return f"the only one that fits; {best.reason}"
    return f"best of {total}: {best.reason}" if best.score else f"first of {total}: {best.reason}"


def _nothing_fits(actor: Actor, task: Task, conditions: list[Condition]) -> str:
    """What there is where one of the conditions is given up, else for the task, else at all."""
    wanted = " ".join(["for", task.slug, *(condition.words for condition in conditions)])
    sentence = f"No published adapter {wanted}."
    if near := [words for one in conditions if (words := _instead_of(one, actor, task, conditions))]:
        return f"{sentence} There are, with one part changed, these {'; or these '.join(near)}."
    if existing := _values(matching(actor, task, []), "method"):
        return f"{sentence} For {task.slug} there are these methods: {existing}."
    elsewhere = _values(visible_cards(actor), "task__slug") or "no task yet"
    return f"{sentence} Nothing is published for {task.slug} yet; there are adapters for: {elsewhere}."


def _instead_of(condition: Condition, actor: Actor, task: Task, conditions: list[Condition]) -> str:
    others = [other for other in conditions if other is not condition]
    existing = _values(matching(actor, task, others), condition.field)
    return f"{condition.plural}: {existing}" if existing else ""


def _values(cards: QuerySet[Card], field: str) -> str:
    """The different values that the cards have in `field`, as a list in words."""
    return listing(sorted({value for value in cards.values_list(field, flat=True).distinct() if value}))
