"""Whose token it is."""

from dataclasses import dataclass

from huggingface_hub import HfApi
from huggingface_hub.errors import HfHubHTTPError

from adapter_lib.hub.client import not_a_hub, unreachable
from adapter_lib.hub.errors import HubAnswerError, HubError
from adapter_lib.hub.settings import Hub
from adapter_lib.hub.transfer import TRANSPORT_ERROR
from adapter_lib.spec.fields import FieldError, Fields


@dataclass(frozen=True)
class Identity:
    """A user's name, and what the token may do: `read`, `write` or `admin`."""

    name: str
    scope: str


def identify(hub: Hub) -> Identity:
    """Ask the hub whose its token is. Raises HubError."""
    if hub.token is None:
        raise HubError(f"There is no token for {hub.endpoint}: make one at {hub.endpoint}/tokens.")
    try:
        answer = HfApi(endpoint=hub.endpoint, token=hub.token, library_name="adapter_lib").whoami()
    except HfHubHTTPError as error:
        raise _refused(hub, error.response.status_code) from None
    except (TRANSPORT_ERROR, OSError, ValueError) as error:
        raise unreachable(hub, error) from None
    try:
        fields = Fields(answer)
        scope = fields.nested("auth").nested("accessToken").text("role")
        return Identity(fields.text("name"), scope)
    except FieldError as error:
        raise not_a_hub(hub, f"something unexpected ({error})", 200) from None


def _refused(hub: Hub, status: int) -> HubAnswerError:
    if status in (401, 403):
        message = f"{hub.endpoint} does not know this token: make one at {hub.endpoint}/tokens."
        return HubAnswerError(message, code="unauthenticated", status=status)
    return not_a_hub(hub, f"HTTP status {status}", status)
