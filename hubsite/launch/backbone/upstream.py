"""The public hub (or the mirror that HF_ENDPOINT names), where it can be reached."""

import urllib.error
import urllib.request
from collections.abc import Collection
from http.client import HTTPException
from pathlib import Path

import huggingface_hub
from huggingface_hub import constants
from huggingface_hub.errors import HfHubHTTPError

from hubsite.launch.backbone.errors import BackboneUnavailable

# huggingface_hub 1.x stands on httpx, 2.x on httpx2: the base of its own error is the transport's, in both.
_TRANSPORT_ERROR: type[Exception] = HfHubHTTPError.__mro__[1]
# Seconds until a machine without a way out has its answer.
_PATIENCE = 4.0


def download(name: str, files: Collection[str], into: Path, *, endpoint: str | None = None) -> None:
    """Put `files` of the model `name` into `into`. Raises BackboneUnavailable."""
    endpoint = endpoint or constants.ENDPOINT
    _check_reachable(endpoint, name)
    try:
        huggingface_hub.snapshot_download(
            name, allow_patterns=list(files), local_dir=into, endpoint=endpoint, etag_timeout=_PATIENCE
        )
    except (_TRANSPORT_ERROR, OSError, ValueError) as error:
        raise BackboneUnavailable(f"{endpoint} broke off: {_first_line(error)}") from None


def _check_reachable(endpoint: str, name: str) -> None:
    """One small question first: the client's own retries would take minutes to say no."""
    if constants.HF_HUB_OFFLINE:
        raise BackboneUnavailable("HF_HUB_OFFLINE forbids it.")
    if not endpoint.startswith(("http://", "https://")):
        raise BackboneUnavailable(f"HF_ENDPOINT is {endpoint!r}, which is no web address.")
    request = urllib.request.Request(f"{endpoint}/{name}/resolve/main/config.json", method="HEAD")  # noqa: S310 - checked above
    try:
        with urllib.request.urlopen(request, timeout=_PATIENCE):  # noqa: S310 - checked above
            pass
    except urllib.error.HTTPError as error:
        error.close()
        raise BackboneUnavailable(f"{endpoint} does not give it: {error}.") from None
    except (OSError, HTTPException) as error:
        reason = error.reason if isinstance(error, urllib.error.URLError) else error
        raise BackboneUnavailable(f"{endpoint} cannot be reached: {_first_line(reason)}") from None


def _first_line(error: object) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
