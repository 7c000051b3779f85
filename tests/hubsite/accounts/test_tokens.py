from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.test import RequestFactory
from pytest_django import DjangoAssertNumQueries

from hubsite.accounts.actors import Actor
from hubsite.accounts.authentication import actor_from_request
from hubsite.accounts.models import Scope, Token, User
from hubsite.accounts.services.tokens import issue_token, revoke_token
from hubsite.core.clock import now
from hubsite.core.errors import BadInput, InvalidToken, NotFound

pytestmark = pytest.mark.django_db


def actor(secret: str, scheme: str = "Bearer") -> Actor:
    return actor_from_request(RequestFactory().get("/", headers={"Authorization": f"{scheme} {secret}"}))


def test_the_secret_is_shown_once_and_only_its_hash_is_kept(alice: User) -> None:
    issued = issue_token(alice, name="laptop", scope=Scope.READ)
    assert issued.secret.startswith("ahub_")
    assert len(issued.secret) == 45
    row = Token.objects.values().get()
    assert issued.secret not in map(str, row.values())
    assert issued.secret.startswith(row["hint"])
    assert len(row["hint"]) < 12


def test_a_token_acts_within_its_scope(alice: User) -> None:
    secret = issue_token(alice, name="laptop", scope=Scope.READ).secret
    for scheme in ("Bearer", "bearer"):
        found = actor(secret, scheme)
        assert (found.user, found.scope) == (alice, Scope.READ)
        assert found.token is not None


def test_a_wrong_token_is_never_anonymous(alice: User) -> None:
    secret = issue_token(alice, name="laptop", scope=Scope.READ).secret
    for wrong in ("", secret[:-1], secret.swapcase(), "ahub_\0"):
        with pytest.raises(InvalidToken, match="Invalid credentials in Authorization header"):
            actor(wrong)


def test_an_expired_token_is_refused(alice: User) -> None:
    issued = issue_token(alice, name="x", scope=Scope.READ, expires_at=now() + timedelta(days=1))
    assert actor(issued.secret).user == alice
    Token.objects.update(expires_at=now())
    with pytest.raises(InvalidToken):
        actor(issued.secret)


def test_a_revoked_token_is_refused(alice: User) -> None:
    issued = issue_token(alice, name="x", scope=Scope.WRITE)
    revoke_token(alice, issued.token.pk)
    first = Token.objects.get().revoked_at
    revoke_token(alice, issued.token.pk)
    assert Token.objects.get().revoked_at == first
    with pytest.raises(InvalidToken):
        actor(issued.secret)


def test_a_stranger_cannot_revoke_it(alice: User, bob: User) -> None:
    issued = issue_token(alice, name="x", scope=Scope.WRITE)
    with pytest.raises(NotFound):
        revoke_token(bob, issued.token.pk)
    assert actor(issued.secret).user == alice


def test_the_token_of_a_locked_user_is_refused(alice: User) -> None:
    secret = issue_token(alice, name="x", scope=Scope.WRITE).secret
    User.objects.update(is_active=False)
    with pytest.raises(InvalidToken):
        actor(secret)


def test_use_is_noted_at_most_once_a_minute(
    alice: User, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    secret = issue_token(alice, name="x", scope=Scope.WRITE).secret
    with django_assert_num_queries(2):
        actor(secret)
    first = Token.objects.get().last_used_at
    assert first is not None
    with django_assert_num_queries(1):
        actor(secret)
    Token.objects.update(last_used_at=first - timedelta(minutes=2))
    actor(secret)
    noted = Token.objects.get().last_used_at
    assert noted is not None
    assert noted >= first


@pytest.mark.parametrize("name", ["", "  ", "x" * 81])
def test_a_token_needs_a_name(alice: User, name: str) -> None:
    with pytest.raises(BadInput, match="name"):
        issue_token(alice, name=name, scope=Scope.READ)


def test_a_token_that_has_expired_already_is_not_issued(alice: User) -> None:
    with pytest.raises(BadInput, match="later"):
        issue_token(alice, name="x", scope=Scope.READ, expires_at=now())


def test_the_command_prints_only_the_secret(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("issue_token", "carol", "--scope", "write", "--create", "--name", "script")
    secret = capsys.readouterr().out.removesuffix("\n")
    assert actor(secret).scope == Scope.WRITE
    assert Token.objects.get().name == "script"
    call_command("issue_token", "CAROL", "--scope", "read")
    assert User.objects.count() == 1


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["carol", "--scope", "read"], "no user 'carol'"),
        (["admin", "--scope", "read", "--create"], "reserved"),
        (["carol", "--scope", "all"], "invalid choice"),
    ],
)
def test_the_command_says_what_is_wrong(arguments: list[str], sentence: str) -> None:
    with pytest.raises(CommandError, match=sentence):
        call_command("issue_token", *arguments)
