"""From an adapter id to one adapter. No word of the id is ever dropped to find something."""

from adapter_lib.spec.ids import HubHash, HubName, HubQuery, IdError, parse_id
from hubsite.accounts.actors import Actor
from hubsite.core.errors import BadInput
from hubsite.registry.models import Task
from hubsite.search.resolver.answer import Resolution
from hubsite.search.resolver.hashes import resolve_hash
from hubsite.search.resolver.names import resolve_name
from hubsite.search.resolver.tasks import resolve_query
from hubsite.search.resolver.wishes import Wishes

_PREFIX = "hub:"


def resolve(
    actor: Actor, text: str, *, backbone: str = "", language: str = "", revision: str = ""
) -> Resolution:
    """What `text` (with or without `hub:`) names for `actor`.

    `backbone`, `language` and `revision` say what the id may say itself; it is an error to say two things.
    Raises BadInput for an id outside the grammar, NotFound with what exists instead, Conflict for an adapter
    that is made for another backbone.
    """
    if not text.strip():
        raise BadInput("The id is empty; write NAMESPACE/NAME, a task such as sentiment/lora, or sha256:HEX.")
    tasks = frozenset(Task.objects.values_list("slug", flat=True))
    try:
        parsed = parse_id(_PREFIX + text.strip().removeprefix(_PREFIX), tasks=tasks)
    except IdError as error:
        raise BadInput(str(error)) from None
    wishes = Wishes.parse(backbone, language)
    match parsed:
        case HubName():
            return resolve_name(actor, parsed, wishes, _one_revision(parsed.revision or "", revision), tasks)
        case HubQuery():
            _refuse_revision(revision)
            return resolve_query(
                actor, parsed, wishes.joined(Wishes.parse(parsed.backbone or "", parsed.language or ""))
            )
        case HubHash():
            _refuse_revision(revision)
            return resolve_hash(actor, parsed.sha256, wishes)
    raise BadInput(f"{text[:200]!r} does not name an adapter of this hub.")


def _one_revision(in_id: str, beside: str) -> str:
    beside = beside.strip()
    if in_id and beside and in_id != beside:
        raise BadInput(
            f"The id asks for the revision {in_id!r} and the request for {beside!r}; give only one."
        )
    return in_id or beside


def _refuse_revision(revision: str) -> None:
    if revision.strip():
        raise BadInput("A revision goes with NAMESPACE/NAME; a query or a hash has none.")
