"""One wrapper around every view: method table, authentication, errors, request id."""

import re
import uuid
from collections.abc import Callable
from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.views.decorators.csrf import csrf_exempt

from hubsite.accounts.actors import Actor
from hubsite.accounts.authentication import actor_from_request
from hubsite.core.errors import BadInput, HubError, NotFound
from hubsite.hfapi.bodies import drain, require_length
from hubsite.hfapi.errors import MethodNotAllowed, error_response, range_response
from hubsite.hfapi.ranges import UnsatisfiableRangeError

_TRACE_ID = re.compile(r"\A[A-Za-z0-9=;:_-]{1,128}\Z")


@dataclass(frozen=True)
class Call:
    """A request and who makes it."""

    request: HttpRequest
    actor: Actor

    def absolute(self, path: str) -> str:
        """`path` as a URL with the scheme, host and port that the client used (hf_protocol 3.2)."""
        return self.request.build_absolute_uri(path)


View = Callable[..., HttpResponseBase]


def endpoint(**views: View) -> Callable[..., HttpResponseBase]:
    """A Django view that hands each method to its view function: `endpoint(GET=show, DELETE=remove)`.

    View functions take a `Call` and the route's named parts, and raise `HubError`s. HEAD goes to GET's
    function.
    """

    @csrf_exempt
    def handle(request: HttpRequest, **parts: str) -> HttpResponseBase:
        response = _answer(request, views, parts)
        if response.status_code >= 400:
            drain(request)
        response["X-Request-Id"] = _request_id(request)
        return response

    return handle


def _answer(request: HttpRequest, views: dict[str, View], parts: dict[str, str]) -> HttpResponseBase:
    actor = Actor.anonymous()
    try:
        _refuse_nul(request)
        require_length(request)
        actor = actor_from_request(request)
        return _view_for(request, views)(Call(request, actor), **parts)
    except HubError as error:
        return error_response(error, anonymous=actor.is_anonymous)
    except UnsatisfiableRangeError as error:
        return range_response(error)


def _refuse_nul(request: HttpRequest) -> None:
    """No database stores NUL, so nothing that is asked for can contain it."""
    if "%00" in request.META.get("QUERY_STRING", ""):
        raise BadInput("The query has a NUL character.")


def _view_for(request: HttpRequest, views: dict[str, View]) -> View:
    method = "GET" if request.method == "HEAD" else str(request.method)
    if method not in views:
        raise MethodNotAllowed(f"{request.method} is not offered here; {', '.join(sorted(views))} is.")
    return views[method]


def _request_id(request: HttpRequest) -> str:
    """The client's own trace id if it is harmless, so that both sides' logs can be brought together."""
    sent = request.headers.get("X-Amzn-Trace-Id", "")
    return sent if _TRACE_ID.match(sent) else uuid.uuid4().hex


def not_found(call: Call, **_parts: str) -> HttpResponse:
    """Anything else under /api/: 404 and JSON at once, which clients take as "not offered"."""
    raise NotFound(f"{call.request.path} is not part of this hub's API.")
