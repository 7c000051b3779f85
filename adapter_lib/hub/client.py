"""JSON from a hub's own API (`/api/v1`), and its errors as sentences."""

import json
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from http.client import HTTPException
from typing import Any
from urllib.parse import urlencode

from huggingface_hub import constants

from adapter_lib.hub.errors import HubAnswerError, HubUnreachableError
from adapter_lib.hub.settings import ENDPOINT_VARIABLE, TOKEN_VARIABLE, Hub
from adapter_lib.version import __version__

TIMEOUT_SECONDS = 30
MAX_ANSWER_BYTES = 32 * 1024**2

Parameters = Mapping[str, str | int | Sequence[str]]


def get_json(hub: Hub, path: str, parameters: Parameters) -> Mapping[str, Any]:
    """The JSON object at `/api/v1/{path}`; empty parameters are left out.

    Raises HubUnreachableError if nobody answers, HubAnswerError with the hub's own sentence if it refuses.
    """
    if constants.HF_HUB_OFFLINE:
        raise HubUnreachableError(f"HF_HUB_OFFLINE is set, so the hub at {hub.endpoint} is not asked.")
    wanted = {key: value for key, value in parameters.items() if value}
    url = f"{hub.endpoint}/api/v1/{path}?{urlencode(wanted, doseq=True)}"
    # hub_settings has made sure that the scheme is http or https.
    request = urllib.request.Request(url, headers={"User-Agent": f"adapter_lib/{__version__}"})  # noqa: S310
    if hub.token:
        # Unredirected: a redirect must not carry the token to another host.
        request.add_unredirected_header("Authorization", f"Bearer {hub.token}")
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as response:  # noqa: S310
            return _object(hub, response.read(MAX_ANSWER_BYTES + 1), response.status)
    except urllib.error.HTTPError as error:
        with error:
            raise _refusal(hub, error.code, error.read(MAX_ANSWER_BYTES)) from None
    except (OSError, HTTPException) as error:
        raise unreachable(hub, error) from None


def unreachable(hub: Hub, error: Exception) -> HubUnreachableError:
    """The sentence for a hub that cannot be reached because of `error`."""
    reason = getattr(error, "reason", None) or error
    return HubUnreachableError(
        f"No hub answers at {hub.endpoint} ({reason}): start it, or name another with endpoint= "
        f"or {ENDPOINT_VARIABLE}."
    )


def not_a_hub(hub: Hub, what: str, status: int) -> HubAnswerError:
    """The error for an answer that no hub of ours gives."""
    message = f"{hub.endpoint} answered {what}: is an adapter hub at this address, and of this version?"
    return HubAnswerError(message, code="bad_answer", status=status)


def _object(hub: Hub, body: bytes, status: int) -> Mapping[str, Any]:
    if len(body) > MAX_ANSWER_BYTES:
        raise not_a_hub(hub, f"more than {MAX_ANSWER_BYTES} bytes", status)
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError):
        raise not_a_hub(hub, "something that is not JSON", status) from None
    if not isinstance(answer, dict):
        raise not_a_hub(hub, "JSON that is no object", status)
    return answer


def _refusal(hub: Hub, status: int, body: bytes) -> HubAnswerError:
    try:
        error = json.loads(body)["error"]
        code, message = str(error["code"]), str(error["message"])
    except (ValueError, RecursionError, KeyError, TypeError):
        return not_a_hub(hub, f"HTTP status {status} without a reason", status)
    if status == 401:
        message += f" Tokens are made at {hub.endpoint}/tokens and given as token= or in {TOKEN_VARIABLE}."
    return HubAnswerError(message, code=code, status=status)
