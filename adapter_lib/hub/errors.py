"""What can go wrong between a user and a hub."""

from collections.abc import Sequence

from adapter_lib.spec.errors import AdapterLibError


class HubError(AdapterLibError):
    """A hub did not do what was asked of it."""


class HubUnreachableError(HubError):
    """No hub answered at the address, or the machine is set to be offline."""


class HubAnswerError(HubError):
    """A hub answered with an error; `code` is its stable word for it, `status` the HTTP status."""

    def __init__(self, message: str, *, code: str, status: int) -> None:
        super().__init__(message)
        self.code = code
        self.status = status


class PublishError(HubError):
    """An adapter was uploaded but is not published; `findings` are the hub's sentences about it."""

    def __init__(self, message: str, findings: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.findings = tuple(findings)
