import pytest

from hubsite.accounts.models import User
from hubsite.registry.models import CommitState
from hubsite.registry.selectors import published, revisions, trees
from tests.hubsite import factories


@pytest.mark.django_db
def test_a_commit_lists_its_files_and_moves_the_branch(alice: User) -> None:
    repo = factories.make_repo(alice)
    commit = factories.make_commit(repo, {"README.md": b"# hi", "sub/a.bin": b"x"}, lfs={"sub/a.bin"})
    assert commit.state == CommitState.RECEIVED
    assert revisions.find_commit(repo, "main") == commit
    assert [item.path for item in trees.list_tree(commit)] == ["README.md", "sub"]
    factories.publish(commit)
    assert published.latest(repo) == commit
    assert revisions.find_commit(repo, "v1") == commit
