"""What `/resolve` answers."""

from ninja import Schema

from hubsite.api.schemas.fields import Moment, Score
from hubsite.search.resolver.answer import Kind


class BackboneRef(Schema):
    """`repo` is this hub's own copy of the backbone, null if it has none."""

    id: str
    revision: str | None
    repo: str | None


class ResolvedFile(Schema):
    """A file of the chosen commit, at `/{id}/resolve/{revision}/{path}`; `size` in bytes."""

    path: str
    sha256: str
    size: int


class Candidate(Schema):
    """One adapter at one commit; only the state `published` has passed validation."""

    id: str
    revision: str
    version: str | None
    state: str
    task: str | None
    dataset: str | None
    method: str | None
    languages: list[str]
    reason: str
    score: Score | None
    backbone: BackboneRef | None
    downloads: int
    published_at: Moment | None


class Choice(Candidate):
    """The candidate to take."""

    files: list[ResolvedFile]


class ResolveAnswer(Schema):
    """The choice, and up to twenty others that fit as well, best first; `total` counts all that fit."""

    kind: Kind
    total: int
    choice: Choice
    candidates: list[Candidate]
