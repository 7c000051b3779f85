"""The hub from a user's side: load what others published, publish, search.

Nothing here needs torch until a model is touched.
"""

from adapter_lib.hub.errors import HubAnswerError, HubError, HubUnreachableError, PublishError
from adapter_lib.hub.loading import load
from adapter_lib.hub.publishing import Publication, publish
from adapter_lib.hub.searching import SearchHit, search

__all__ = [
    "HubAnswerError",
    "HubError",
    "HubUnreachableError",
    "Publication",
    "PublishError",
    "SearchHit",
    "load",
    "publish",
    "search",
]
