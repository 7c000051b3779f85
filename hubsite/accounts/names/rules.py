"""Which names a new namespace may have."""

from hubsite.accounts.models import Namespace
from hubsite.accounts.names.grammar import NAMESPACE_LENGTH, check_part
from hubsite.accounts.names.reserved import reserved_words
from hubsite.accounts.names.skeleton import skeleton
from hubsite.core.errors import BadInput, Conflict


def check_new_namespace(name: str) -> None:
    """Raise BadInput for a name that nobody may have, Conflict for one that is taken or looks like a taken one."""
    check_part(name, "Name")
    if len(name) > NAMESPACE_LENGTH:
        raise BadInput(f"Name {name[:NAMESPACE_LENGTH]!r}… is longer than {NAMESPACE_LENGTH} characters.")
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
