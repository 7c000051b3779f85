"""Which hub, with which token, and where its files are kept on this machine."""

import hashlib
import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from huggingface_hub import get_token

from adapter_lib.hub.errors import HubError
from adapter_lib.hub.tokens import kept_token
from adapter_lib.spec.snippet import DEFAULT_ENDPOINT
from adapter_lib.spec.strict_json import quoted

ENDPOINT_VARIABLE = "ADAPTER_HUB_ENDPOINT"
TOKEN_VARIABLE = "ADAPTER_HUB_TOKEN"  # noqa: S105 - the variable's name
CACHE_VARIABLE = "ADAPTER_LIB_CACHE"
# Every token that a hub of ours issues starts so.
TOKEN_PREFIX = "ahub_"  # noqa: S105 - a mark, no secret


@dataclass(frozen=True)
class Hub:
    """A hub's address without a trailing slash, the user's token for it, and the folder for its files."""

    endpoint: str
    token: str | None = field(repr=False)
    cache: Path


def hub_settings(endpoint: str | None = None, token: str | None = None) -> Hub:
    """The hub of the arguments, else of ADAPTER_HUB_ENDPOINT and ADAPTER_HUB_TOKEN, else the local one.

    Without a token in either, the one that `adapter-lib login` kept for this hub is taken. A token that is
    stored for the model hub is taken only if one of our hubs issued it: any other would be disclosed to a
    stranger. Raises HubError for an address that is none.
    """
    address = (endpoint or os.environ.get(ENDPOINT_VARIABLE) or DEFAULT_ENDPOINT).rstrip("/")
    if not _is_address(address):
        raise HubError(
            f"{quoted(address)} is not the address of a hub: give something like {DEFAULT_ENDPOINT}, "
            f"as endpoint= or in {ENDPOINT_VARIABLE}."
        )
    cache = _cache_folder(address)
    known = token or os.environ.get(TOKEN_VARIABLE) or kept_token(cache) or _stored_token()
    return Hub(address, known, cache)


def _is_address(address: str) -> bool:
    try:
        parts = urlsplit(address)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def _stored_token() -> str | None:
    stored = get_token()
    return stored if stored is not None and stored.startswith(TOKEN_PREFIX) else None


def _cache_folder(address: str) -> Path:
    """One folder per address: two hubs may use one name for different things."""
    root = os.environ.get(CACHE_VARIABLE)
    base = Path(root) if root else Path.home() / ".cache" / "adapter_lib"
    readable = re.sub(r"[^A-Za-z0-9.]+", "-", address.partition("://")[2])[:60]
    return base.expanduser() / f"{readable}-{hashlib.sha256(address.encode()).hexdigest()[:8]}"
