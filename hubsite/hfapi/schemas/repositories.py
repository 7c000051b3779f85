"""Bodies of repository calls (hf_protocol 3.2)."""

from dataclasses import dataclass
from typing import Self

from hubsite.core.errors import BadInput
from hubsite.hfapi.schemas.fields import Fields
from hubsite.registry.models import RepoKind

_NAME_LIMIT = 96
# `protected` exists upstream for spaces, which this hub does not have.
_VISIBILITIES = {"public": False, "private": True}
# A model repository becomes a backbone when its files say so.
_KINDS = {"model": RepoKind.ADAPTER, "dataset": RepoKind.DATASET}


@dataclass(frozen=True)
class RepoAddress:
    """The repository a body speaks of; no namespace means the caller's own."""

    namespace: str | None
    name: str
    kind: RepoKind

    @classmethod
    def read(cls, fields: Fields) -> Self:
        """From `name`, `organization` and `type`.

        A full id as name, as old clients sent it, is taken apart.
        """
        name = fields.text("name", limit=2 * _NAME_LIMIT)
        namespace = fields.text("organization", "", limit=_NAME_LIMIT)
        if not namespace and name.count("/") == 1:
            namespace, name = name.split("/")
        kind = fields.text("type", "model")
        if kind not in _KINDS:
            raise BadInput(f"This hub has repositories of the types {' and '.join(_KINDS)}, not {kind!r}.")
        return cls(namespace or None, name, _KINDS[kind])

    @property
    def route(self) -> str:
        """The type's plural, as in URLs."""
        return "datasets" if self.kind is RepoKind.DATASET else "models"


def read_private(fields: Fields) -> bool | None:
    """The wanted visibility, from `private` (clients up to 1.7) or `visibility` (later), or None."""
    if "visibility" in fields:
        visibility = fields.text("visibility")
        if visibility not in _VISIBILITIES:
            raise BadInput(f"visibility must be public or private, not {visibility!r}.")
        return _VISIBILITIES[visibility]
    return fields.flag("private", default=False) if "private" in fields else None
