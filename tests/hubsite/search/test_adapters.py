import pytest

from hubsite.accounts.actors import Actor
from hubsite.accounts.models import User
from hubsite.core.errors import NotFound
from hubsite.registry.models import RepoKind
from hubsite.search.adapters import adapter_detail
from tests.hubsite.factories import make_commit, make_repo
from tests.hubsite.search.made import make_adapter

pytestmark = pytest.mark.django_db


def test_the_run_is_named_to_those_who_may_see_it(alice: User, bob: User) -> None:
    waiting = make_adapter(alice, "praise", published=False)
    mine = adapter_detail(Actor.of_user(alice), "alice", "praise")
    assert mine.run is not None
    assert (mine.revision, mine.version, mine.load) == (
        waiting.sha,
        None,
        f'adapter_lib.load("hub:alice/praise@{waiting.sha}")',
    )
    assert adapter_detail(Actor.of_user(bob), "alice", "praise").run is None


def test_warnings_about_the_card_are_told(alice: User) -> None:
    make_adapter(alice, "praise", adapter_task="no-such-task")
    assert any(
        "no-such-task" in warning for warning in adapter_detail(Actor.anonymous(), "alice", "praise").warnings
    )


def test_a_backbone_is_no_adapter(alice: User) -> None:
    make_commit(make_repo(alice, "small", RepoKind.BACKBONE), {"config.json": b"{}"})
    with pytest.raises(NotFound, match="backbone"):
        adapter_detail(Actor.anonymous(), "alice", "small")
