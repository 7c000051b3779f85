"""Which commit of a line last changed a file."""

import pytest

from hubsite.accounts.models import User
from hubsite.hfapi.history import last_changes, line_of
from hubsite.registry.services.commits import CopyFile, DeleteFile, create_commit
from tests.hubsite.factories import actor_of, make_commit, make_repo

pytestmark = pytest.mark.django_db


def test_the_line_goes_back_to_the_first_commit(alice: User) -> None:
    repo = make_repo(alice)
    commits = [make_commit(repo, {"a": b"%d" % number}) for number in range(4)]
    assert line_of(commits[3]) == [commit.pk for commit in reversed(commits)]
    assert line_of(commits[1]) == [commits[1].pk, commits[0].pk]


def test_a_file_belongs_to_the_commit_that_gave_it_its_content(alice: User) -> None:
    repo = make_repo(alice)
    first = make_commit(repo, {"same": b"s", "changed": b"1", "gone and back": b"g"})
    second = make_commit(repo, {"changed": b"2"})
    create_commit(actor_of(alice), repo, operations=[DeleteFile("gone and back")], title="without")
    fourth = make_commit(repo, {"gone and back": b"g"})
    fifth = create_commit(actor_of(alice), repo, operations=[CopyFile("copy", "same")], title="copy")
    changes = last_changes(fifth, ["same", "changed", "gone and back", "copy", "absent"])
    assert changes == {"same": first, "changed": second, "gone and back": fourth, "copy": fifth}


def test_more_paths_than_one_query_may_name(alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hubsite.hfapi.history._PATHS_PER_QUERY", 2)
    commit = make_commit(make_repo(alice), {f"f{number}": b"x" for number in range(5)})
    assert len(last_changes(commit, [f"f{number}" for number in range(5)])) == 5
