"""The one table from domain errors to HTTP, and the one shape in which all of them are answered."""

from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse, JsonResponse
from ninja import NinjaAPI
from ninja.errors import HttpError, ValidationError

from hubsite.core import errors


@dataclass(frozen=True)
class Rule:
    """The status of an error, and its code: a stable word for programs."""

    status: int
    code: str


# The first class that fits wins, so special cases stand before their bases.
TABLE: tuple[tuple[type[errors.HubError], Rule], ...] = (
    (errors.RepoNotFound, Rule(404, "repo_not_found")),
    (errors.RevisionNotFound, Rule(404, "revision_not_found")),
    (errors.NotFound, Rule(404, "not_found")),
    (errors.InvalidToken, Rule(401, "invalid_token")),
    (errors.Unauthenticated, Rule(401, "unauthenticated")),
    (errors.Forbidden, Rule(403, "forbidden")),
    (errors.TooLarge, Rule(413, "too_large")),
    (errors.Conflict, Rule(409, "conflict")),
    (errors.RateLimited, Rule(429, "rate_limited")),
    (errors.StorageError, Rule(503, "storage_unavailable")),
    (errors.BadInput, Rule(400, "bad_input")),
)
_OTHERS = {404: "not_found", 405: "method_not_allowed"}


def rule_for(error: errors.HubError) -> Rule:
    """The table's row for this error; a class without a row of its own or of a base is a bad request."""
    return next((rule for kind, rule in TABLE if isinstance(error, kind)), Rule(400, "bad_input"))


def answer(status: int, code: str, message: str) -> JsonResponse:
    """`{"error": {"code", "message"}}`."""
    return JsonResponse({"error": {"code": code, "message": message}}, status=status)


def register(api: NinjaAPI) -> None:
    """Have `api` answer every error in that shape."""
    # ninja's types want one handler for all exceptions, and calls each with its own.
    api.add_exception_handler(errors.HubError, _hub_error)  # type: ignore[arg-type]
    api.add_exception_handler(ValidationError, _validation_error)  # type: ignore[arg-type]
    api.add_exception_handler(HttpError, _http_error)  # type: ignore[arg-type]


def no_such_route(request: HttpRequest, rest: str = "") -> HttpResponse:
    """The answer for paths below the API that do not exist."""
    return answer(
        404, "not_found", f"There is no {request.path[:200]} here; /api/v1/docs lists what there is."
    )


def _hub_error(request: HttpRequest, error: errors.HubError) -> HttpResponse:
    rule = rule_for(error)
    response = answer(rule.status, rule.code, error.message)
    if isinstance(error, errors.RateLimited):
        response["Retry-After"] = str(error.retry_after)
    if isinstance(error, errors.Unauthenticated):
        response["WWW-Authenticate"] = "Bearer"
    return response


def _validation_error(request: HttpRequest, error: ValidationError) -> HttpResponse:
    """The first fault as a sentence; parameters are few, and so are their faults."""
    fault = error.errors[0]
    name = ".".join(str(part) for part in fault["loc"][1:] if part != "params") or "request"
    return answer(400, "bad_input", f"The parameter {name.removeprefix('query.')} is wrong: {fault['msg']}.")


def _http_error(request: HttpRequest, error: HttpError) -> HttpResponse:
    return answer(error.status_code, _OTHERS.get(error.status_code, "bad_input"), str(error))
