from dataclasses import asdict

from django.http import HttpRequest
from ninja import Query, Router

from hubsite.accounts.authentication import actor_from_request
from hubsite.api.schemas.fields import ErrorAnswer
from hubsite.api.schemas.resolve import ResolveAnswer
from hubsite.search.resolver.resolve import resolve

router = Router(tags=["resolve"])


@router.get(
    "/resolve",
    response={200: ResolveAnswer, 400: ErrorAnswer, 404: ErrorAnswer, 409: ErrorAnswer},
    summary="Find the adapter that an id means",
)
def resolve_id(
    request: HttpRequest,
    id: Query[str],
    backbone: Query[str] = "",
    language: Query[str] = "",
    revision: Query[str] = "",
) -> dict[str, object]:
    """`id` is what stands after `hub:`, e.g. `NAMESPACE/NAME@v2`, `sentiment/lora` or `sha256:HEX`.

    Nothing of it is ever dropped: what does not exist is an error that says what does.
    """
    found = resolve(actor_from_request(request), id, backbone=backbone, language=language, revision=revision)
    return {
        "kind": found.kind,
        "total": found.total,
        "choice": asdict(found.choice) | {"files": [asdict(file) for file in found.files]},
        "candidates": found.candidates,
    }
