"""Whether the site answers."""

import http.client
from urllib.parse import urlsplit

_PATIENCE = 0.5


def answers(url: str) -> bool:
    """Whether the site at `url` answers within half a second, with anything but a fault of its own."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=_PATIENCE)
    try:
        connection.request("GET", "/")
        return connection.getresponse().status < http.client.INTERNAL_SERVER_ERROR
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
