"""JSON answers and the spellings that all of them share."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from django.http import HttpResponse, JsonResponse

from hubsite.registry.models import Commit

STATE_HEADER = "X-Hub-State"


def json_response(body: Mapping[str, Any] | Sequence[Any], *, status: int = 200) -> HttpResponse:
    """`body` as JSON. Lists are what the protocol has at top level for trees and pages."""
    return JsonResponse(body, safe=False, status=status)


def timestamp(moment: datetime) -> str:
    """A date as the clients parse it: `2026-11-23T14:39:13.089Z` (hf_protocol section 1)."""
    utc = moment.astimezone(UTC)
    return f"{utc:%Y-%m-%dT%H:%M:%S}.{utc.microsecond // 1000:03d}Z"


def set_commit_headers(response: Any, commit: Commit) -> None:
    """Names the commit an answer speaks of, and how far its validation is (DESIGN.md 4.3)."""
    response["X-Repo-Commit"] = commit.sha
    # Plain text: WSGI servers refuse subclasses of str, which the choices are.
    response[STATE_HEADER] = str(commit.state)
