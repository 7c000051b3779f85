"""Domain errors as pages: one table, one decorator, and the handlers of Django's own refusals."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from hubsite.core.errors import (
    BadInput,
    Conflict,
    Forbidden,
    HubError,
    NotFound,
    RateLimited,
    StorageError,
    StorageFull,
    TooLarge,
    Unauthenticated,
)

View = Callable[..., HttpResponse]

# The first class that fits decides, so narrower ones stand above.
STATUS: tuple[tuple[type[HubError], int], ...] = (
    (Unauthenticated, 401),
    (Forbidden, 403),
    (NotFound, 404),
    (Conflict, 409),
    (TooLarge, 413),
    (RateLimited, 429),
    (StorageFull, 507),
    (StorageError, 503),
    (BadInput, 400),
)
_TITLES = {
    400: "That request is not right",
    403: "You may not do that",
    404: "There is nothing here",
    409: "That does not fit the present state",
    413: "That is too large",
    429: "Too many requests",
    500: "The hub made a mistake",
    503: "The hub's storage does not answer",
    507: "The hub's storage is full",
}
# Everything comes from this site; forms go back to it; nobody may frame it.
CONTENT_SECURITY_POLICY = (
    "default-src 'self'; img-src 'self'; object-src 'none'; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'none'"
)


def status_of(error: HubError) -> int:
    """The HTTP status of a domain error on the pages."""
    return next((status for kind, status in STATUS if isinstance(error, kind)), 400)


def page(view: View) -> View:
    """Every page's frame: domain errors become pages (or the way to sign in); the policy header is set."""

    @wraps(view)
    def framed(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            response = view(request, *args, **kwargs)
        except Unauthenticated:
            return redirect_to_login(request.get_full_path())
        except HubError as error:
            response = error_page(request, status_of(error), error.message)
            if isinstance(error, RateLimited):
                response["Retry-After"] = str(error.retry_after)
        response.setdefault("Content-Security-Policy", CONTENT_SECURITY_POLICY)
        return response

    return framed


def error_page(request: HttpRequest, status: int, message: str) -> HttpResponse:
    """The page of one refusal: a title for its kind, and the sentence that says what to do."""
    context = {"status": status, "title": _TITLES.get(status, _TITLES[400]), "message": message}
    return render(request, "errors/page.html", context, status=status)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's own 400: a malformed request or a suspicious one."""
    return error_page(request, 400, "The hub could not read that request; go back and try once more.")


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's own 403."""
    return error_page(request, 403, "This page is not open to you.")


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """A form without its token: an old page, or cookies switched off."""
    return error_page(
        request,
        403,
        "The form had expired, or your browser sends no cookies; go back, reload the page and send it again.",
    )


def page_not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """No route matches."""
    return error_page(
        request, 404, "No page has this address. Search above, or start at the list of adapters."
    )


def server_error(request: HttpRequest, *args: Any) -> HttpResponse:
    """Our own fault; the cause is in the log. Rendered without a user, whose lookup may be what failed."""
    request.user = None  # type: ignore[assignment]
    return error_page(
        request,
        500,
        "The fault is ours and has been logged. Try again in a moment; nothing you sent was half done.",
    )
