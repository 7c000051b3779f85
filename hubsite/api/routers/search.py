from django.http import HttpRequest
from ninja import Query, Router

from hubsite.accounts.authentication import actor_from_request
from hubsite.api.schemas.fields import ErrorAnswer
from hubsite.api.schemas.search import SearchAnswer, SearchParameters
from hubsite.search.queries import SearchRequest, SearchResponse, search

router = Router(tags=["search"])


@router.get("/search", response={200: SearchAnswer, 400: ErrorAnswer}, summary="Find adapters")
def find_adapters(request: HttpRequest, parameters: Query[SearchParameters]) -> dict[str, object]:
    """Published adapters by words and facets, with exact counts of every facet."""
    return _answer(search(_request(request, parameters)))


def _request(request: HttpRequest, parameters: SearchParameters) -> SearchRequest:
    return SearchRequest(
        text=parameters.q,
        task=tuple(parameters.task),
        dataset=tuple(parameters.dataset),
        language=tuple(parameters.language),
        backbone=tuple(parameters.backbone),
        method=tuple(parameters.method),
        license=tuple(parameters.license),
        badge=tuple(parameters.badge),
        file_size=tuple(parameters.file_size),
        sort=parameters.sort,
        page=parameters.page,
        size=parameters.size,
        viewer=actor_from_request(request),
    )


def _answer(found: SearchResponse) -> dict[str, object]:
    return {
        "total": found.total,
        "page": found.page,
        "pages": found.pages,
        "results": found.hits,
        "facets": {facet.value: options for facet, options in found.facets.items()},
        "respelled": found.respelled,
    }
