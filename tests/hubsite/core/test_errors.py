from hubsite.core import errors


def test_every_error_carries_its_sentence() -> None:
    assert str(errors.BadInput("No.")) == errors.BadInput("No.").message == "No."
    assert errors.InvalidToken().message == "Invalid credentials in Authorization header"
    assert errors.EntryNotFound("No.", commit_sha="abc").commit_sha == "abc"
    assert errors.RepoExists("No.", repo_name="a/b").repo_name == "a/b"
    assert errors.RateLimited("No.", retry_after=3).retry_after == 3


def test_an_empty_repository_reads_as_a_missing_revision() -> None:
    assert issubclass(errors.EmptyRepo, errors.RevisionNotFound)
    assert issubclass(errors.StorageFull, errors.HubError)
