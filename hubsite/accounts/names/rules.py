"""Which names a new namespace may have."""

from hubsite.accounts.models import Namespace
from hubsite.accounts.names.grammar import check_namespace
from hubsite.accounts.names.reserved import reserved_words
from hubsite.accounts.names.skeleton import skeleton
from hubsite.core.errors import BadInput, Conflict


def check_new_namespace(name: str) -> None:
    """Raise BadInput for a name that nobody may have, Conflict for one that looks like a taken one."""
    check_namespace(name)
    bones = skeleton(name)
    if bones in {skeleton(word) for word in reserved_words()}:
        raise BadInput(
            f"The name {name!r} is reserved by the hub (or looks like a reserved one); choose another."
        )
    taken = Namespace.objects.filter(skeleton=bones).first()
    if taken is None:
        return
    if taken.key == name.casefold():
        raise Conflict(f"The name {name!r} is taken; choose another.")
    raise Conflict(f"The name {name!r} looks too much like {taken.name!r}, which is taken; choose another.")
