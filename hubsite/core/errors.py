"""What can go wrong in the hub, as types. Each face turns them into its own answers in one table."""

# ruff: noqa: N818 - they are named for what is the case, as HTTP names its answers


class HubError(Exception):
    """A fault with one clear sentence for whoever caused it: what was wrong, where, and what to do."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class BadInput(HubError):
    """The request itself is wrong; sending it again will not help."""


class Unauthenticated(HubError):
    """The request needs a signed-in user and has none."""


class InvalidToken(Unauthenticated):
    """The bearer token is unknown, expired or revoked. Wording: hf_protocol section 2."""

    def __init__(self, message: str = "Invalid credentials in Authorization header") -> None:
        super().__init__(message)


class Forbidden(HubError):
    """The user is known and may not do this."""


class NotFound(HubError):
    """There is no such thing, or the user may not know of it; both give the same answer."""


class RepoNotFound(NotFound):
    """No such repository, or a private one that this user may not see."""


class RevisionNotFound(NotFound):
    """No branch, tag or commit of this name."""


class EmptyRepo(RevisionNotFound):
    """The branch is the default one, and nothing has been committed yet."""


class EntryNotFound(NotFound):
    """No such path in an existing commit."""

    def __init__(self, message: str, *, commit_sha: str | None = None) -> None:
        super().__init__(message)
        self.commit_sha = commit_sha


class Conflict(HubError):
    """The present state does not allow it."""


class RepoExists(Conflict):
    """The name is taken; `repo_name` is the existing repository's, as its owner spells it."""

    def __init__(self, message: str, *, repo_name: str) -> None:
        super().__init__(message)
        self.repo_name = repo_name


class StaleParent(Conflict):
    """The branch has moved on since the commit was prepared."""


class TooLarge(HubError):
    """More bytes, files or entries than the hub takes."""


class RateLimited(HubError):
    """Too many requests; `retry_after` is the wait in seconds."""

    def __init__(self, message: str, *, retry_after: int) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class StorageError(HubError):
    """The blob store cannot do its work; the cause lies with the hub, not with the request."""


class StorageFull(StorageError):
    """No room is left for more bytes."""


class BlobMissing(StorageError):
    """Bytes that the database lists are not in the blob store."""
