"""Short-lived secrets in LFS upload URLs: clients PUT without Authorization (hf_protocol 3.6)."""

from dataclasses import asdict, dataclass

from django.core import signing

from hubsite.core.errors import Forbidden

_SALT = "hubsite.hfapi.lfs-upload"
# All objects of a batch get their URLs at its start and are sent one after the other.
MAX_AGE_SECONDS = 6 * 3600


@dataclass(frozen=True)
class UploadGrant:
    """The right of one user to send one object, known by hash and size, to one repository."""

    user_id: int
    repo_id: int
    oid: str
    size: int

    def sign(self) -> str:
        """The grant as URL-safe text."""
        return signing.dumps(asdict(self), salt=_SALT)


def read_grant(token: str, *, oid: str) -> UploadGrant:
    """The grant that `sign` wrote for the object `oid`.

    Raises `Forbidden` if it is forged, too old, or for another.
    """
    try:
        grant = UploadGrant(**signing.loads(token, salt=_SALT, max_age=MAX_AGE_SECONDS))
    except (signing.BadSignature, TypeError):
        raise Forbidden("This upload URL is not valid, or no longer; start the upload again.") from None
    if grant.oid != oid:
        raise Forbidden("This upload URL was made for another object; start the upload again.")
    return grant
