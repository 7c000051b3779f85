from dataclasses import asdict

from django.http import HttpRequest
from ninja import Query, Router

from hubsite.accounts.authentication import actor_from_request
from hubsite.api.schemas.adapters import AdapterDetail
from hubsite.api.schemas.fields import ErrorAnswer
from hubsite.search.adapters import adapter_detail

router = Router(tags=["adapters"])


@router.get(
    "/adapters/{namespace}/{name}",
    response={200: AdapterDetail, 404: ErrorAnswer},
    summary="One adapter with its card, files and versions",
)
def show_adapter(
    request: HttpRequest, namespace: str, name: str, revision: Query[str] = ""
) -> dict[str, object]:
    """At its latest published version, or at `revision`: a tag, a branch or a commit sha."""
    return asdict(adapter_detail(actor_from_request(request), namespace, name, revision))
