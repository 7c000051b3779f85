from django.http import HttpRequest
from ninja import Router, Schema

router = Router(tags=["health"])


class Health(Schema):
    """The web process answers; nothing else is asked."""

    status: str


@router.get("/health", response=Health, summary="Whether this process answers")
def health(request: HttpRequest) -> dict[str, str]:
    """For load balancers: touches neither database nor index."""
    return {"status": "ok"}
