"""What `/search` takes and answers."""

from ninja import Schema
from pydantic import Field

from hubsite.api.schemas.fields import Moment, Score
from hubsite.search.queries import MAX_PAGE_SIZE, Sort


class SearchParameters(Schema):
    """Parameters of a search; a facet given several times means any of its values."""

    q: str = Field("", description="Words to look for, in names, tasks, backbones, methods and cards.")
    task: list[str] = []
    dataset: list[str] = []
    language: list[str] = Field([], description="BCP-47 codes.")
    backbone: list[str] = Field([], description="Upstream ids, or aliases of them.")
    method: list[str] = []
    license: list[str] = []
    badge: list[str] = []
    file_size: list[str] = []
    sort: Sort = Sort.RELEVANCE
    page: int = Field(1, ge=1)
    size: int = Field(20, ge=1, le=MAX_PAGE_SIZE, description="Results on a page.")


class AdapterRow(Schema):
    """A published adapter as lists show it."""

    id: str
    namespace: str
    name: str
    revision: str
    version: str
    summary: str
    task: str
    task_name: str
    dataset: str
    languages: list[str]
    backbone: str
    method: str
    config: str = Field(description="The configuration in a few characters, e.g. `r=8 q,v`.")
    license: str
    size: int | None = Field(description="Bytes of the weights file.")
    parameters: int | None
    badge: str
    score: Score | None
    downloads: int
    likes: int
    published_at: Moment
    private: bool


class FacetOption(Schema):
    """`count`: how many results this option has under the selections of all other facets."""

    value: str
    label: str
    count: int
    selected: bool


class SearchAnswer(Schema):
    """One page of results with exact totals."""

    total: int
    page: int
    pages: int
    results: list[AdapterRow]
    facets: dict[str, list[FacetOption]]
    respelled: list[str] = Field(description="Words that were matched by similar spelling.")
