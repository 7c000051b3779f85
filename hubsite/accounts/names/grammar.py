"""How the two halves of `namespace/name` may look: the model hub's grammar, as the hub's own errors."""

from adapter_lib.spec.ids import IdError, check_repo_name
from hubsite.core.errors import BadInput

NAMESPACE_LENGTH = 40


def check_namespace(name: str) -> None:
    """Raise BadInput unless `name` may be the first half of an id."""
    check_id(None, name)
    if len(name) > NAMESPACE_LENGTH:
        raise BadInput(
            f"The name {name!r} is longer than {NAMESPACE_LENGTH} characters; choose a shorter one."
        )


def check_id(namespace: str | None, name: str) -> None:
    """Raise BadInput unless stock clients can send `namespace/name` (hf_protocol section 1, Ids)."""
    try:
        check_repo_name(namespace, name)
    except IdError as error:
        raise BadInput(str(error)) from None
