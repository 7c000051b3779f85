import pytest

from hubsite.accounts.models import Namespace, User
from hubsite.accounts.names.reserved import reserved_words
from hubsite.accounts.names.skeleton import skeleton
from hubsite.accounts.services.users import claim_namespace, create_user
from hubsite.core.errors import BadInput, Conflict
from hubsite.registry.models import Task
from hubsite.registry.vocabulary.tasks import TASKS

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("name", ["carol", "Carol-2", "c.a_rol", "x", "a" * 40])
def test_a_user_owns_the_namespace_of_their_name(name: str) -> None:
    user = create_user(name, "carol@example.org", "correct horse battery staple")
    assert user.namespace.name == name
    assert user.namespace.key == name.lower()
    assert user.check_password("correct horse battery staple")


@pytest.mark.parametrize(
    "name",
    ["", "a b", "a/b", "../x", "-a", "a-", ".a", "a--b", "a..b", "a.git", "å", "a" * 41, "a\n", "a\0", "a@b"],
)
def test_a_name_outside_the_grammar_is_refused(name: str) -> None:
    with pytest.raises(BadInput):
        create_user(name)
    assert not User.objects.exists()


@pytest.mark.parametrize(
    "name",
    [
        "api", "datasets", "spaces", "models", "kernels", "buckets", "resolve", "static", "admin", "accounts",
        "hub", "sha256", "settings", "search", "browse", "upload", "tokens", "docs", "health", "login",
        "ADMIN", "adm1n", "d0cs", "do-cs", "sentiment", "Sentiment", "s-entiment", "text-classification",
    ],
)  # fmt: skip
def test_a_reserved_word_or_its_look_alike_is_refused(name: str) -> None:
    with pytest.raises(BadInput, match="reserved"):
        create_user(name)


def test_every_task_is_reserved_also_one_that_was_added_later() -> None:
    Task.objects.create(slug="humour", name="Humour")
    assert {*TASKS, "humour"} <= reserved_words()
    with pytest.raises(BadInput, match="reserved"):
        create_user("Humour")


@pytest.mark.parametrize("name", ["alice", "ALICE"])
def test_a_taken_name_is_refused_in_any_case(alice: User, name: str) -> None:
    with pytest.raises(Conflict, match="taken"):
        create_user(name)


@pytest.mark.parametrize("name", ["a1ice", "aIice", "al.ice", "a-l-i-c-e", "AL1CE", "_alice"])
def test_a_look_alike_of_a_taken_name_is_refused(alice: User, name: str) -> None:
    with pytest.raises(Conflict, match="looks too much like 'alice'"):
        create_user(name)


def test_names_of_marks_alone_do_not_look_like_each_other() -> None:
    assert skeleton("_") == "_"
    assert skeleton("_._") != skeleton("_")


def test_a_user_from_elsewhere_gets_a_namespace_once() -> None:
    user = User.objects.create_user("dave")
    assert claim_namespace(user) == claim_namespace(user)
    assert Namespace.objects.filter(owner=user).count() == 1


def test_without_a_password_nobody_can_sign_in() -> None:
    assert not create_user("carol").has_usable_password()
