"""Why a backbone could not be had."""

from hubsite.core.errors import HubError


class BackboneUnavailable(HubError):  # noqa: N818 - named as the errors of hubsite.core.errors are
    """One source has not got the files, or not the right ones; another may."""
