"""The one table that turns errors into the protocol's answers (hf_protocol section 2)."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass

from django.http import HttpResponse, JsonResponse

from hubsite.core import errors
from hubsite.hfapi.ranges import UnsatisfiableRangeError

log = logging.getLogger(__name__)


class LengthRequired(errors.BadInput):
    """The body came without a length, as no client of this protocol sends one (hf_protocol section 7)."""


class MethodNotAllowed(errors.BadInput):
    """The route exists for other methods."""


@dataclass(frozen=True)
class Rule:
    """How one class of error is answered; `code` is what the client's exception class hangs on."""

    status: int
    code: str | None = None
    anonymous_status: int | None = None

    def status_for(self, *, anonymous: bool) -> int:
        """The status for a caller with or without a valid token."""
        return self.anonymous_status if anonymous and self.anonymous_status else self.status


# The first class that fits wins, so special cases stand before their bases.
TABLE: tuple[tuple[type[errors.HubError], Rule], ...] = (
    (errors.RepoNotFound, Rule(404, "RepoNotFound", anonymous_status=401)),
    (errors.RevisionNotFound, Rule(404, "RevisionNotFound")),
    (errors.EntryNotFound, Rule(404, "EntryNotFound")),
    (errors.NotFound, Rule(404)),
    (errors.Unauthenticated, Rule(401)),
    (errors.Forbidden, Rule(403, anonymous_status=401)),
    (LengthRequired, Rule(411)),
    (MethodNotAllowed, Rule(405)),
    (errors.BadInput, Rule(400)),
    (errors.TooLarge, Rule(413)),
    (errors.StaleParent, Rule(412)),
    (errors.Conflict, Rule(409)),
    (errors.RateLimited, Rule(429)),
    # Not 500 to 504, which clients repeat five times: the disk will not be larger in a few seconds.
    (errors.StorageFull, Rule(507)),
    (errors.StorageError, Rule(500)),
)


def rule_for(error: errors.HubError) -> Rule:
    """The table's row for this error; a class without a row of its own or of a base is a bad request."""
    return next((rule for kind, rule in TABLE if isinstance(error, kind)), Rule(400))


def error_response(
    error: errors.HubError, *, anonymous: bool, extra: Mapping[str, str] | None = None
) -> HttpResponse:
    """The protocol's answer: status, code and message headers, JSON body with the sentence and `extra`."""
    rule = rule_for(error)
    status = rule.status_for(anonymous=anonymous)
    if status >= 500:
        log.error("%s: %s", type(error).__name__, error.message)
    response = JsonResponse({"error": error.message, **(extra or {})}, status=status)
    if rule.code is not None:
        response["X-Error-Code"] = rule.code
    response["X-Error-Message"] = one_line(error.message)
    if isinstance(error, errors.EntryNotFound) and error.commit_sha:
        response["X-Repo-Commit"] = error.commit_sha
    if isinstance(error, errors.RateLimited):
        response["Retry-After"] = str(error.retry_after)
        response["RateLimit"] = f'"api";r=0;t={error.retry_after}'
    return response


def range_response(error: UnsatisfiableRangeError) -> HttpResponse:
    """416 with the file's true size."""
    response = JsonResponse({"error": str(error)}, status=416)
    response["Content-Range"] = f"bytes */{error.total}"
    response["X-Error-Message"] = one_line(str(error))
    return response


def one_line(message: str) -> str:
    """The message as a header value: one line of printable ASCII, at most 500 characters."""
    ascii_only = message.encode("ascii", "replace").decode()
    return " ".join("".join(char if char.isprintable() else " " for char in ascii_only).split())[:500]
