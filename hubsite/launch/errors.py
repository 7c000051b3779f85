"""Why the hub could not start."""

from hubsite.core.errors import HubError


class CannotStart(HubError):  # noqa: N818 - named as the errors of hubsite.core.errors are
    """Something on this machine is in the way; the message says what and what to do."""
