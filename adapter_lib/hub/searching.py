"""`search`: what a hub has published, as rows."""

from dataclasses import dataclass

from adapter_lib.hub.answers import read
from adapter_lib.hub.client import get_json
from adapter_lib.hub.settings import hub_settings
from adapter_lib.spec.fields import Fields


@dataclass(frozen=True)
class SearchHit:
    """A published adapter. `score` is the one the hub measured (`metric`, a fraction), if it has.

    `load` is the id that loads exactly this adapter: `adapter_lib.load(hit.load)`.
    """

    id: str
    revision: str
    version: str
    summary: str
    task: str
    languages: tuple[str, ...]
    backbone: str
    method: str
    license: str
    score: float | None
    metric: str
    downloads: int

    @property
    def load(self) -> str:
        """`hub:ns/name@revision`."""
        return f"hub:{self.id}@{self.revision}"


def search(
    text: str = "",
    *,
    task: str | None = None,
    language: str | None = None,
    backbone: str | None = None,
    method: str | None = None,
    sort: str = "score",
    limit: int = 20,
    endpoint: str | None = None,
    token: str | None = None,
) -> list[SearchHit]:
    """The published adapters with `text` that fit every word given, at most `limit` (1 to 100) of them.

    task, method: one of the hub's, such as `sentiment`, and of `list_methods()`. language: BCP-47.
    sort: `score` (verified), `relevance`, `downloads`, `likes` or `newest`.
    backbone: an upstream id. endpoint, token: the hub, as for `load`. Raises HubError.
    """
    hub = hub_settings(endpoint, token)
    parameters: dict[str, str | int] = {
        "q": text,
        "task": task or "",
        "language": language or "",
        "backbone": backbone or "",
        "method": method or "",
        "sort": sort,
        "size": limit,
    }
    return read(hub, get_json(hub, "search", parameters), _hits)


def _hits(fields: Fields) -> list[SearchHit]:
    return [_hit(row) for row in fields.items("results")]


def _hit(row: Fields) -> SearchHit:
    score = row.nested_or_none("score")
    return SearchHit(
        id=row.text("id"),
        revision=row.text("revision"),
        version=row.text("version", allow_empty=True),
        summary=row.prose("summary"),
        task=row.text("task", allow_empty=True),
        languages=row.texts("languages", 0, 10_000),
        backbone=row.text("backbone", allow_empty=True),
        method=row.text("method", allow_empty=True),
        license=row.text("license", allow_empty=True),
        score=None if score is None else score.number("value", 0, 1),
        metric="" if score is None else score.text("metric"),
        downloads=row.integer("downloads", 0, 2**63),
    )
