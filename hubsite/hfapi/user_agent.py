"""What a client's `User-Agent` says of the hub client behind it (hf_protocol section 1)."""

import re

_HUB_CLIENT = re.compile(r"\bhf_hub/(\d{1,4})\.(\d{1,4})")
# From this version on a client sends files marked `lfs` over Xet without asking (hf_protocol 3.7).
_FIRST_WITH_XET = (1, 20)


def hub_client_version(user_agent: str) -> tuple[int, int] | None:
    """Major and minor version of huggingface_hub, or None when another program asks."""
    match = _HUB_CLIENT.search(user_agent)
    return (int(match[1]), int(match[2])) if match else None


def wants_xet(user_agent: str) -> bool:
    """Whether this client would move an `lfs` file over Xet, which this hub does not speak."""
    version = hub_client_version(user_agent)
    return version is not None and version >= _FIRST_WITH_XET
