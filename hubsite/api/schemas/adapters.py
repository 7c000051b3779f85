"""What `/adapters/{namespace}/{name}` answers."""

from typing import Any

from ninja import Schema
from pydantic import Field

from hubsite.api.schemas.fields import Moment, Score
from hubsite.api.schemas.resolve import BackboneRef, ResolvedFile


class Version(Schema):
    """One commit that the asker may see, newest first."""

    revision: str
    version: str | None
    state: str
    title: str
    created_at: Moment
    published_at: Moment | None


class AdapterDetail(Schema):
    """An adapter at one commit, with its card."""

    id: str
    namespace: str
    name: str
    private: bool
    revision: str
    version: str | None
    state: str
    state_reason: str
    task: str | None
    dataset: str | None
    languages: list[str]
    backbone: BackboneRef | None
    method: str | None
    config: dict[str, Any]
    config_hash: str | None
    license: str | None
    parameters: int | None
    weights_sha256: str | None
    weights_size: int | None
    score: Score | None
    claims: list[Any]
    summary: str
    card: str = Field(description="The card's text, as Markdown.")
    warnings: list[str]
    files: list[ResolvedFile]
    versions: list[Version]
    run: str | None = Field(description="The validation run of this commit, if the asker may see it.")
    load: str = Field(description="The line of Python that loads exactly this.")
    downloads: int
    likes: int
    created_at: Moment
    published_at: Moment | None
